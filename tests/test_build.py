"""A wheel has all that is in C compiled where there is a compiler, and is made without one too."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from socketio_cluster.manager.native.library import MODULES, SHORT, load

ROOT = Path(__file__).parents[1]


def build(folder, **variables):
    """Build a wheel; returns it and what was said."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    env = {**{name: value for name, value in os.environ.items() if name != "CLUSTER_COMPILED"}, **variables}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel, done.stdout + done.stderr


def libraries(wheel):
    """The compiled files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if name.endswith(".so")]


@pytest.mark.skipif(load(SHORT) is None, reason="nothing can be compiled here")
def test_with_a_compiler(tmp_path):
    """The wheel is for this platform, and what is in it can be imported."""
    wheel, _ = build(tmp_path)
    made = libraries(wheel)
    assert {name.partition(".")[0] for name in made} == {
        f"socketio_cluster/{module.replace('.', '/')}" for module in MODULES
    }
    assert not wheel.name.endswith("none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path, made)
    for name in made:
        module = Path(name).name.partition(".")[0]
        env = {**os.environ, "PYTHONPATH": str((tmp_path / name).parent)}
        command = [sys.executable, "-c", f"import {module}; print({module}.__file__)"]
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.stdout == f"{tmp_path / name}\n", done.stderr


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"CC": "/nowhere/cc"}, "there is no C compiler"),
        ({"CC": "false"}, "failed"),
        ({"CLUSTER_COMPILED": "off"}, "CLUSTER_COMPILED is off"),
    ],
    ids=["no compiler", "one that fails", "off"],
)
def test_without(tmp_path, variables, reason):
    """The wheel is for every platform, and a line says why."""
    wheel, said = build(tmp_path, **variables)
    assert libraries(wheel) == []
    assert wheel.name.endswith("-py3-none-any.whl")
    assert reason in said
    assert "works the same, slower" in said
