"""Redis for the tests: one server, a master with a sentinel, a cluster of three."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from tests.services.process import free_port, program, wait_for_port
from tests.services.service import Service

RESP2_ONLY = ("--rename-command", "HELLO", "")
"""Options with which a server does not know RESP3, as some that are not Redis."""


class RedisServer(Service):
    """One redis-server on loopback that keeps nothing on disk."""

    def __init__(self, folder: Path, *options: str, port: int | None = None):
        self.folder = folder
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._options = options

    def start(self):
        """Start, or start again on the same port."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / "redis.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [program("redis-server", package="redis-server"), *self._arguments()],
                stdout=output,
                stderr=output,
            )
        wait_for_port(self.port, self._process, log)

    def ask(self, *words: str) -> bytes:
        """Send one command and give the first bytes of the reply."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as sock:
            sock.sendall(b"*%d\r\n" % len(words))
            sock.sendall(b"".join(b"$%d\r\n%b\r\n" % (len(word), word.encode()) for word in words))
            return sock.recv(65536)

    def demote(self, primary: RedisServer):
        """Make it a replica, as Sentinel does: its clients are cut off in the same step."""
        words = ("MULTI", f"REPLICAOF 127.0.0.1 {primary.port}")
        words += ("CLIENT KILL TYPE normal", "CLIENT KILL TYPE pubsub", "EXEC", "QUIT")
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as sock:
            sock.sendall("".join(f"{each}\r\n" for each in words).encode())
            while sock.recv(65536):
                pass

    def until(self, wanted: bytes, *words: str, seconds: float = 20):
        """Ask again and again until the reply contains the wanted bytes."""
        deadline = time.monotonic() + seconds
        while wanted not in (reply := self.ask(*words)):
            if time.monotonic() > deadline:
                raise RuntimeError(f"redis at {self.port} did not come to {wanted!r}: {reply!r}")
            time.sleep(0.05)

    def _arguments(self) -> list[str]:
        settings = {"bind": "127.0.0.1", "port": str(self.port), "save": "", "appendonly": "no"}
        settings["dir"] = str(self.folder)
        return [word for name, value in settings.items() for word in (f"--{name}", value)] + list(
            self._options
        )


class Sentinel(RedisServer):
    """One redis-sentinel that watches one master, alone (quorum 1)."""

    def __init__(self, folder: Path, master: RedisServer):
        super().__init__(folder)
        self._master = master

    def _arguments(self) -> list[str]:
        config = self.folder / "sentinel.conf"
        config.write_text(
            f"port {self.port}\nbind 127.0.0.1\ndir {self.folder}\n"
            f"sentinel monitor main 127.0.0.1 {self._master.port} 1\n"
            "sentinel down-after-milliseconds main 500\n"
            "sentinel failover-timeout main 3000\n"
        )
        return [str(config), "--sentinel"]


class RedisSentinel:
    """A master, its replica, and a sentinel that promotes the replica when the master dies."""

    def __init__(self, folder: Path):
        self.master = RedisServer(folder / "master", "--repl-diskless-sync-delay", "0")
        self.replica = RedisServer(folder / "replica", "--replicaof", f"127.0.0.1 {self.master.port}")
        self.sentinel = Sentinel(folder / "sentinel", self.master)
        self.url = f"redis+sentinel://127.0.0.1:{self.sentinel.port}/0/main"

    def __enter__(self):
        with ExitStack() as stack:
            stack.enter_context(self.master)
            stack.enter_context(self.replica)
            self.replica.until(b"master_link_status:up", "INFO", "replication")
            # A sentinel learns of replicas from the master's INFO, at first and then every 10 s.
            stack.enter_context(self.sentinel)
            self.sentinel.until(str(self.replica.port).encode(), "SENTINEL", "REPLICAS", "main")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()


class RedisCluster:
    """Three masters that share the slots."""

    SLOTS = ((0, 5460), (5461, 10922), (10923, 16383))

    def __init__(self, folder: Path):
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
        self.nodes = [RedisServer(folder / str(i), *options, port=free_port()) for i in range(3)]
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def __enter__(self):
        with ExitStack() as stack:
            for node in self.nodes:
                stack.enter_context(node)
            for node, (first, last) in zip(self.nodes, self.SLOTS, strict=True):
                node.ask("CLUSTER", "ADDSLOTSRANGE", str(first), str(last))
                node.ask("CLUSTER", "MEET", "127.0.0.1", str(self.nodes[0].port))
            for node in self.nodes:
                node.until(b"cluster_state:ok", "CLUSTER", "INFO")
                node.until(b"cluster_known_nodes:3", "CLUSTER", "INFO")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def owner(self, slot: int) -> RedisServer:
        """The node that has this slot."""
        return next(
            node for node, (first, last) in zip(self.nodes, self.SLOTS, strict=True) if first <= slot <= last
        )

    def move(self, slot: int, source: RedisServer, target: RedisServer):
        """Give a slot to another node, as an operator who rebalances the cluster does."""
        identity = target.ask("CLUSTER", "MYID").split(b"\r\n")[1].decode()
        for node in (target, source, *self.nodes):
            node.ask("CLUSTER", "SETSLOT", str(slot), "NODE", identity)


class RedisShards:
    """Several plain servers, over which the rooms of one cluster of nodes are spread."""

    def __init__(self, folder: Path, count: int = 3):
        self.servers = [RedisServer(folder / str(i)) for i in range(count)]
        self.url = "redis://" + ",".join(f"127.0.0.1:{server.port}" for server in self.servers) + "/0"

    def __enter__(self):
        with ExitStack() as stack:
            for server in self.servers:
                stack.enter_context(server)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()
