"""Emitters that start, stop, fork and are used by many at once."""

from __future__ import annotations

import asyncio
import signal
import sys
import textwrap

import pytest

from socketio_cluster import AsyncEmitter, Emitter, SettingError
from tests.emitter.processes import run
from tests.harness import eventually, fence
from tests.services.process import free_port


async def test_after_a_cut(nodes, clients, bus_url, prefix):
    """A node that was cut off once hears emitters that come, speak and go."""
    nodes[1].manager.node.link.fail("the test says so")
    await eventually(lambda: nodes[1].manager.stats.reconnects == 1 and nodes[1].manager.ready)
    for number in range(3):
        async with AsyncEmitter(bus_url, prefix=prefix) as emitter:
            await emitter.emit("n", number)
        for one in clients:
            assert await one.next("n") == [number]


async def test_again_after_close(nodes, clients, bus_url, prefix):
    """A closed emitter starts again with its next call."""
    emitter = AsyncEmitter(bus_url, prefix=prefix)
    for number in range(3):
        await emitter.emit("n", number)
        await emitter.close()
        await emitter.close()
    assert [await clients[0].next("n") for _ in range(3)] == [[0], [1], [2]]


async def test_concurrent_first_calls(nodes, clients, bus_url, prefix):
    """Many tasks may start one emitter together."""
    emitter = AsyncEmitter(bus_url, prefix=prefix)
    await asyncio.gather(*(emitter.emit("n", number) for number in range(100)))
    await emitter.close()
    got = [(await clients[0].next("n"))[0] for _ in range(100)]
    assert sorted(got) == list(range(100))
    await fence(nodes[0], clients[0])


async def test_threads(nodes, clients, bus_url, prefix):
    """Threads share one Emitter, and a process that forgets to close it ends without a word."""
    script = """
        import sys
        from concurrent.futures import ThreadPoolExecutor
        from socketio_cluster import Emitter
        emitter = Emitter()
        def work(thread):
            for number in range(20):
                emitter.emit("n", [thread, number])
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
    """
    assert await run(script, CLUSTER_BUS=bus_url, CLUSTER_PREFIX=prefix) == ("", "")
    got = [(await clients[1].next("n"))[0] for _ in range(160)]
    for thread in range(8):
        assert [number for one, number in got if one == thread] == list(range(20))
    await fence(nodes[1], clients[1])


async def test_fork(nodes, clients, bus_url, prefix):
    """After a fork, even in the middle of other threads' emits, child and parent go on emitting."""
    script = """
        import os, sys, threading, warnings
        from socketio_cluster import Emitter
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: fork in a process with threads
        emitter = Emitter(sys.argv[1], prefix=sys.argv[2])
        emitter.emit("n", "parent")
        going = threading.Event()
        def chatter():
            while not going.is_set():
                emitter.emit("noise", room="nobody")
        threads = [threading.Thread(target=chatter) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(4):
            child = os.fork()
            if child == 0:
                emitter.emit("n", f"child {number}")
                emitter.close()
                os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        going.set()
        for thread in threads:
            thread.join()
        emitter.emit("n", "parent again")
    """
    assert await run(script, bus_url, prefix) == ("", "")
    expected = ["parent", *(f"child {number}" for number in range(4)), "parent again"]
    assert [(await clients[1].next("n"))[0] for _ in expected] == expected
    await fence(nodes[1], clients[1])


async def test_interrupt(prefix):
    """Ctrl-C ends a call that waits."""
    script = """
        import signal, sys
        from socketio_cluster import Emitter
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
        emitter = Emitter(sys.argv[1], timeout=60)
        print("waiting", flush=True)
        emitter.emit("never")
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(script), f"redis://127.0.0.1:{free_port()}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await process.stdout.readline()
        await asyncio.wait_for(process.stderr.readline(), 30)  # "cannot reach the bus": the call is waiting
        process.send_signal(signal.SIGINT)
        _, errors = await asyncio.wait_for(process.communicate(), 15)
        assert errors.strip().endswith(b"KeyboardInterrupt")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("kind", [AsyncEmitter, Emitter])
@pytest.mark.parametrize(
    ("url", "options", "words"),
    [
        (None, {}, "an emitter needs a bus"),
        ("kafka://host", {}, "no bus is called"),
        ("redis://host", {"timeout": 0}, "timeout must be"),
        ("redis://host", {"serializer": "pickle"}, "serializer must be"),
        ("redis://host", {"prefix": "a:b"}, "prefix must be"),
        ("redis://host", {"secret": "short"}, "at least 16"),
    ],
)
def test_settings(kind, url, options, words, monkeypatch):
    """A setting that cannot work is told when the emitter is made."""
    monkeypatch.delenv("CLUSTER_BUS", raising=False)
    with pytest.raises(SettingError, match=words):
        kind(url, **options)
