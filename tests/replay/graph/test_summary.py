"""The summary of a folded scope, against the gradients of its nodes one by one."""

from __future__ import annotations

from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import Program, programs, run
from replay_runs import training, two_layer
from stepgrad import Recording, Value, record
from stepgrad.recording.blocks import Backward
from stepgrad.replay.gradients.ledger import latest_pass
from stepgrad.replay.graph.outline import ScopeLine
from stepgrad.replay.graph.summary import Summary, never_reached, summary
from stepgrad.replay.state import State
from tries import tries


def to_come(state: State, node: int) -> bool:
    """Whether the pass that is under way still has something to add to a node's gradient."""
    block = latest_pass(state.recording, state.position)
    if block is None or state.position >= block.start + block.length:
        return False
    return any(
        getattr(event, "node", None) == node
        for event in state.recording.events[state.position : block.start + block.length]
    )


def one_by_one(state: State, line: ScopeLine) -> Summary:
    grads = {node: state.grad(node) for node in line.nodes if not to_come(state, node)}
    return Summary.of(grad for grad in grads.values() if grad is not None)


def check(recording: Recording, position: int, data: st.DataObject | None = None) -> None:
    state = State(recording, position)
    nodes = list(state.scene)
    if data is not None and nodes:
        nodes = sorted(data.draw(st.sets(st.sampled_from(nodes), min_size=1)))
    line = ScopeLine("s", nodes)
    assert repr(summary(state, line)) == repr(one_by_one(state, line)), position
    assert never_reached(state, line) == sum(map(state.never_reached, nodes)), position


@settings(max_examples=tries(200), deadline=None)
@given(programs(), st.data())
def test_a_summary_is_that_of_its_gradients(program: Program, data: st.DataObject) -> None:
    with record() as recording:
        run(program, [Value(1.5, label="a"), Value(-2.0)])
    check(recording, data.draw(st.integers(0, recording.length)), data)


def test_at_every_position_of_a_training() -> None:
    for recording in (training(3), two_layer()):
        for position in range(recording.length + 1):
            check(recording, position)


def test_the_parts_of_a_summary() -> None:
    assert Summary.of([]) == Summary(0, inf, -inf, 0, 0)
    told = Summary.of([-4.0, 0.0, float("nan"), 1e-3, inf])
    assert told == Summary(complete=5, low=0.0, high=inf, zeros=1, broken=1)
    assert Summary.of([2.0]) + Summary.of([-3.0]) == Summary.of([2.0, 3.0])


def test_a_second_pass_begins_anew() -> None:
    with record() as recording:
        x = Value(3.0)
        y = x * 2.0
        y.backward()
        y.backward()
    passes = [block for block in recording.blocks if isinstance(block, Backward)]
    line = ScopeLine("s", [0, recording.size - 1])
    told = [summary(State(recording, position), line).complete for position in range(7)]
    assert len(passes) == 2
    assert told == [0, 0, 0, 1, 2, 1, 2]
