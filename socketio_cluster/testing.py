"""Tests of applications: several nodes and their clients in one event loop, without a network."""

from socketio_cluster.cluster.testing.client import TestClient
from socketio_cluster.cluster.testing.errors import NotReceived
from socketio_cluster.cluster.testing.virtual_cluster import TestCluster
from socketio_cluster.cluster.testing.virtual_node import VirtualNode

__all__ = ["NotReceived", "TestClient", "TestCluster", "VirtualNode"]
