"""The header: what it says, and what goes first where it is narrow."""

from dataclasses import replace

import pytest
from hypothesis import given

from odd_runs import WIDTHS, at, odd_names, odd_sessions, widths
from replay_runs import training, two_layer
from stepgrad.harness import Replay
from stepgrad.replay.session import Progress, Session
from stepgrad.tui.render.header import header

TWO_LAYER, TRAINING = two_layer(), training()
LAST = TRAINING.length - 10
KEYS = {"stop_recording": ("R",), "verdicts": ("!",)}

HEADERS = {
    1: " ",
    12: " event 20/26",
    20: " event 20/26        ",
    30: " ◀ BACKWARD  event 20/26      ",
    40: " ◀ BACKWARD  event 20/26          L = 4 ",
    60: " two_layer.yaml  ◀ BACKWARD  event 20/26              L = 4 ",
    80: " two_layer.yaml  ◀ BACKWARD  event 20/26        L = 4   matches 4 of 6 expected ",
}


@pytest.mark.parametrize("width", HEADERS)
def test_what_has_no_room_goes(width: int) -> None:
    assert header(at(TWO_LAYER, 20), "two_layer.yaml", (4, 6), width).plain == HEADERS[width]


def test_a_training_step_has_a_number() -> None:
    assert header(at(TRAINING, LAST), "neuron", (0, 0), 80).plain == (
        " neuron  ◀ BACKWARD  event 60/70  step 4                       loss = 0.0249879 "
    )


def test_before_anything_has_happened() -> None:
    assert header(at(TWO_LAYER, 0), "n", (0, 2), 40).plain == (
        " n  event 0/26           matches 0 of 2 "
    )


GROWING = {
    40: " ◀ BACKWARD  event 20/26                ",
    56: " ◀ BACKWARD  event 20/26  L = 4  recording 45%  R stops ",
    60: " ◀ BACKWARD  event 20/26      L = 4  recording 45%  R stops ",
    72: " two_layer.yaml  ◀ BACKWARD  event 20/26  L = 4  recording 45%  R stops ",
    90: " two_layer.yaml  ◀ BACKWARD  event 20/26   L = 4   matches 4 of 6 "
    " recording 45%  R stops ",
    110: " two_layer.yaml  ◀ BACKWARD  event 20/26     L = 4   "
    "matches 4 of 6   ━━━━━━━───────── recording 45%  R stops ",
}


@pytest.mark.parametrize("width", GROWING)
def test_how_much_of_a_recording_is_there(width: int) -> None:
    session = replace(at(TWO_LAYER, 20), progress=Progress(0.459))
    assert header(session, "two_layer.yaml", (4, 6), width, keys=KEYS).plain == GROWING[width]


def test_that_numbers_were_edited_is_seen_as_long_as_they_are() -> None:
    session = replace(at(TWO_LAYER, 20), edits=(("x", 2.0),))
    assert header(session, "two_layer.yaml", (4, 6), 80).plain == (
        " two_layer.yaml  ◀ BACKWARD  event 20/26  edited x = 2                    L = 4 "
    )
    assert header(session, "two_layer.yaml", (4, 6), 70).plain == (
        " two_layer.yaml  ◀ BACKWARD  event 20/26  edited x = 2          L = 4 "
    )
    assert header(session, "two_layer.yaml", (4, 6), 34).plain == (
        " ◀ BACKWARD  event 20/26  edited  "
    )


def test_a_recording_that_was_stopped_says_so() -> None:
    session = replace(at(TWO_LAYER, 20), progress=Progress(0.999, stopped=True))
    line = header(session, "two_layer.yaml", (4, 6), 90, keys=KEYS).plain
    assert line.endswith("matches 4 of 6 expected  stopped at 99% ")


ALARMED = {
    36: " ◀ BACKWARD  event 20/26        ⚠ 2 ",
    44: " ◀ BACKWARD  event 20/26        L = 4   ⚠ 2 ",
    70: " two_layer.yaml  ◀ BACKWARD  event 20/26         L = 4   ⚠ 2  ! shows ",
    88: " two_layer.yaml  ◀ BACKWARD  event 20/26          L = 4   matches 4 of 6   ⚠ 2  ! shows ",
}


@pytest.mark.parametrize("width", ALARMED)
def test_how_much_is_wrong(width: int) -> None:
    line = header(at(TWO_LAYER, 20), "two_layer.yaml", (4, 6), width, keys=KEYS, verdicts=2)
    assert line.plain == ALARMED[width]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_long_name_leaves_room_for_the_place(width: int) -> None:
    line = header(at(TWO_LAYER, 20), "x" * 300, (6, 6), width)
    assert line.cell_length == width
    assert width < 20 or "event 20/26" in line.plain


@given(odd_sessions(), odd_names, widths)
def test_it_is_as_wide_as_asked(session: Session, name: str, width: int) -> None:
    line = header(session, name, (1, 2), width)
    assert line.cell_length == width
    assert line.plain.isprintable()


def test_the_bug_of_a_world_is_named_and_may_come_with_edits() -> None:
    replay = Replay.of("two_layer").press("'%shut h'")
    told = header(replay.session, "two_layer", (3, 11), 100).plain
    assert "bug: shut h" in told
    assert "matches 3 of 11" in told, "a promise that is broken is what the bug does"
    edited = header(replay.press("'ex = 2'").session, "two_layer", (3, 11), 110).plain
    assert "edited x = 2, bug: shut h" in edited


def test_the_title_of_a_lesson_stays_at_every_event_and_says_that_it_is_cut() -> None:
    title = "Backpropagation through two layers"
    for position in range(TWO_LAYER.length + 1):
        line = header(at(TWO_LAYER, position), "two_layer.yaml", (4, 6), 80, title=title).plain
        assert line.startswith(" Backpropagatio"), line
        assert f" {title} " in line or "… " in line
        assert "matches 4 of 6 expected" in line
    assert header(at(TWO_LAYER, 20), "two_layer.yaml", (4, 6), 66, title=title).plain.startswith(
        " two_layer.yaml "
    ), "not enough of it to know it by"
