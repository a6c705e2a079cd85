"""A note names parameters that receive gradients and that nothing updates."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnosing import recorded, verdicts
from stepgrad.diagnosis import diagnose
from stepgrad.replay.telling.titles import title

PROGRAM = """
from stepgrad import Value

class Unit:
    def __init__(self, start):
        self.w = Value(start)
        self.b = Value(0.25)

w, b = Value(0.3, label="w"), Value(0.1, label="b")
x = Value(2.0, label="x")
rows = [Value(1.0, label="y"), Value(0.5, label="z")]
unit = Unit(0.7)
params = {params}
for step in range(6):
    for p in {cleared}:
        p.grad = 0.0
    loss = (unit.w * (w * x + b).tanh() + unit.b - rows[0] - rows[1]) ** 2
    loss.label = "loss"
    loss.backward()
    for p in params:
        p.data -= 0.05 * p.grad
"""

ALL = "[w, b, unit.w, unit.b]"


@pytest.mark.parametrize(
    ("params", "cleared", "named"),
    [
        ("[w, unit.w, unit.b]", "params", ["b"]),  # made on the line of w
        ("[w, b, unit.w]", "params", ["unit.b"]),  # by the same constructor
        ("[w, b]", ALL, ["unit.w", "unit.b"]),  # cleared with them
        ("[w, b]", "params", []),
        (ALL, "params", []),
    ],
)
def test_what_is_like_a_parameter_and_stays_is_named(
    params: str, cleared: str, named: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "train.py"
    path.write_text(PROGRAM.format(params=params, cleared=cleared))
    recording = recorded(path)
    assert not verdicts(recording)
    notes = [each for each in diagnose(recording) if each.name == "wrong_parameters"]
    assert [title(recording, node) for each in notes for node in each.nodes] == named
