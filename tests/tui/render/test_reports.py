"""Answers that take more than a line."""

from collections.abc import Mapping
from math import inf, nan

import pytest

from stepgrad import Cursor, Value, record
from stepgrad.recording.recording import Recording
from stepgrad.replay.session import Session
from stepgrad.tui.render.reports import difference_report


def edited(before: float, after: float) -> str:
    """The row of an input that was edited, and of nothing else."""

    def program(edits: Mapping[str, float]) -> Recording:
        with record() as recording:
            Value(edits.get("x", before), label="x")
        return recording

    session = Session(Cursor(program({})).seek(1), program=program)
    return difference_report(session.edit(f"x = {after!r}")).plain.splitlines()[1]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (49.0, 49.028004, "49 → 49.028004"),
        (3.0, 3.0000001, "3 → 3.0000001"),
        (-0.0012345678, 5e-324, "−0.00123457 → ~0"),
        (0.1, 0.1 + 0.2, "0.1 → 0.3"),
        (inf, nan, "inf → !nan"),
    ],
)
def test_what_a_nudge_changes_is_told_in_its_last_digits(
    before: float, after: float, told: str
) -> None:
    assert edited(before, after).split()[:4] == ["x", *told.split()]
