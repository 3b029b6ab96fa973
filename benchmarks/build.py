"""Builds what is not Python, at its first use, in a cache folder outside the project."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.errors import Failed, Missing

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "socketio-cluster"


def need(program: str) -> str:
    """Give the path of a program; Missing when it is not installed."""
    path = shutil.which(program)
    if path is None:
        raise Missing(f"no {program}")
    return path


def compile_c(source: str, name: str) -> Path:
    """Compile the C files of a folder in this one, unless that was done after their last change."""
    compiler, target, folder = need("cc"), CACHE / name, HERE / source
    if not target.exists() or target.stat().st_mtime < max(path.stat().st_mtime for path in folder.iterdir()):
        _run([compiler, "-O2", "-o", str(target), *map(str, sorted(folder.glob("*.c")))])
    return target


def install_node() -> Path:
    """Install the packages of the Node.js server; gives its program."""
    folder = HERE / "servers/node"
    done = folder / "node_modules/.package-lock.json"  # npm writes it when it has finished
    if not done.exists() or done.stat().st_mtime < (folder / "package-lock.json").stat().st_mtime:
        _run([need("npm"), "ci", "--silent", "--prefix", str(folder)])
    return folder / "server.js"


def build_rust() -> Path:
    """Build the Rust server; the first time takes a minute or two."""
    manifest = HERE / "servers/rust/Cargo.toml"
    target = CACHE / "rust"
    command = [need("cargo"), "build", "--quiet", "--locked", "--release", "--manifest-path", str(manifest)]
    _run([*command, "--target-dir", str(target)])
    return target / "release/benchmark-server"


def _run(command: list[str]) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
