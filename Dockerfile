# The image of a node: the same install as the README's, in a virtual environment, on a plain Python image.
#
#   docker build -t socketio-cluster .                         the node; serves the demo until CLUSTER_APP names another app
#   docker build -t socketio-cluster-loadtest --target loadtest .
#
# BASE may be any image with Python 3.11 or newer and pip; nothing else is taken from it.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /build
RUN python3 -m venv /opt/venv
# With a C compiler events are handled in less time, see docs/performance.md. Without one the node works the same.
RUN command -v cc || { apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev; } || true
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY socketio_cluster socketio_cluster
COPY cluster cluster
COPY manager manager
COPY loadtest loadtest
# aiohttp is what python-socketio's client needs; `helm test` runs that client.
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check '.[amqp,client,msgpack,nats]'

FROM build AS build-loadtest
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check '.[loadtest]'

FROM ${BASE} AS run
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# The current folder comes first on Python's path: an application copied or mounted here is found by its name.
WORKDIR /app
# A number, so that Kubernetes can see that it is not root; above 10000, so that it is nobody on the host.
USER 10001:10001

FROM run AS loadtest
COPY --from=build-loadtest /opt/venv /opt/venv
ENTRYPOINT ["python", "-m", "socketio_cluster.loadtest"]

FROM run AS node
COPY --from=build /opt/venv /opt/venv
# One worker: a container is a node, and the orchestrator counts containers.
ENV CLUSTER_APP=socketio_cluster.cluster.demo.app:app CLUSTER_HOST=0.0.0.0 CLUSTER_PORT=8000 CLUSTER_WORKERS=1 \
    CLUSTER_PROBE_HOST=0.0.0.0 CLUSTER_PROBE_PORT=8001
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
# For Docker and Compose; Kubernetes has probes of its own.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['CLUSTER_PROBE_PORT']}/livez\", timeout=2)"]
ENTRYPOINT ["python", "-m", "socketio_cluster"]
CMD ["serve"]
