"""What a client knows of a room from the events about presence, put together as a page would do it."""

from __future__ import annotations

import asyncio

from tests.harness import SECONDS


class View:
    """The presence in one room as a client sees it, and all that it was told.

    ``told`` has the events, ``gone`` the keys that were not there any more at some time.
    """

    def __init__(self, client, room):
        self.client = client
        self.room = room
        self.keys = None
        self.told = []
        self.gone = set()
        self._pieces = {}
        self._early = []

    async def shows(self, expected, seconds=SECONDS):
        """Wait until the client knows just these keys with these metas; their order does not matter."""
        async with asyncio.timeout(seconds):
            while self.metas != {key: sorted(metas, key=repr) for key, metas in expected.items()}:
                self.take(*await self.client.next_any(seconds))

    async def keys_are(self, *keys, seconds=SECONDS):
        """Wait until the client knows just these keys."""
        async with asyncio.timeout(seconds):
            while self.keys is None or self.keys.keys() != set(keys):
                self.take(*await self.client.next_any(seconds))

    async def has(self, count, seconds):
        """Wait until the client knows so many keys."""
        async with asyncio.timeout(seconds):
            while self.keys is None or len(self.keys) != count:
                self.take(*await self.client.next_any(seconds))

    def drain(self):
        """Take what has come already."""
        while not self.client.events.empty():
            self.take(*self.client.events.get_nowait())

    @property
    def metas(self):
        if self.keys is None:
            return None
        return {key: sorted(refs.values(), key=repr) for key, refs in self.keys.items()}

    def take(self, event, args):
        if event not in ("presence_state", "presence_diff") or args[0]["room"] != self.room:
            return
        data = args[0]
        self.told.append((event, data))
        if event == "presence_state":
            self._pieces |= {key: _refs(metas) for key, metas in data["state"].items()}
            if not data["more"]:
                self.keys, self._pieces = self._pieces, {}
                for diff in self._early:
                    self._apply(diff)
        elif self.keys is None or self._pieces:
            self._early.append(data)
        else:
            self._apply(data)

    def _apply(self, diff):
        for key, metas in diff["joins"].items():
            self.keys.setdefault(key, {}).update(_refs(metas))
        for key, metas in diff["leaves"].items():
            for ref in _refs(metas):
                self.keys[key].pop(ref, None)
            if not self.keys[key]:
                self.gone.add(key)
                del self.keys[key]


async def lists(node, room, *keys, namespace=None):
    """Wait until a node lists just these keys: another node's change takes a moment to arrive."""
    async with asyncio.timeout(SECONDS):
        while (await node.manager.presence.list(room, namespace=namespace)).keys() != set(keys):  # noqa: ASYNC110 - it asks anew
            await asyncio.sleep(0.02)


def _refs(presence):
    return {
        meta["phx_ref"]: {name: value for name, value in meta.items() if name != "phx_ref"}
        for meta in presence["metas"]
    }
