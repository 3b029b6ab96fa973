"""Compiles the files named `_*.c` into a wheel or an editable install, where there is a C compiler.

Without one the package works the same, slower. `CLUSTER_COMPILED=off` in the environment leaves it out.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDERS = ("cluster", "manager")


class Compile(BuildHookInterface[Any]):
    """hatchling's hook."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before hatchling collects the files: beside the source for an editable install."""
        self.scratch = Path(tempfile.mkdtemp())
        if self.target_name != "wheel":
            return
        made = {}
        reason = obstacle()
        for source in [] if reason else sources(Path(self.root)):
            folder = source.parent if version == "editable" else self.scratch
            target = folder / f"{source.stem}{sysconfig.get_config_var('EXT_SUFFIX')}"
            reason = compile_into(target, source) or reason
            made[str(target)] = f"socketio_cluster/{source.parent.relative_to(self.root)}/{target.name}"
        if reason is not None:
            self.app.display_warning(f"events are not compiled: {reason}. The node works the same, slower.")
        elif version != "editable":
            build_data["force_include"] |= made
            build_data["pure_python"], build_data["infer_tag"] = False, True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what has been made, which is in the wheel now."""
        shutil.rmtree(self.scratch)


def sources(root: Path) -> list[Path]:
    """Return the files that each make one module."""
    return sorted(path for folder in FOLDERS for path in (root / folder).rglob("_*.c"))


def obstacle() -> str | None:
    """Return why nothing can be compiled here; None when it can."""
    if os.environ.get("CLUSTER_COMPILED") == "off":
        return "CLUSTER_COMPILED is off"
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "this Python is not CPython with its global lock"
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return "the headers of Python are not installed"
    return None if shutil.which(_compiler()[0]) else "there is no C compiler"


def compile_into(target: Path, source: Path) -> str | None:
    """Compile a source into a library; return what has gone wrong, or None."""
    beside = target.with_name(f"{target.name}.new")  # processes that run have the old file
    flags = ["-O2", "-DNDEBUG", "-fPIC", "-fno-strict-aliasing", f"-I{sysconfig.get_path('include')}"]
    command = [*_compiler(), *flags, "-o", str(beside), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"{shlex.join(command)} failed:\n{done.stderr}"
    beside.replace(target)
    return None


def _compiler() -> list[str]:
    """Return the command that makes shared libraries, as Python was built, or with the compiler in `CC`."""
    command = shlex.split(sysconfig.get_config_var("LDSHARED") or "cc -shared")
    if "CC" in os.environ:
        return [*shlex.split(os.environ["CC"]), *command[1:]]
    return command if shutil.which(command[0]) else ["cc", *command[1:]]
