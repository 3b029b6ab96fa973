"""Clusters of nodes whose rooms are spread over several shards."""

from __future__ import annotations

import pytest

from tests.services.redis import RedisShards


@pytest.fixture(params=["redis_shards", "redis_cluster_shards"])
def shards_url(request):
    """The URL of a bus with several shards: three plain servers, and four parts of a Redis Cluster."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def shards(tmp_path):
    """Three plain servers of the test's own, to be killed and frozen."""
    with RedisShards(tmp_path) as servers:
        yield servers
