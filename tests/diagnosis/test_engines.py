"""Engines that people write: those that are right are not blamed, in the others the line is named.

The first line of each broken one says the kind of its mistake, and the line.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diagnosing import recorded, verdicts
from stepgrad.checking.result import judge
from stepgrad.diagnosis.rules.judgement import judgement

ENGINES = Path(__file__).parents[1] / "foreign"
HEALTHY = sorted((ENGINES / "healthy").glob("*.py"))
BROKEN = sorted((ENGINES / "broken").glob("*.py"))
MISUSED = {"gradients_kept": "not_cleared"}
"""Engines that are right and used wrongly, with the verdict on that."""


@pytest.mark.parametrize("path", HEALTHY, ids=lambda path: path.stem)
def test_an_engine_that_is_right_is_not_blamed(path: Path) -> None:
    recording = recorded(path)
    assert "engine" not in [each.name for each in verdicts(recording)]
    assert not judge(path.name, recording).failed
    found = judgement(recording)
    if found is not None and found.passes:
        assert re.match(r"\d+ gradient writes in \d+ backward pass(es)? agree", found.agrees)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_the_first_complaint_is_the_mistake(path: Path) -> None:
    said = re.match(r"# (.*), line (\d+): ", path.read_text())
    assert said is not None
    kind, line = said.groups()
    recording = recorded(path)
    first, *_ = verdicts(recording)
    assert first.name == MISUSED.get(path.stem, "engine")
    assert f"{path.name}:{line}" in first.lines(recording)
    if path.stem not in MISUSED:
        found = judgement(recording)
        assert found is not None
        assert found.faults[0].kind == kind
        assert judge(path.name, recording).failed
