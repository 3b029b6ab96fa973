"""Two workers with threads; without CLUSTER_BUS they share a local bus that lives as long as they do."""

import os
import subprocess
import sys
import tempfile
import time

bind = os.environ.get("BIND", "127.0.0.1:8000")
workers = 2
worker_class = "gthread"
threads = 100  # per worker: a WebSocket holds one as long as it lasts
graceful_timeout = 10
control_socket_disable = True  # gunicorn 25 and newer would make one in the home folder


def on_starting(server):
    if not os.environ.get("CLUSTER_BUS"):
        server.folder = tempfile.TemporaryDirectory(prefix="chat-")
        path = f"{server.folder.name}/bus.sock"
        server.hub = subprocess.Popen([sys.executable, "-m", "socketio_cluster", "hub", "--socket", path])
        while not os.path.exists(path) and server.hub.poll() is None:
            time.sleep(0.05)
        os.environ["CLUSTER_BUS"] = f"local://{path}"


def on_exit(server):
    if hasattr(server, "hub"):
        server.hub.terminate()
        server.hub.wait()
        server.folder.cleanup()


def post_fork(server, worker):
    os.environ["CLUSTER_NODE_NAME"] = f"worker {worker.age}"


def post_worker_init(worker):
    from examples.flask_chat.app import manager

    manager.start()  # now, and not with the first client
    manager.leave_on_signals()
