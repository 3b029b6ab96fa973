"""A threaded python-socketio server, such as Flask-SocketIO's, as a node of the cluster."""

from socketio_cluster.manager.sync.sync_manager import SyncClusterManager

__all__ = ["SyncClusterManager"]
