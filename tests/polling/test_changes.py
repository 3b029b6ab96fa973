"""What an application changes while clients poll holds from the next request on."""

from __future__ import annotations

import pytest

from tests.cluster.lane_helpers import lane_node
from tests.polling.wire import Ways, session

GOOD = "https://good.test"


async def asked(node, one):
    """The status line of the answer to a poll for which something waits."""
    await node.sio.emit("said", to=one.name)
    return (await one.ask())[0][0]


async def test_the_admin_ui(monkeypatch):
    """When the admin UI is switched on, it counts the packets of connections that are there already."""
    ways, counted = Ways(monkeypatch), []
    async with lane_node(short=True) as node, session(node) as one:
        assert (await one.ask("POST", body=b'42["said"]'))[1] == b"ok"
        await asked(node, one)
        before = ways.short
        assert before
        admin = node.sio.instrument(auth=False, server_stats_interval=60)
        monkeypatch.setattr(admin.event_buffer, "push", lambda kind, count=1: counted.append(kind))
        try:
            await one.ask("POST", body=b'42["said"]')
            await asked(node, one)
        finally:
            await admin.shutdown()
            admin.uninstrument()
        assert ways.short == before
        assert {"packetsIn", "packetsOut"} <= set(counted)


@pytest.mark.parametrize("pages", [[GOOD, "https://other.test"], ["https://other.test", GOOD]])
async def test_a_page_that_may_no_longer_ask(pages):
    """A page that is taken out of the list of those that may ask is refused on its open connection too."""
    answers = []
    for short in (False, True):
        async with lane_node(short=short, server_options={"cors_allowed_origins": list(pages)}) as node:
            async with session(node, [f"Origin: {GOOD}"]) as one:
                seen = [await asked(node, one)]
                node.sio.eio.cors_allowed_origins.remove(GOOD)
                seen += [await asked(node, one), (await one.ask("POST", body=b"3"))[0][0]]
            answers.append(seen)
    assert answers[0] == answers[1]
    assert answers[0] == [b"HTTP/1.1 200 OK", *2 * [b"HTTP/1.1 400 Bad Request"]]
