"""The laws of moving."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import Program, programs, run
from replay_runs import training, two_layer
from stepgrad import SGD, Cursor, Recording, State, Value, record
from stepgrad.harness import Replay
from stepgrad.recording.blocks import Backward, Marked

TRAINING, TWO_LAYER = training(), two_layer()
recordings = pytest.mark.parametrize("recording", [TRAINING, TWO_LAYER], ids=["training", "once"])
positions = st.integers(0, TRAINING.length)


def recorded(program: Program) -> Recording:
    with record() as recording:
        run(program, [Value(0.5)])
    return recording


@given(positions, st.integers(-60, 60))
def test_a_step_there_and_back_is_none(position: int, events: int) -> None:
    cursor = Cursor(TRAINING, position)
    moved = cursor.step(events)
    if 0 <= position + events <= TRAINING.length:
        assert moved.position == position + events
        assert moved.step(-events) == cursor
    else:
        assert moved.position in (0, TRAINING.length)


@given(positions, st.integers())
def test_seek_is_clamped(position: int, there: int) -> None:
    assert Cursor(TRAINING, position).seek(there).position == min(max(0, there), TRAINING.length)


@pytest.mark.parametrize(
    "forward", [Cursor.step, Cursor.next_node, Cursor.phase_end, Cursor.next_step]
)
def test_no_move_leaves_the_end(forward) -> None:  # type: ignore[no-untyped-def]
    end = Cursor(TRAINING, TRAINING.length)
    assert forward(end) == end


@pytest.mark.parametrize("back", [Cursor.previous_node, Cursor.phase_start, Cursor.previous_step])
def test_no_move_leaves_the_start(back) -> None:  # type: ignore[no-untyped-def]
    assert back(Cursor(TRAINING)) == Cursor(TRAINING)


@given(programs())
def test_nodes_forward_and_back_visit_the_same_places(program: Program) -> None:
    recording = recorded(program)
    cursor, there = Cursor(recording), [0]
    while cursor.position < recording.length:
        cursor = cursor.next_node()
        there.append(cursor.position)
    back = [cursor.position]
    while cursor.position:
        cursor = cursor.previous_node()
        back.append(cursor.position)
    assert back[::-1] == there
    assert all(earlier < later for earlier, later in pairwise(there))


@given(programs())
def test_a_node_in_a_backward_pass_is_one_whose_gradient_is_complete(program: Program) -> None:
    recording = recorded(program)
    for block in recording.blocks:
        if not isinstance(block, Backward):
            continue
        end = block.start + block.length
        cursor, spoken_of = Cursor(recording, block.start + 1), []
        while cursor.position < end:
            cursor = cursor.next_node()
            focus = cursor.state.focus
            assert focus is not None
            spoken_of.append(focus)
            assert repr(cursor.state.grad(focus)) == repr(State(recording, end).grad(focus))
        paid = {event.focus for event in recording.events[block.start + 1 : end]}
        assert sorted(spoken_of) == sorted(each for each in paid if each is not None)


def test_both_operands_of_a_node_are_stopped_at() -> None:
    replay = Replay.of("dead_relu").press("f n n n")
    assert "a.grad – → −6" in replay.text
    assert "t.grad – → 6" in replay.press("n").text


@given(programs(), st.data())
def test_from_the_middle_of_a_node_too(program: Program, data: st.DataObject) -> None:
    recording = recorded(program)
    boundaries = {0}
    while max(boundaries) < recording.length:
        boundaries.add(Cursor(recording, max(boundaries)).next_node().position)
    position = data.draw(st.integers(0, recording.length))
    cursor = Cursor(recording, position)
    assert cursor.next_node().position == min(
        (b for b in boundaries if b > position), default=position
    )
    assert cursor.previous_node().position == max(
        (b for b in boundaries if b < position), default=position
    )


def phase_boundaries(recording: Recording) -> list[int]:
    """Where the phase of the blocks changes, marks apart."""
    found = {0, recording.length}
    blocks = [block for block in recording.blocks if block.length]
    for before, after in pairwise(blocks):
        if before.phase != after.phase and not isinstance(before, Marked):
            found.add(after.start)
    return sorted(found)


@recordings
def test_phases_end_where_they_change(recording: Recording) -> None:
    ends, cursor = [0], Cursor(recording)
    while cursor.position < recording.length:
        cursor = cursor.phase_end()
        ends.append(cursor.position)
    assert ends == phase_boundaries(recording)


@recordings
def test_phases_start_after_the_mark_that_opens_them(recording: Recording) -> None:
    starts, cursor = [], Cursor(recording, recording.length)
    while cursor.position:
        cursor = cursor.phase_start()
        starts.append(cursor.position)
    assert starts[::-1] == [
        after.start
        for before, after in pairwise([None, *recording.blocks])
        if after and after.phase != "mark" and (before is None or before.phase != after.phase)
    ]


@given(positions)
def test_from_within_a_phase_its_own_ends(position: int) -> None:
    cursor = Cursor(TRAINING, position)
    edges = phase_boundaries(TRAINING)
    assert cursor.phase_end().position == min((e for e in edges if e > position), default=position)
    assert cursor.phase_start().position <= position
    if position:
        assert cursor.phase_start().state.phase != cursor.state.phase


def test_next_step_is_the_same_place_in_the_next_step() -> None:
    first, second = TRAINING.steps[:2]
    cursor = Cursor(TRAINING, first + 5)
    assert cursor.next_step().position == second + 5
    assert cursor.next_step().previous_step() == cursor
    assert type(cursor.next_step().state.event) is type(cursor.state.event)


def test_steps_count_from_before_the_first_to_the_last() -> None:
    first, last = TRAINING.steps[0], TRAINING.steps[-1]
    assert Cursor(TRAINING, 1).next_step().position == first + 1
    assert Cursor(TRAINING, 1).previous_step().position == 1
    assert Cursor(TRAINING, first + 5).previous_step().position == first
    assert Cursor(TRAINING, last + 5).next_step().position == last + 5


def test_a_longer_step_is_left_at_the_end_of_a_shorter_one() -> None:
    w = Value(1.0)
    with record() as recording:
        (w * w * w * w).backward()
        (w * w).backward()
    second = recording.steps[1]
    assert Cursor(recording, second - 1).next_step().position == recording.length


def test_a_cursor_is_a_position_with_a_state() -> None:
    state = Cursor(TRAINING, 7).state
    assert (state.recording, state.position) == (TRAINING, 7)


def test_a_phase_of_several_blocks_may_end_the_recording() -> None:
    with record() as recording:
        w = Value(1.0)
        (w * w).backward()
        for _ in range(2):  # two optimizers
            SGD([w], 0.1).step()
    cursor = Cursor(recording, recording.length - 2)
    assert cursor.phase_end().position == recording.length
    assert cursor.phase_end().phase_start() == cursor


def test_the_same_point_is_counted_from_the_first_operation() -> None:
    with record() as recording:
        weights = [Value(0.1 * number) for number in range(5)]
        for _ in range(3):
            loss = (sum(weights, Value(1.0)) - 2) ** 2
            for weight in weights[:3]:
                weight.grad = 0.0
            loss.backward()
    computed = Cursor(recording).phase_end()
    assert computed.next_step() == computed.next_step().phase_start().phase_end()
    assert computed.next_step().next_step().previous_step().previous_step() == computed
