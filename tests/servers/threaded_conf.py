"""The settings of gunicorn for ``threaded``."""

worker_class = "gthread"
threads = 100
graceful_timeout = 10
control_socket_disable = True


def post_worker_init(worker):
    from tests.servers.threaded import manager

    manager.start()
    manager.leave_on_signals()
