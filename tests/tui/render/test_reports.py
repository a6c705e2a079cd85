"""Answers that take more than a line."""

import re
from collections.abc import Mapping
from dataclasses import replace
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest
from textual.content import Content

from diagnosing import recorded
from mistakes import MISTAKES
from stepgrad import Cursor, Value, record
from stepgrad.engine.world import World
from stepgrad.harness import Replay
from stepgrad.plain.reports import verdicts_told
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.editing import edit
from stepgrad.replay.program import Program
from stepgrad.replay.session import Session
from stepgrad.tui.render.listing import Line, Listing, verdicts_report
from stepgrad.tui.render.reports import difference_report, paths_report


def session(x: float, position: int) -> Session:
    """A program of one input, and nothing else."""

    def program(edits: Mapping[str, Any], _: World | None = None) -> Recording:
        with record() as recording:
            Value(edits.get("x", x), label="x")
        return recording

    return Session(Cursor(program({})).seek(position), program=Program(program))


def test_a_program_without_edits_is_not_told_to_make_one() -> None:
    program = Session(session(3.0, 1).cursor)
    assert difference_report(program).plain.startswith("only a scenario can run again: ")
    assert difference_report(session(3.0, 1)).plain == "There are no edits: e makes one."


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (49.0, 49.028004, "49 → 49.028 +0.028004"),
        (3.0, 3.0000001, "3 → 3.0000001 +0.0000001"),
        (-0.0012345678, 5e-324, "−0.00123457 → ~0 +0.00123457"),
        (0.1, 0.1 + 0.2, "0.1 → 0.3 +0.2"),
        (0.3, 0.1 + 0.2, "0.29999999999999999 → 0.30000000000000004 +5.55112e−17"),
        (inf, nan, "inf → !nan nan"),
    ],
)
def test_what_a_nudge_changes_is_told_and_by_how_much(
    before: float, after: float, told: str
) -> None:
    row = difference_report(edit(session(before, 1), f"x = {after!r}")).plain.splitlines()[1]
    assert row.split() == ["x", *told.split(), "–"]


def test_where_an_edit_shows_nothing_yet_the_report_says_where_it_will() -> None:
    assert difference_report(edit(session(2.0, 0), "x = 3")).plain == (
        "Nothing differs yet. The first difference is at event 1: x is 2 before and 3 now."
    )
    heedless = Session(
        session(2.0, 1).cursor, program=Program(lambda _edits, _world: session(2.0, 1).recording)
    )
    assert (
        difference_report(edit(heedless, "x = 3")).plain
        == "Nothing differs: every event is the same."
    )


def test_where_the_screen_is_narrow_the_numbers_stay_and_the_end_of_a_name() -> None:
    replay = Replay.of("xor_relu_stuck").press("G 'elayer1/neuron1/w1 = 0.7312345'")
    *whole, _, first = difference_report(replay.session).plain.splitlines()
    *narrow, _, same = difference_report(replay.session, width=75).plain.splitlines()
    assert same == first
    assert max(map(len, whole)) > max(map(len, narrow)) == 75
    for full, cut in zip(whole[1:], narrow[1:], strict=True):
        name, *numbers = full.split()
        end, *fewer = cut.split()
        assert name.endswith(end.removeprefix("…"))
        assert end.rpartition("/")[2] == name.rpartition("/")[2]
        by = [number for number in numbers if number not in fewer]
        assert len(by) <= 1, "only by how much is left out"


@pytest.mark.parametrize(
    ("name", "keys", "told"),
    [
        (
            "reused_twice",
            "",
            "c is not computed yet. Press f for the end of the forward pass, "
            "select a there, and press x again.",
        ),
        ("reused_twice", "f /a", "4 paths lead from a to c; dc/da = 4"),
        ("reused_twice", "f s /a", "4 paths lead from a to c; dc/da = 4"),
        ("reused_twice", "f", "c is the output itself: dc/dc = 1."),
        ("forgotten_zero_grad", "G", "L is the output itself: dL/dL = 1."),
        ("forgotten_zero_grad", "':step 1' f /w", "one path leads from w to L; dL/dw = −4.8"),
        ("forgotten_zero_grad", "':step 1' f f f /w", "one path leads from w to L; dL/dw = −4.8"),
        ("forward_and_reverse", "f /x", "one path leads from x to L; dL/dx = 70"),
        ("disconnected_parameter", "G /w", "No path leads from w to L."),
    ],
)
def test_paths_are_told_as_soon_as_the_output_is_made(name: str, keys: str, told: str) -> None:
    assert paths_report(Replay.of(name).press(keys).session).plain.splitlines()[0] == told


def test_a_long_path_is_told_without_its_middle_and_factors_of_1() -> None:
    report = paths_report(Replay.of("vanishing_gradient").press("f /x").session).plain
    assert report.splitlines()[1].strip() == (
        "9.53674e−7 = 0.25¹⁰  x → w1·x → … 27 more … → w10·h9 − 0.5 → L"
    )


def test_where_nothing_is_differentiated_there_are_no_paths() -> None:
    assert paths_report(session(2.0, 1)).plain == (
        "No paths: there is no backward pass here, so there is no output."
    )


