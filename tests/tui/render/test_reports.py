"""Answers that take more than a line."""

from collections.abc import Mapping
from math import inf, nan

import pytest

from stepgrad import Cursor, Value, record
from stepgrad.recording.recording import Recording
from stepgrad.replay.session import Session
from stepgrad.tui.render.reports import difference_report


def session(x: float, position: int) -> Session:
    """A program of one input, and nothing else."""

    def program(edits: Mapping[str, float]) -> Recording:
        with record() as recording:
            Value(edits.get("x", x), label="x")
        return recording

    return Session(Cursor(program({})).seek(position), program=program)


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
    row = difference_report(session(before, 1).edit(f"x = {after!r}")).plain.splitlines()[1]
    assert row.split()[:4] == ["x", *told.split()]


def test_where_an_edit_shows_nothing_yet_the_report_says_where_it_will() -> None:
    assert difference_report(session(2.0, 0).edit("x = 3")).plain == (
        "No number is another by this position: go on with s."
    )
    assert (
        difference_report(session(2.0, 1).edit("x = 2")).plain
        == "No number is another by this position."
    )
