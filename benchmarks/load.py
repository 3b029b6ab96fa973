"""Runs the load generator."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from benchmarks.build import compile_c
from benchmarks.errors import Failed
from benchmarks.nodes import Nodes

SECONDS = 180


def run_load(nodes: Nodes, targets: int, options: dict[str, str], *, doomed: bool) -> dict[str, Any]:
    """Let clients connect to the first ``targets`` nodes; gives the figures that load.c prints.

    The last node is killed while it runs, if it is doomed; its processes then are not measured.
    Raises Failed when it ends without figures.
    """
    given = {
        "nodes": ",".join(map(str, nodes.ports[:targets])),
        "pids": ",".join(map(str, nodes.pids(0, -1 if doomed else None))),
        "victims": ",".join(map(str, nodes.pids(-1))) if doomed else "",
        **options,
    }
    program = compile_c("load", "load")
    try:
        done = subprocess.run(
            [str(program), *(f"{key}={value}" for key, value in given.items())],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"the load did not end within {SECONDS} s") from None
    if done.returncode:
        why = done.stderr.strip() or f"the load ended with code {done.returncode}"
        raise Failed(f"{why}\n{nodes.words()}".strip())
    figures: dict[str, Any] = json.loads(done.stdout)
    if figures["expected"] and not figures["deliveries"]:
        raise Failed(f"nothing was delivered\n{nodes.words()}".strip())
    return figures
