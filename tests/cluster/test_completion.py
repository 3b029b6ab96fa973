"""What `completion` prints is what a shell needs to complete the command line."""

from __future__ import annotations

import subprocess

import pytest

from tests.cluster.command import run

ASK = """
eval "$SCRIPT"
COMP_WORDS=({words}) COMP_CWORD={last}
_shtab_socketio_cluster socketio-cluster {word} "" >/dev/null
echo "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def script():
    """The script for bash."""
    return run("completion", "bash").stdout


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("socketio-cluster", "se"), {"serve"}),
        (
            ("socketio-cluster", "serve", "--reload-"),
            {"--reload-dir", "--reload-include", "--reload-exclude"},
        ),
        (("socketio-cluster", "hub", "--so"), {"--socket"}),
        (("socketio-cluster", "completion", "z"), {"zsh"}),
    ],
)
def test_bash_completes(words, offered, script):
    """Bash offers commands, the options of a command and the choices of an argument."""
    ask = ASK.format(words=" ".join(words), last=len(words) - 1, word=words[-1])
    done = subprocess.run(
        ["bash", "--norc", "-c", ask], env={"SCRIPT": script}, capture_output=True, text=True, timeout=30
    )
    assert set(done.stdout.split()) == offered, done.stderr


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_get_a_script(shell):
    """It names the command and its options."""
    done = run("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert "socketio-cluster" in done.stdout
    assert "reload-exclude" in done.stdout
