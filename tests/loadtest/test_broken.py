"""A server that does wrong is caught, and only in what it does wrong."""

from __future__ import annotations

import asyncio

import pytest
import socketio

from tests.loadtest.command import scenario

FAULTS = {"drop": "lost", "duplicate": "duplicated", "reorder": "reordered", "leak": "leaked"}
LIMITS = {
    "lost": "max-loss",
    "duplicated": "max-duplicates",
    "reordered": "max-reordered",
    "leaked": "max-leaked",
}


@pytest.fixture(scope="module")
def runs(broken, tmp_path_factory):
    """One run for each fault, at the same time."""
    folder = tmp_path_factory.mktemp("broken")
    given = ("--rooms", "1", "--rate", "10", "--quiet", "4")
    started = {
        fault: scenario(folder / fault, "skip", broken, *given, "--namespace", f"/{fault}", seconds=8)
        for fault in FAULTS
    }
    return {fault: run.result(code=1) for fault, run in started.items()}


async def faults(url: str, namespace: str) -> list[int]:
    """How many faults the server says it has made there, and how many messages it still holds back."""
    async with socketio.AsyncSimpleClient() as client:
        await client.connect(url, namespace=namespace, transports=["websocket"])
        return await client.call("faults")


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_caught(broken, runs, fault):
    """The verdict counts exactly what the server did wrong, nothing else, and its limit fails the run."""
    made, held = asyncio.run(faults(broken, f"/{fault}"))
    figure = FAULTS[fault]
    expected = dict.fromkeys(FAULTS.values(), 0)
    expected[figure] = made - held
    expected["lost"] += held
    verdict = runs[fault]["verdict"]
    assert made > 5
    assert {name: verdict[name] for name in expected} == expected
    failed = {row["name"] for row in runs[fault]["thresholds"] if not row["ok"]}
    assert failed == {LIMITS[name] for name, count in expected.items() if count}