def test_what_forward_mode_makes_of_an_edit_are_tangents() -> None:
    replay = Replay.of("forward_and_reverse").press(":6 'ey = 7'")
    assert [row.split() for row in difference_report(replay.session).plain.splitlines()] == [
        ["value", "change", "tangent"],
        *(["y", "5", "→", "7", "+2", "0"], ["u", "10", "→", "14", "+4", "5", "→", "7"]),
        ["s", "7", "→", "11", "+4", "5", "→", "7"],
        [],
        [
            "The",
            "first",
            "difference",
            "is",
            "at",
            "event",
            "3:",
            "y",
            "is",
            "5",
            "before",
            "and",
            "7",
            "now.",
        ],
    ]


def test_what_a_bug_changes_is_told_with_the_first_event_that_it_changes() -> None:
    replay = Replay.of("sum_over_paths").press("G %overwrite")
    lines = difference_report(replay.session).plain.splitlines()
    assert [line.rstrip() for line in lines] == [
        "   value  change  gradient",
        "h  1.5            15 → 12",
        "",
        "The first difference is at event 13: "
        "dL/dh is 15 before and 12 now: now, a contribution replaces what was there.",
    ]


def test_a_shut_gate_is_shown_wherever_it_is_in_a_long_path() -> None:
    with record() as recording:
        x = Value(1.0, label="x")
        node = x
        for i in range(12):
            node = node * (2.0 + i)
            if i == 5:
                gate = (-node).relu()
                gate.label = "gate"
                node = gate
        node.label = "L"
        node.backward()
    text = paths_report(Session(Cursor(recording, recording.length), 0)).plain
    line = text.splitlines()[2]
    assert re.search(r"= 2·3·… \d+ more …·0·… \d+ more …·12·13  ", line), line
    assert " → gate → " in line


def test_the_factors_are_in_the_order_of_the_path() -> None:
    with record() as recording:
        x = node = Value(1.0, label="x")
        for i in range(8):
            node = node * (2.0 if i % 2 else 3.0)
        node.label = "L"
        node.backward()
    assert x.grad == 1296.0
    line = paths_report(Session(Cursor(recording, recording.length), 0)).plain.splitlines()[1]
    assert "1296 = 3·2·3·2·3·2·3·2  " in line


def test_where_every_path_is_shut_it_says_at_which_edges() -> None:
    with record() as recording:
        x, w = Value(1.0, label="x"), Value(2.0, label="w")
        h1, h2 = (x - 3).relu(), (x * -1).relu()
        h1.label, h2.label = "h1", "h2"
        loss = h1 + h2 + w
        loss.label = "L"
        loss.backward()
    session = Session(Cursor(recording, recording.length), 0)
    lines = paths_report(session).plain.splitlines()
    assert lines[1] == "every path is shut, at 2 edges: ∂h2/∂(x·(−1)) = ∂h1/∂(x − 3) = 0"
    open_ = paths_report(replace(session, selected=1)).plain
    assert "shut" not in open_


def test_what_wraps_goes_on_below_the_text_and_not_below_its_place() -> None:
    line = Line(Content("  event 14  one two three four five"), indent=12)
    assert line.wrapped(34).plain == "  event 14  one two three four\n            five"
    assert line.wrapped(99).plain == line.text.plain
    assert max(len(row) for row in line.wrapped(20).plain.split("\n")) <= 20, "no room to indent"


def test_a_verdict_has_the_line_to_blame_where_its_event_has_another(tmp_path: Path) -> None:
    """What is wrong is written where all gradients are, and stated in the class of -."""
    wrong = Session(Cursor(recorded(MISTAKES["functions_sign"].planted(tmp_path))))
    report = verdicts_report(wrong)
    assert isinstance(report, Listing)
    head = report.lines[0].text.plain
    assert head.startswith("⚠ engine, functions_sign.py:32: the rule of u − a adds")
    assert "verdict engine, line 32 of functions sign.py: the rule" in [*verdicts_told(wrong)][1]


def expected(keys: str) -> list[Line]:
    """What the report says about the values that a scenario expects."""
    report = verdicts_report(Replay.of("two_layer").press(keys).session)
    assert isinstance(report, Listing)
    texts = [line.text.plain for line in report.lines]
    heads = [i for i, text in enumerate(texts) if text.startswith("matches")]
    return [*report.lines][heads[0] :] if heads else []


def test_expected_values_are_listed_with_what_became_of_them() -> None:
    head, *lines = expected("f")
    assert head.text.plain == "matches 4 of 11 expected"
    assert [line.text.plain for line in lines[3:5]] == [
        "  ✓ loss = 4",
        "  · y.grad = −4, not reached yet",
    ]
    assert [line.position for line in lines[3:5]] == [13, None]
    wrong = [line.text.plain for line in expected("'%shut h' G") if "✗" in line.text.plain]
    assert "  ✗ z1.grad = −8, but it is 0" in wrong


def test_after_an_edit_nothing_is_expected() -> None:
    report = verdicts_report(Replay.of("two_layer").press("'ex = 2'").session)
    assert "expected" not in report.plain
