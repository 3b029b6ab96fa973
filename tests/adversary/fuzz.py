"""Coverage-guided fuzzing: ``python -m tests.adversary.fuzz [TARGET ...] --seconds 60``.

Each target of ``targets.py`` runs in a process of its own for so long, as many at a time as there are cores,
starting from its files in ``corpus/``. What makes one fail is written to ``findings/``: mend it, and keep the
file in the corpus.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
FINDINGS = HERE / "findings"
LONGEST = 4096
"""Bytes of an input: what is longer is slower and finds no more here."""


def fuzz(target: str, seconds: float) -> int:
    """Fuzz one target; returns the exit status of its process, 0 when nothing was found."""
    FINDINGS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as learnt:
        options = [
            f"-max_total_time={max(1, round(seconds))}",
            f"-max_len={LONGEST}",
            "-timeout=10",
            "-rss_limit_mb=1024",
            f"-artifact_prefix={FINDINGS / target}-",
            "-print_final_stats=1",
        ]
        command = [sys.executable, "-m", "tests.adversary.fuzz", "--only", target, *options]
        folders = [learnt, str(CORPUS / target)]
        return subprocess.run([*command, *folders], cwd=HERE.parents[1], check=False).returncode


def run(target: str, options: list[str]) -> None:
    """Be the process of a target."""
    import atheris

    with atheris.instrument_imports(include=["socketio_cluster", "tests.adversary.targets"]):
        from tests.adversary.targets import TARGETS

    atheris.Setup([sys.argv[0], *options], TARGETS[target])
    atheris.Fuzz()


def main() -> int:
    """Fuzz the targets that were named, or all."""
    if sys.argv[1:2] == ["--only"]:
        run(sys.argv[2], sys.argv[3:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", default=sorted(each.name for each in CORPUS.iterdir()))
    parser.add_argument("--seconds", type=float, default=60, help="for each target")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count(), help="targets at a time (default: one a core)"
    )
    given = parser.parse_args()
    with ThreadPoolExecutor(given.jobs) as pool:
        codes = list(pool.map(lambda target: fuzz(target, given.seconds), given.targets))
    failed = [target for target, code in zip(given.targets, codes, strict=True) if code]
    print(f"failed: {', '.join(failed)}: see {FINDINGS}" if failed else "nothing was found")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
