"""Emitters in other processes."""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextlib
import functools
import os
import sys
import textwrap
from pathlib import Path

import socketio_cluster


class Puppet:
    """An ``Emitter`` in another process, with the methods of an ``AsyncEmitter``."""

    def __init__(self, process):
        self._process = process

    def __getattr__(self, method):
        return functools.partial(self._call, method)

    async def _call(self, method, *args, **kwargs):
        self._process.stdin.write(repr((method, args, kwargs)).encode() + b"\n")
        error, value = ast.literal_eval((await self._process.stdout.readline()).decode())
        if error:
            raise (getattr(socketio_cluster, error, None) or getattr(builtins, error))(value)
        return value


@contextlib.asynccontextmanager
async def puppet(url, **options):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.emitter.puppet", url, repr(options)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        yield Puppet(process)
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run(script, *args, **env):
    """Run a script in a process of its own; returns its output and its errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(script), *args),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | env,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output.decode(), errors.decode()
