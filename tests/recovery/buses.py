"""The buses of the served clusters in these tests."""

from __future__ import annotations

OPTIONS = {
    "local": {},
    "redis": {"--bus": "redis_url"},
    "amqp": {"--bus": "amqp_url", "--recovery-url": "redis_url"},
}
"""The options of each bus, with the fixtures of their values."""


def bus_options(request):
    """The options of the bus that a fixture's parameter names, which is started if it does not run."""
    return [f"{option}={request.getfixturevalue(url)}" for option, url in OPTIONS[request.param].items()]
