"""The timeline: it fills its width, and a click is the inverse of a mark."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odd_runs import WIDTHS, at, odd_sessions, widths
from replay_runs import training, two_layer
from stepgrad import Recording, Value, mark, record
from stepgrad.replay.commands import moving, stopping
from stepgrad.replay.session import Session
from stepgrad.tui.render.timeline import position_at, stretches, timeline

TWO_LAYER, TRAINING = two_layer(), training()
LINES = {
    1: "◆",
    20: "fwd █████ bwd ██◆░░ ",
    40: "fwd ███████████████ bwd ███████◆░░░░░░░ ",
    80: "fwd ███████████████████████████████████ bwd ██████████████████◆░░░░░░░░░░░░░░░░ ",
}


@pytest.mark.parametrize("width", LINES)
def test_it_is_filled_as_far_as_the_cursor_has_come(width: int) -> None:
    assert timeline(moving.bookmark(at(TWO_LAYER, 20)), width).plain == LINES[width]


def test_stops_show_where_the_cursor_will_stand() -> None:
    session = stopping.toggle_stop(at(TWO_LAYER, 0).select(TWO_LAYER.first_named("h")), every=False)
    line = timeline(session, 80).plain
    assert line.count("●") == 2
    for column in (line.index("●"), line.rindex("●")):
        place = position_at(session.state, 80, column)
        assert place is not None
        there = stopping.run(session, forward=True)
        places = {there.cursor.position, stopping.run(there, forward=True).cursor.position}
        assert place in places


@pytest.mark.parametrize("condition", ["abs(grad) > 5", 'node == "h"', "position > 0", "value > 9"])
@pytest.mark.parametrize(
    ("recording", "width"), [(TWO_LAYER, 30), (TWO_LAYER, 80), (TWO_LAYER, 300), (TRAINING, 30)]
)
def test_where_a_condition_holds_is_shown(recording: Recording, condition: str, width: int) -> None:
    session = stopping.stop_where(at(recording, recording.length // 2), condition)
    [stop] = session.stops
    events = [event for block in recording.blocks for event in stop.matches(recording, block)]
    marked = {
        stretch.left + stretch.cell(event + 1)
        for stretch in stretches(session.state, width)
        for event in events
        if stretch.first <= event < stretch.last
    }
    line = timeline(session, width).plain
    assert {x for x, glyph in enumerate(line) if glyph == "●"} == marked


def test_in_a_long_step_a_condition_shows_where_a_search_has_been(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("stepgrad.tui.render.timeline.SCANNED", 10)
    session = stopping.stop_where(at(TWO_LAYER, 0), "grad < -5")
    assert "●" not in timeline(session, 80).plain
    found = stopping.run(session, forward=True)
    assert timeline(found, 80).plain.count("●") == 6
    assert timeline(stopping.stop_where(at(TWO_LAYER, 0), "grad < -5"), 80).plain.count("●") == 0


def test_in_training_it_shows_the_step_and_where_that_stands() -> None:
    line = timeline(at(TRAINING, TRAINING.length), 80).plain
    assert line.startswith("step ━━━━━━━━━━━━  fwd ")
    assert "░" not in line
    assert timeline(at(TRAINING, 0), 80).plain.startswith("step ────────────  fwd ░")


def many_passes(passes: int) -> Recording:
    with record() as recording:
        x = Value(1.0)
        mark("step", 1)
        for _ in range(passes):
            (x * 2).backward()
        mark("step", 2)
    return recording


def test_many_phases_lose_their_labels_and_then_their_borders() -> None:
    session = at(many_passes(20), 30)
    assert "fwd" not in timeline(session, 60).plain
    assert len(stretches(session.state, 60)) == 40
    assert len(stretches(session.state, 30)) == 1
    assert timeline(session, 30).cell_length == 30


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("recording", [TWO_LAYER, TRAINING, many_passes(20), Recording()])
def test_the_cells_add_up(recording: Recording, width: int) -> None:
    for position in range(0, recording.length + 1, 3):
        state = at(recording, position).state
        found = stretches(state, width)
        total = sum(len(each.label) + each.cells + len(each.gap) for each in found)
        assert total == (width if found else 0)
        assert all(each.cells > 0 for each in found)
        for one, next_one in pairwise(found):
            assert one.left + one.cells + len(one.gap) + len(next_one.label) == next_one.left
            assert one.last <= next_one.first


@given(st.integers(0, TRAINING.length), widths)
def test_a_click_lands_where_it_points(position: int, width: int) -> None:
    state = at(TRAINING, position).state
    for stretch in stretches(state, width):
        events = stretch.last - stretch.first
        for cell in range(stretch.cells):
            there = stretch.position(cell)
            assert stretch.first < there <= stretch.last
            if stretch.cells <= events:
                assert stretch.cell(there) == cell
        for there in range(stretch.first + 1, stretch.last + 1):
            assert 0 <= stretch.cell(there) < stretch.cells
            if stretch.cells >= events:
                assert stretch.position(stretch.cell(there)) == there


def test_beside_the_bars_a_click_means_nothing() -> None:
    state = at(TWO_LAYER, 5).state
    assert position_at(state, 80, 0) is None
    assert position_at(state, 80, 79) is None
    assert position_at(state, 80, 500) is None


@given(odd_sessions(), widths)
def test_it_is_never_wider_than_asked(session: Session, width: int) -> None:
    assert timeline(session, width).cell_length <= width
