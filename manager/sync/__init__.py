"""The client manager that makes a threaded python-socketio server, such as Flask-SocketIO's, a node."""

from socketio_cluster.manager.sync.sync_manager import SyncClusterManager

__all__ = ["SyncClusterManager"]
