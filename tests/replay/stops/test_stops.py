"""Where a replay stops: every stop against a scan of the events."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import Program, programs, run
from replay_runs import training
from stepgrad import Recording, Value, record
from stepgrad.progress import Cancelled, watching
from stepgrad.recording import events
from stepgrad.replay.stops.language import Condition
from stepgrad.replay.stops.stop import NodeStop, Stop, find, reason
from tries import tries

conditions = st.sampled_from(["grad > 0.5", 'op == "mul"', "not value < 1", "position > 0"])


def recorded(program: Program) -> Recording:
    with record() as recording:
        run(program, [Value(1.5), Value(-2.0)])
    return recording


@settings(max_examples=tries(150))
@given(programs(), st.lists(conditions, max_size=2), st.data())
def test_find_is_a_scan(program: Program, wanted: Sequence[str], data: st.DataObject) -> None:
    recording = recorded(program)
    nodes = [n for n in range(recording.size) if not recording.node(n).constant]
    stops: list[Stop] = [Condition(text) for text in wanted]
    for node in data.draw(st.lists(st.sampled_from(nodes), max_size=2)):
        stops.append(NodeStop.at(recording, node, every=data.draw(st.booleans())))
    reasons = {
        event: stop
        for block in recording.blocks
        for stop in reversed(stops)
        for event in stop.matches(recording, block)
    }
    start = data.draw(st.integers(0, recording.length))
    ahead = min((i for i in reasons if i >= start), default=None)
    behind = max((i for i in reasons if i < start), default=None)
    for forward, index in ((True, ahead), (False, behind)):
        found = find(recording, stops, start, forward=forward)
        assert found == (None if index is None else (index, reasons[index]))
    for index in range(recording.length):
        assert reason(recording, stops, index) == reasons.get(index)


def test_in_an_empty_recording_there_is_nothing_to_find() -> None:
    for forward in (True, False):
        assert find(Recording(), [Condition("position > 0")], 0, forward=forward) is None


@given(programs(), st.data())
def test_a_watch_stops_at_every_event_about_its_node(program: Program, data: st.DataObject) -> None:
    with record() as recording:
        run(program, [Value(1.5), Value(-2.0)])
    nodes = [n for n in range(recording.size) if not recording.node(n).constant]
    node = data.draw(st.sampled_from(nodes))
    watch = NodeStop.at(recording, node, every=True)
    met = {event for block in recording.blocks for event in watch.matches(recording, block)}
    # The seed shows for a root alone; for others it is not a change of theirs.
    about = {i for i, e in enumerate(recording.events) if e.focus == node}
    others = {i for i in met - about if not watch.covers(recording, recording.events[i].focus or 0)}
    assert about <= met
    assert not others


def test_a_pass_back_to_an_earlier_node_is_met_beside_later_nodes_like_it() -> None:
    with record() as recording:
        a, _ = Value(1.5), Value(-2.0)
        a.backward()
        Value(1.0), Value(2.0)  # made as the two before were
        a.backward()
    for every in (True, False):
        watch = NodeStop.at(recording, 0, every=every)
        met = {event for block in recording.blocks for event in watch.matches(recording, block)}
        assert {2, 5} <= met


def stops_of(recording: Recording, stop: Stop) -> list[events.Event]:
    found = [
        recording.events[event]
        for block in recording.blocks
        for event in stop.matches(recording, block)
    ]
    assert found
    return found


@pytest.mark.parametrize("step", [0, 2])
def test_a_stop_in_training_is_met_at_its_like_in_every_step(step: int) -> None:
    recording = training()
    losses = [n for n in range(recording.size) if recording.node(n).name == "loss"]
    stop = NodeStop.at(recording, losses[step])
    assert [e.focus for e in stops_of(recording, stop)] == [n for n in losses for _ in range(2)]
    assert all(stop.covers(recording, loss) for loss in losses)
    assert not stop.covers(recording, losses[0] - 1)


def test_the_first_step_of_a_plain_loop_has_its_likes_too() -> None:
    """It makes the parameters as well, so its pass has another shape than those to come."""
    with record() as recording:
        w = Value(0.5, label="w")
        for _ in range(3):
            loss = (w * 2 - 1) ** 2
            loss.label = "loss"
            loss.backward()
            w.data -= 0.1 * w.grad
    first = recording.first_named("loss")
    made = [e for e in stops_of(recording, NodeStop.at(recording, first)) if e.phase == "forward"]
    assert len(made) == 3
    w_stops = stops_of(recording, NodeStop.at(recording, 0))
    assert [e.phase for e in w_stops] == ["forward", "backward", "backward", "backward"]


def test_a_stop_without_a_watch_leaves_writes_alone() -> None:
    recording = training(2)
    w = recording.first_named("neuron/w")
    phases = [e.phase for e in stops_of(recording, NodeStop.at(recording, w))]
    assert phases == ["forward", "backward", "backward"]
    watched = {e.phase for e in stops_of(recording, NodeStop.at(recording, w, every=True))}
    assert watched == {"forward", "backward", "update", "zero"}


def test_a_search_says_how_far_it_is_and_can_be_cancelled() -> None:
    recording = training(3)
    never, told = [Condition("position < 0")], list[float]()
    for forward in (True, False):
        told.clear()
        with watching(told.append):
            find(recording, never, recording.length // 2, forward=forward)
        assert told == sorted(told)
        assert told[0] == 0.0
        assert 0.5 < told[-1] <= 1.0

    def unwanted(part: float) -> None:
        if part > 0.5:
            raise Cancelled

    with watching(unwanted), pytest.raises(Cancelled):
        find(recording, never, 0, forward=True)
