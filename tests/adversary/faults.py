"""The faults that befall a run, drawn with its seed."""

from __future__ import annotations

import asyncio

FAULTS = ("cut", "cut all", "restart the bus", "freeze the bus", "freeze a node", "kill a node")


class Faults:
    """Does one fault after the other.

    Args:
        run: the run; its ``bus`` and its ``nodes``.
        dice: draws what happens.
    """

    def __init__(self, run, dice):
        self._run = run
        self._dice = dice
        self.done = 0

    async def one(self):
        """Do a fault, and return when it is over; a killed node has been replaced."""
        kind = self._dice.choice(FAULTS)
        seconds = self._dice.uniform(0.2, 4)
        node = self._dice.choice(self._run.nodes)
        print(f"{kind} ({node.name}, {seconds:.1f} s)", flush=True)
        bus = self._run.bus
        match kind:
            case "cut":
                node.wire.cut()
            case "cut all":
                for each in self._run.nodes:
                    each.wire.cut()
            case "restart the bus":
                await asyncio.to_thread(bus.stop)
                await asyncio.sleep(seconds)
                await asyncio.to_thread(bus.start)
            case "freeze the bus":
                bus.pause()
                await asyncio.sleep(seconds)
                bus.resume()
            case "freeze a node":
                node.pause()
                await asyncio.sleep(seconds)
                node.resume()
            case "kill a node":
                await self._run.replace(node)
        self.done += 1
        await asyncio.sleep(self._dice.uniform(0.2, 3))
