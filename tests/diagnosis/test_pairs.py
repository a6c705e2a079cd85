"""Each verdict is given on the run that has the bug, and on none that nearly has it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from diagnosing import PAIRS, recorded, verdicts
from stepgrad.diagnosis import QUESTIONS, bookkeeping
from stepgrad.diagnosis.numbers import finite
from stepgrad.diagnosis.rules import pytorch
from stepgrad.diagnosis.steps import descent

FILES = sorted(path for path in PAIRS.iterdir() if path.suffix in (".yaml", ".py"))
NAMES = [question.name for question in QUESTIONS]


def about(path: Path) -> str:
    """The verdict that a file of a pair is about."""
    return re.sub(r"(_near)?(_\d+)?$", "", path.stem)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_found_where_it_is_and_only_there_with_evidence_to_jump_to(path: Path) -> None:
    if about(path) == pytorch.NAME:
        pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    recording = recorded(path)
    found = verdicts(recording)
    assert [each.name for each in found] == ([] if "_near" in path.stem else [about(path)])
    for verdict in found:
        assert verdict.events
        assert not verdict.text.endswith(".")
        assert verdict.advice.endswith(".")
        assert all(0 < position <= recording.length for position in verdict.events)
        assert all(0 <= node < recording.size for node in verdict.nodes)
        assert verdict.lines(recording)


@pytest.mark.parametrize("causes", [bookkeeping.NAMES, descent.CAUSES, finite.CAUSES])
def test_the_causes_of_a_consequence_are_verdicts(causes: Sequence[str]) -> None:
    assert {*causes} <= {*NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_it_has_a_pair(name: str) -> None:
    stems = [path.stem for path in FILES if about(path) == name]
    assert any("_near" in stem for stem in stems)
    assert any("_near" not in stem for stem in stems)
