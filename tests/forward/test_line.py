"""Frames between two nodes, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from socketio_cluster.cluster.forward.line import MAX_FRAME, MAX_STRANGE, LineLost, NodeLine


@contextlib.asynccontextmanager
async def lines(*, trusted=True):
    """The two ends of a line."""
    accepted = asyncio.get_running_loop().create_future()
    server = await asyncio.get_running_loop().create_server(
        lambda: NodeLine(accepted.set_result), "127.0.0.1", 0
    )
    _, one = await asyncio.get_running_loop().create_connection(NodeLine, *server.sockets[0].getsockname())
    two = await accepted
    if trusted:
        one.trust()
        two.trust()
    try:
        yield one, two
    finally:
        server.close()
        one.close()
        two.close()


async def test_frames_arrive_as_sent():
    """Frames of all sizes, empty ones too, keep their bounds and their order."""
    frames = [b"", b"a", b"b" * 70_000, b"", b"c" * MAX_FRAME, b"d"]
    async with lines() as (one, two):
        for frame in frames:
            one.write(frame)
        assert [await asyncio.wait_for(two.read(), 5) for _ in frames] == frames


async def test_reader_that_stops_holds_up_the_writer():
    """When nobody reads, drain waits, and no more than about a frame is kept here."""
    async with lines() as (one, two):

        async def send():
            for _ in range(64):
                one.write(bytes(MAX_FRAME))
                await one.drain()

        sending = asyncio.create_task(send())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(sending), 1)
        assert len(two._buffer) < 2 * MAX_FRAME
        for _ in range(64):
            assert len(await asyncio.wait_for(two.read(), 5)) == MAX_FRAME
        await sending


async def test_end_wakes_reader_and_writer():
    """When the other side closes, a read that waits ends, and so does a drain."""
    async with lines() as (one, two):
        reading = asyncio.create_task(one.read())
        await asyncio.sleep(0)
        two.close()
        with pytest.raises(LineLost):
            await asyncio.wait_for(reading, 5)
        with pytest.raises(LineLost):
            await one.drain()


async def test_frames_before_the_end_are_read():
    """What the other side said before it closed is not lost."""
    async with lines() as (one, two):
        two.write(b"last words")
        two.close()
        await asyncio.wait_for(asyncio.shield(one.lost), 5)
        assert await one.read() == b"last words"
        with pytest.raises(LineLost):
            await one.read()


async def test_trust_lets_large_frames_in():
    """A frame that is too large for a stranger and waits already is read after trust."""
    async with lines(trusted=False) as (one, two):
        one.write(b"hello")
        one.write(b"x" * (10 * MAX_STRANGE))
        assert await asyncio.wait_for(two.read(), 5) == b"hello"
        two.trust()
        assert await asyncio.wait_for(two.read(), 5) == b"x" * (10 * MAX_STRANGE)


async def test_cancelled_read_loses_nothing():
    """After a read that was cancelled the next one gives the next frame."""
    async with lines() as (one, two):
        reading = asyncio.create_task(two.read())
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        one.write(b"frame")
        assert await asyncio.wait_for(two.read(), 5) == b"frame"
