"""A note names parameters that are made again for each update."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnosing import recorded, verdicts
from stepgrad.diagnosis import diagnose

PROGRAM = """
from random import Random
from stepgrad import MLP, SGD

random = Random(0)
{before}
for step in range(6):
    {inside}
    optimizer = SGD(model.parameters(), learning_rate=0.1)
    loss = sum((model([x])[0] - x) ** 2 for x in (0.2, 0.6))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    {after}
"""

MAKE = "model = MLP.drawn([1, 2, 1], ['tanh', 'linear'], random)"


@pytest.mark.parametrize(
    ("before", "inside", "after", "noted"),
    [
        ("", MAKE, "print(loss.data)", True),
        (MAKE, "", "", False),
        (MAKE, "model = model", "", False),
        ("", MAKE, "print(model([0.5])[0].data)", False),  # where each first step leads
        (MAKE, "if step % 2: " + MAKE, "", False),  # trained for two steps
    ],
)
def test_it_is_noted_where_nothing_uses_what_is_updated(
    before: str, inside: str, after: str, noted: bool, tmp_path: Path
) -> None:
    path = tmp_path / "train.py"
    path.write_text(PROGRAM.format(before=before, inside=inside or "pass", after=after or "pass"))
    recording = recorded(path)
    found = [each for each in diagnose(recording) if each.note and "made again" in each.text]
    assert bool(found) == noted
    assert not noted or "before each of 6 updates" in found[0].text
    assert not noted or found[0].lines(recording)
    assert verdicts(recording) == []
