"""A node that stops lets its clients go one by one; they come back by themselves and have missed nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import time

import aiohttp
import pytest

from tests.cluster.returning import Doors, reconnecting
from tests.cluster.served import Served, request
from tests.cluster.watched import TRANSPORTS, crowd
from tests.harness import eventually
from tests.jsclient import js_driver

DRAINING = "server shutting down"


@pytest.mark.alone
async def test_clients_leave_evenly_over_the_window(tmp_path):
    """Of 300 clients of all kinds each third of the window takes its part, also on a busy machine."""
    env = {"TEST_PAUSE": "0.5"}
    with Served(tmp_path, "--drain-window=6", env=env) as served:
        async with js_driver() as driver:
            clients = await crowd(driver, served.url, 300, reconnection=False)
            served.process.terminate()
            assert (await served.ended())[0] == 0
            await eventually(lambda: all(one.went for one in clients))
    times = sorted(one.went[0][0] for one in clients)
    thirds = [sum(start <= when - times[0] < start + 2 for when in times) for start in (0, 2, 4)]
    assert times[-1] - times[0] > 4.5
    assert all(50 <= third <= 170 for third in thirds), thirds
    assert {reason for one in clients for _, reason in one.went} == {"transport close"}


@pytest.mark.parametrize("lane", ["on", "off"])
async def test_nothing_that_waits_is_lost(lane, tmp_path):
    """Whatever was emitted to a client before its disconnect handler ran has reached it, in order, once."""
    with Served(tmp_path, "--drain-window=1", f"--lane={lane}") as served:
        async with js_driver() as driver:
            clients = await crowd(driver, served.url, 12, reconnection=False)
            for one in clients:
                await one.emit("burst", 400)
            await eventually(lambda: all(one.pieces for one in clients))
            served.process.terminate()
            assert (await served.ended())[0] == 0
            await eventually(lambda: all(one.went for one in clients))
            noted = served.noted()
    for one in clients:
        assert one.pieces == list(range(400))
        last, reason = noted[one.sid]
        due = range(one.begin + 1, last + 1)
        if reason == DRAINING:
            assert one.numbers == list(due)
        else:  # its connection led through the other worker, which hung up before the handler could run
            assert one.numbers == list(due)[: len(one.numbers)]


@contextlib.contextmanager
def two_supervisors(bus, prefix, folder, *options):
    """Two of them on one bus, with a worker each; the first one with the options."""
    with contextlib.ExitStack() as stack:
        common = (f"--bus={bus}", f"--prefix={prefix}")
        yield [stack.enter_context(Served(folder, *common, *more, workers=1)) for more in (options, ())]


async def test_every_kind_of_client_comes_back_to_another_node(redis_url, prefix, tmp_path):
    """The clients of a node that drains are on another one within 5 seconds, by themselves."""
    with two_supervisors(redis_url, prefix, tmp_path, "--drain-window=2") as (one, two):
        async with js_driver() as driver, Doors([one.url]) as doors:
            clients = await crowd(driver, doors.url, 9)
            python = [await reconnecting(doors.url, transports) for transports in TRANSPORTS]
            doors.lead_to(two.url)
            one.process.terminate()
            await eventually(lambda: all(len(client.came) == 2 for client in clients + python), 12)
            for client in clients:
                assert client.came[1][0] - client.went[0][0] < 5
            assert (await one.ended())[0] == 0
            for client in python:
                await client.shutdown()


async def told(client, event):
    """Ask until the answer is not 0."""
    async with asyncio.timeout(5):
        while (answer := (await client.call(event))[0]) == 0:  # noqa: ASYNC110 - another process knows
            await asyncio.sleep(0.02)
    return answer


async def test_second_signal_ends_the_drain(tmp_path):
    """With a window of a minute a second signal lets all that are left go at once, with their goodbye."""
    with Served(tmp_path, "--drain-window=60") as served:
        async with js_driver() as driver:
            clients = await crowd(driver, served.url, 30, reconnection=False)
            served.process.send_signal(signal.SIGINT)
            await eventually(lambda: any(one.went for one in clients))
            assert sum(bool(one.went) for one in clients) < 15
            served.process.terminate()
            code, seconds = await served.ended()
            assert (code, seconds < 5) == (0, True)
            await eventually(lambda: all(one.went for one in clients))
    assert set(served.noted()) == {one.sid for one in clients}


async def test_node_without_clients_stops_at_once(tmp_path):
    """A window of a minute is not waited for when nobody is there, or when the last client has left."""
    with Served(tmp_path, "--drain-window=60") as served:
        async with js_driver() as driver:
            (one, two) = await crowd(driver, served.url, 2, reconnection=False)
            served.process.terminate()
            await eventually(lambda: one.went or two.went)
            for client in (one, two):
                if not client.went:
                    await client.disconnect()
            code, seconds = await served.ended()
    assert (code, seconds < 6) == (0, True)


async def answers(one):
    """Whether a client gets an answer. Its worker may have let it go first, and it not know that yet."""
    answer = asyncio.create_task(one.call("echo", "still here"))
    await eventually(lambda: answer.done() or one.went)
    if one.went:
        answer.cancel()
        return False
    assert answer.result() == ["still here"]
    return True


async def test_draining_node_serves_its_own_and_refuses_others(tmp_path):
    """During a drain new sessions get a 503, those who are in are answered, without keep-alive."""
    with Served(tmp_path, "--drain-window=600") as served:
        handshake = f"{served.url}/socket.io/?EIO=4&transport="
        async with js_driver() as driver:
            clients = await crowd(driver, served.url, 12, reconnection=False)
            assert "Connection" not in (await request(f"{served.url}/who"))[1]
            served.process.terminate()
            await eventually(lambda: any(one.went for one in clients))
            status, headers, text = await request(
                f"{handshake}polling", headers={"Origin": "http://a.example"}
            )
            assert (status, headers["Retry-After"], headers["Connection"]) == (503, "1", "close")
            assert headers["Access-Control-Allow-Origin"] == "http://a.example"
            assert "about to stop" in text
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with aiohttp.ClientSession() as http:
                    await http.ws_connect(f"{handshake}websocket")
            assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "1")
            with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
                async with aiohttp.ClientSession() as http:
                    await http.ws_connect(f"{served.url}/plain")
            assert (await request(f"{served.url}/who"))[1]["Connection"] == "close"
            async with aiohttp.ClientSession() as http, http.ws_connect(f"{served.url}/own") as own:
                assert not own.closed
            answered = [await answers(one) for one in clients if not one.went]
            assert answered.count(True) >= 6
            served.process.terminate()
            assert (await served.ended())[0] == 0


async def test_delay_comes_before_everything(tmp_path):
    """For --drain-delay seconds the node is unready, but takes new clients and lets none go."""
    with Served(tmp_path, "--drain-delay=2", "--drain-window=0") as served:
        async with js_driver() as driver:
            clients = await crowd(driver, served.url, 3, reconnection=False)
            served.process.terminate()
            began = time.monotonic()
            while (answer := await request(f"{served.probes}/readyz"))[0] == 200:
                assert time.monotonic() < began + 1
            workers = json.loads(answer[2])["workers"]
            assert {name: row["reasons"] for name, row in workers.items()} == {
                "node-1": ["draining"],
                "node-2": ["draining"],
            }
            clients += await crowd(driver, served.url, 1, reconnection=False)
            assert not any(one.went for one in clients)
            assert (await served.ended())[0] == 0
            await eventually(lambda: all(one.went for one in clients))
    assert min(one.went[0][0] for one in clients) - began > 1.5


async def test_drain_can_be_asked_for(tmp_path):
    """POST /drain ends the process with code 0; the first signal that follows does not hurry it."""
    with Served(tmp_path, "--drain-window=2") as served:
        async with js_driver() as driver:
            clients = await crowd(driver, served.url, 20, reconnection=False)
            began = time.monotonic()
            assert (await request(f"{served.probes}/drain", method="POST"))[0] == 202
            assert (await request(f"{served.probes}/drain", method="POST"))[0] == 202
            served.process.terminate()
            assert (await served.ended())[0] == 0
            await eventually(lambda: all(one.went for one in clients))
    assert max(one.went[0][0] for one in clients) - began > 1.2


async def test_other_nodes_hear_of_it_and_pass_requests_on(redis_url, prefix, tmp_path):
    """The other nodes know who drains, and go on passing requests to it for the clients it still has."""
    with two_supervisors(redis_url, prefix, tmp_path, "--drain-window=30") as (one, other):
        async with js_driver() as driver, aiohttp.ClientSession() as http:
            (watch,) = await crowd(driver, other.url, 1, reconnection=False)
            await crowd(driver, one.url, 6, reconnection=False)
            path = "/socket.io/?EIO=4&transport=polling"
            async with http.get(one.url + path) as opened:
                path += "&sid=" + json.loads((await opened.text())[1:])["sid"]  # the last to be let go
            one.process.terminate()
            assert await told(watch, "draining") == 1
            async with http.post(other.url + path, data="40") as posted:
                assert posted.status == 200
            async with http.get(other.url + path) as polled:
                assert "40{" in await polled.text()
            one.process.terminate()
            assert (await one.ended())[0] == 0


@pytest.mark.alone
async def test_clients_that_do_not_read_do_not_hold_up_the_end(tmp_path):
    """A polling client that never fetches its last packets costs a few seconds, not the end."""
    with Served(tmp_path, "--drain-window=0") as served:
        await request(f"{served.url}/socket.io/?EIO=4&transport=polling")
        served.process.terminate()
        code, seconds = await served.ended()
    assert (code, seconds < 9) == (0, True)


async def test_polling_client_gets_a_close_packet(tmp_path):
    """The poll that waits when a session is let go is answered with CLOSE, with only NOOPs behind it."""
    with Served(tmp_path, "--drain-window=0") as served:
        url = f"{served.url}/socket.io/?EIO=4&transport=polling"
        async with aiohttp.ClientSession() as http:
            async with http.get(url) as opened:
                url += "&sid=" + json.loads((await opened.text())[1:])["sid"]
            await http.post(url, data="40")
            async with http.get(url) as polled:
                assert "40{" in await polled.text()
            served.process.terminate()
            packets = []
            while "1" not in packets:
                async with http.get(url) as polled:
                    assert polled.status == 200
                    packets = (await polled.text()).split("\x1e")
    assert packets == ["1", *16 * ["6"]]


@pytest.mark.parametrize("lane", ["on", "off"])
async def test_websockets_close_with_service_restart(lane, tmp_path):
    """Sessions on WebSockets, plain clients and the application's own WebSockets close with code 1012."""
    with Served(tmp_path, "--drain-window=0", f"--lane={lane}") as served:
        async with aiohttp.ClientSession() as http:
            session = await http.ws_connect(f"{served.url}/socket.io/?EIO=4&transport=websocket")
            plain = await http.ws_connect(f"{served.url}/plain")
            own = await http.ws_connect(f"{served.url}/own")
            assert (await session.receive()).data.startswith("0{")
            served.process.terminate()
            for socket in (session, plain, own):
                await closed(socket)
                assert socket.close_code == 1012


@pytest.mark.alone
async def test_client_that_talks_without_pause_gets_its_goodbye(tmp_path):
    """A client that sends without pause while it is let go gets all that waits for it, and code 1012."""
    with Served(tmp_path, "--drain-window=0", workers=1) as served:
        url = f"{served.url}/socket.io/?EIO=4&transport=websocket"
        async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
            await socket.send_str("40")
            talking = asyncio.create_task(talk(socket))
            await socket.send_str('42["burst",2000]')
            pieces = 0
            while pieces < 10:
                pieces += "piece" in (await socket.receive_str())
            served.process.terminate()
            async with asyncio.timeout(10):
                async for message in socket:
                    pieces += "piece" in message.data
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
    assert (pieces, socket.close_code) == (2000, 1012)


async def talk(socket):
    """Send again and again."""
    while True:
        await socket.send_str(f'42["echo","{4000 * "x"}"]')


async def closed(socket):
    """Read until the connection is closed."""
    async with asyncio.timeout(10):
        async for _ in socket:
            pass
