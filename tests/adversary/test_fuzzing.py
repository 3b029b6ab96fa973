"""The fuzzing's targets take their corpus, and the fuzzer finds its way into them."""

from __future__ import annotations

import importlib.util

import pytest

from tests.adversary.fuzz import CORPUS, fuzz
from tests.adversary.targets import TARGETS


def test_every_target_has_a_corpus():
    """Each target starts from something, and each corpus has a target."""
    assert {folder.name for folder in CORPUS.iterdir() if any(folder.iterdir())} == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_corpus(target):
    """What is in the corpus, findings of the past too, passes."""
    for file in sorted((CORPUS / target).iterdir()):
        TARGETS[target](file.read_bytes())


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="no wheel for this Python")
def test_fuzz():
    """Some seconds of fuzzing find nothing; `.ci/run` takes a minute for each target."""
    assert fuzz("payload", 2) == 0
