"""The header: what it says, and what goes first where it is narrow."""

import pytest
from hypothesis import given

from odd_runs import WIDTHS, at, odd_names, odd_sessions, widths
from replay_runs import training, two_layer
from stepgrad.replay.session import Session
from stepgrad.tui.render.header import header

TWO_LAYER, TRAINING = two_layer(), training()
LAST = TRAINING.length - 10

HEADERS = {
    1: " ",
    12: " event 20/26",
    20: " event 20/26        ",
    30: " ◀ BACKWARD  event 20/26      ",
    40: " two_layer.ya…  ◀ BACKWARD  event 20/26 ",
    60: " two_layer.yaml  ◀ BACKWARD  event 20/26         checks 4/6 ",
    80: " two_layer.yaml  ◀ BACKWARD  event 20/26                     L = 4   checks 4/6 ",
}


@pytest.mark.parametrize("width", HEADERS)
def test_what_has_no_room_goes(width: int) -> None:
    state = at(TWO_LAYER, 20).state
    assert header(state, "two_layer.yaml", 4, 6, width).plain == HEADERS[width]


def test_a_training_step_has_a_number() -> None:
    assert header(at(TRAINING, LAST).state, "neuron", 0, 0, 80).plain == (
        " neuron  ◀ BACKWARD  event 60/70  step 4                     loss = 0.0249879   "
    )


def test_before_anything_has_happened() -> None:
    assert header(at(TWO_LAYER, 0).state, "n", 0, 2, 40).plain == (
        " n  event 0/26               checks 0/2 "
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_a_long_name_leaves_room_for_the_place(width: int) -> None:
    line = header(at(TWO_LAYER, 20).state, "x" * 300, 6, 6, width)
    assert line.cell_length == width
    assert width < 20 or "event 20/26" in line.plain


@given(odd_sessions(), odd_names, widths)
def test_it_is_as_wide_as_asked(session: Session, name: str, width: int) -> None:
    line = header(session.state, name, 1, 2, width)
    assert line.cell_length == width
    assert line.plain.isprintable()
