"""The ledger of a gradient: what it received adds up to it."""

from hypothesis import given
from hypothesis import strategies as st

from graphs import Graph, Program, graphs, run, writing_programs
from reference import Fold, bits
from stepgrad import Recording, State, Value, record
from stepgrad.recording.events import Accumulate, Seed, SetGrad, ZeroGrad
from stepgrad.replay.gradients.ledger import (
    Contribution,
    contributions,
    last_write,
    latest_pass,
    left_over,
    written_over,
)


@given(graphs(), st.data())
def test_contributions_are_the_events_and_add_up(graph: Graph, data: st.DataObject) -> None:
    with record() as recording:
        graph.build()[-1].backward()
    position = data.draw(st.integers(0, recording.length))
    for node in range(recording.size):
        if recording.node(node).constant:
            continue
        received = list(contributions(recording, node, position))
        events = [
            (k, e.out, e.slot, bits(e.contribution))
            for k, e in enumerate(recording.events[:position], 1)
            if isinstance(e, Accumulate) and e.node == node
        ]
        assert [(c.position, c.out, c.slot, bits(c.amount)) for c in received] == events
        if received:
            total = 0.0
            for each in received:
                total += each.amount
            assert bits(State(recording, position).grad(node)) == bits(total)


def test_only_the_latest_pass_counts() -> None:
    with record() as recording:
        x = Value(3.0)
        (x * 2).backward()
        (x * 5).backward()
    assert list(contributions(recording, 0, recording.length)) == [
        Contribution(recording.length, 4, 0, 1.0, 5.0, 5.0)
    ]


def test_what_an_earlier_pass_left_is_told_where_it_was_not_cleared() -> None:
    with record() as recording:
        x = Value(3.0)
        (x * 2).backward()
        first = recording.length
        (x * 5).backward()
        second = recording.length
        x.grad = 0.0
        (x * 7).backward()
    assert left_over(recording, 0, first) is None
    assert left_over(recording, 0, second) == 2.0
    assert left_over(recording, 0, recording.length) is None


def test_what_wrote_over_what_was_received() -> None:
    with record() as recording:
        x = Value(3.0)
        (x * 2).backward()
        written = recording.length
        x.grad = 1.0
        y = x * 5
        y.backward()
    assert written_over(recording, 0, written) is None
    assert written_over(recording, 0, written + 1) == written
    assert written_over(recording, 0, recording.length) is None


@given(graphs(), st.integers(2, 3), st.data())
def test_what_was_left_and_what_was_received_make_the_gradient(
    graph: Graph, passes: int, data: st.DataObject
) -> None:
    with record() as recording:
        root = graph.build()[-1]
        for _ in range(passes):
            root.backward()
    position = data.draw(st.integers(0, recording.length))
    for node in range(recording.size):
        received = [] if recording.node(node).constant else contributions(recording, node, position)
        if received:
            total = left_over(recording, node, position) or 0.0
            for each in received:
                total += each.amount
            assert bits(State(recording, position).grad(node)) == bits(total)


def listed(recording: Recording, node: int, position: int) -> float | None:
    """What the ledger of a gradient adds up to, as the engine adds."""
    written = written_over(recording, node, position)
    received = contributions(recording, node, position)
    if written is not None:
        event = recording.events[written]
        assert isinstance(event, ZeroGrad | SetGrad)
        assert (event.node, written < position, len(received)) == (node, True, 0)
        return event.after
    latest = last_write(recording, node, position)
    seeded = latest is not None and isinstance(recording.events[latest], Seed)
    if not received and not seeded:
        return None
    left = left_over(recording, node, position)
    total = 0.0 if left is None else left
    for amount in [1.0] if seeded and not received else [c.amount for c in received]:
        total += amount
    return total


@given(writing_programs())
def test_whatever_is_written_the_ledger_adds_up_to_the_gradient_at_every_event(
    program: Program,
) -> None:
    with record() as recording:
        run(program, [Value(0.5), Value(-2.0), Value(3.0)])
    world = Fold()
    for position, event in enumerate([None, *recording.events]):
        if event is not None:
            world.take(event)
        for node in world.values:
            shown = bits(State(recording, position).grad(node))
            assert shown == bits(world.grads.get(node)) == bits(listed(recording, node, position))


def test_a_loop_that_updates_and_clears_each_parameter_in_turn() -> None:
    with record() as recording:
        ps = [Value(1.0, label="w"), Value(2.0, label="b")]
        for _ in range(2):
            (ps[0] * 3 + ps[1]).backward()
            for p in ps:
                p.data -= 0.1 * p.grad
                p.grad = 0
    updated = recording.length - 3
    assert written_over(recording, 0, updated) is None
    assert [c.amount for c in contributions(recording, 0, updated)] == [3.0]


def test_a_pass_that_has_begun_and_not_reached_a_leaf_has_not_written_it() -> None:
    with record() as recording:
        x = Value(3.0)
        (x * 2).backward()
        first = list(contributions(recording, 0, recording.length))
        (x * 5).tanh().backward()
    seeded = recording.length - 2
    assert list(contributions(recording, 0, seeded)) == first
    assert left_over(recording, 0, seeded) is None


def test_what_is_not_reached_received_nothing() -> None:
    with record() as recording:
        idle, x = Value(1.0), Value(3.0)
        idle * x
        (x * 2).backward()
    assert list(contributions(recording, 0, recording.length)) == []


def test_before_the_first_pass_there_is_none() -> None:
    with record() as recording:
        (Value(3.0) * 2).backward()
    assert latest_pass(recording, 2) is None
    assert list(contributions(recording, 0, 2)) == []
    assert latest_pass(recording, 3) is recording.blocks[-1]


@given(graphs(), st.data())
def test_the_last_write_is_the_last_event_that_wrote(graph: Graph, data: st.DataObject) -> None:
    with record() as recording:
        values = graph.build()
        values[-1].backward()
        values[0].grad = 2.0
        values[-1].backward()
    before = data.draw(st.integers(0, recording.length))
    for node in range(recording.size):
        if recording.node(node).constant:
            continue
        wrote = [
            index
            for index, event in enumerate(recording.events[:before])
            if isinstance(event, Accumulate | Seed | SetGrad) and event.node == node
        ]
        assert last_write(recording, node, before) == (wrote[-1] if wrote else None)
