"""python -m examples.client [URL]: without a URL it starts two nodes of its own."""

import argparse
import asyncio
import contextlib
import getpass
import socket
import sys
import threading

from socketio.exceptions import ConnectionError as NoConnection

from examples.client.console import Console

SERVE = ("socketio_cluster", "serve", "examples.client.app:app", "--workers", "2", "--log-level", "warning")


async def typed():
    """The lines of standard input, read in a thread: a terminal cannot be awaited everywhere."""
    lines, loop = asyncio.Queue(), asyncio.get_running_loop()

    def read():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            for line in sys.stdin:
                loop.call_soon_threadsafe(lines.put_nowait, line.strip())
            loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line


@contextlib.asynccontextmanager
async def two_nodes():
    """Start two nodes on a free port; gives their URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *SERVE, "--port", str(port)), stdin=asyncio.subprocess.DEVNULL
    )
    try:
        await opened(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.terminate()
        await server.wait()


async def opened(port, server):
    """Wait until the port is open; ends this program when its server has ended."""
    while server.returncode is None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.1)
    sys.exit("* the nodes did not start")


async def main(url, name, seconds):
    async with contextlib.AsyncExitStack() as stack:
        if url is None:
            url = await stack.enter_async_context(two_nodes())
            print(f"* others join with: python -m examples.client {url} --name Ben", flush=True)
        console = Console(name, lambda line: print(line, flush=True), seconds)
        await console.run(url, typed())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.client", description=__doc__)
    parser.add_argument("url", nargs="?", help="where a node serves examples.client.app:app")
    parser.add_argument("--name", default=getpass.getuser(), help="what others call you")
    parser.add_argument("--seconds", type=float, default=10, help="how often to look who is there")
    options = parser.parse_args()
    try:
        asyncio.run(main(options.url, options.name, options.seconds))
    except NoConnection:
        sys.exit("* the server does not let you in")
    except KeyboardInterrupt:
        sys.exit(130)
