"""The laws of a recording: any position equals the plain fold, the last one equals the Values."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graphs import (
    OPERATIONS,
    Act,
    Call,
    Graph,
    Program,
    apply,
    graphs,
    programs,
    run,
    wild,
    writing_programs,
)
from reference import Fold, all_bits, bits, fold
from stepgrad import Recording, Value, mark, record
from stepgrad.engine.ops import ADD, MUL
from stepgrad.recording.blocks import Backward, Forward
from stepgrad.recording.events import Accumulate, Update
from tries import tries

old_numbers = st.lists(wild, min_size=1, max_size=3)


def assert_equals_the_fold(recording: Recording, positions: Sequence[int]) -> None:
    """Compare values and gradients with the fold, bit for bit, at these positions."""
    world = Fold()
    nodes = [i for i in range(recording.size) if not recording.node(i).constant]
    wanted = set(positions)
    for position, event in enumerate([None, *recording.events]):
        if event is not None:
            world.take(event)
        if position in wanted:
            history = recording.history
            told = [
                (bits(history.value(n, position)), bits(history.grad(n, position))) for n in nodes
            ]
            folded = [(bits(world.values.get(n)), bits(world.grads.get(n))) for n in nodes]
            assert told == folded, position


def assert_ends_with(recording: Recording, values: Sequence[Value]) -> None:
    """Compare the last position with what the Values hold; they are named by their place."""
    names = recording.names(recording.length)
    ours, theirs = [], []
    for place, value in enumerate(values):
        node = names.get(f"value{place}")
        if node is not None:
            ours += [recording.history.value(node, recording.length)]
            ours += [recording.history.grad(node, recording.length) or 0.0]
            theirs += [value.data, value.grad]
    assert all_bits(ours) == all_bits(theirs)


def check(program: Program, before: list[Value], during: Sequence[float]) -> None:
    with record() as recording:
        values = [*before, *(Value(number) for number in during)]
        run(program, values)
        for place, value in enumerate(values):
            value.label = f"value{place}"
    made = len(values) - len(before)
    assert sum(f"value{i}" in recording.names(recording.length) for i in range(len(values))) >= made
    assert_equals_the_fold(recording, range(recording.length + 1))
    assert_ends_with(recording, values)


@settings(max_examples=tries(150))
@given(programs(), old_numbers)
def test_any_program(program: Program, numbers: list[float]) -> None:
    check(program, [], numbers)


@given(writing_programs(), st.data())
def test_which_event_last_wrote_a_value(program: Program, data: st.DataObject) -> None:
    with record() as recording:
        run(program, [Value(1.5), Value(-2.0)])
    node = data.draw(st.integers(0, recording.size - 1))
    position = data.draw(st.integers(0, recording.length))
    written = recording.history.value_write(node, position)
    found = None if written is None else written[0].start + written[1]
    updates = (
        i
        for i, event in enumerate(recording.events[:position])
        if isinstance(event, Update) and event.node == node
    )
    assert found == max(updates, default=None)


@settings(max_examples=tries(150))
@given(programs(), old_numbers)
@example((Call(MUL, (1, 1)), Act("backward", 0, 0.0)), [1.0, 2.0])
def test_any_program_with_leaves_from_before(program: Program, numbers: list[float]) -> None:
    check(program, [Value(number) for number in numbers], [1.5])


@settings(max_examples=tries(150))
@given(programs(), graphs(size=4), st.booleans())
@example((Call(ADD, (0, 1)),), Graph((2.0,), (Call(ADD, (0, 0)),)), True)
def test_any_program_with_a_graph_from_before(
    program: Program, graph: Graph, differentiated: bool
) -> None:
    values = graph.build()
    if differentiated:
        values[-1].backward()
        for value in values:
            value.grad += 0.0  # no −0.0: see test_a_negative_zero_stays_one
    check(program, values, [])


@settings(max_examples=tries(60))
@given(graphs(wild), st.integers(2, 4), st.data())
def test_training_on_one_graph(graph: Graph, steps: int, data: st.DataObject) -> None:
    parameters = [Value(number) for number in graph.leaves]
    values: list[Value] = []
    with record() as recording:
        for _ in range(steps):
            for parameter in parameters:
                parameter.grad = 0
            values = graph.extend(parameters)
            values[-1].backward()
            for parameter in parameters:
                parameter.data -= 0.125 * parameter.grad
        for place, value in enumerate(values):
            value.label = f"value{place}"
    positions = data.draw(st.lists(st.integers(0, recording.length), min_size=5, max_size=5))
    assert_equals_the_fold(recording, positions)
    assert_ends_with(recording, values)


@given(graphs())
def test_contributions_add_up_and_are_the_formula(graph: Graph) -> None:
    with record() as recording:
        values = graph.build()
        values[-1].backward()
    world = fold(recording.events[: -recording.blocks[-1].length])
    for event in recording.events[-recording.blocks[-1].length :]:
        if isinstance(event, Accumulate):
            node = recording.node(event.out)
            operands = [recording.history.value(n, recording.length) for n in node.operands]
            local = node.op.local[event.slot](*operands, world.values[event.out])
            assert bits(event.local) == bits(local)
            carried = node.op.carry[event.slot](*operands, world.values[event.out], event.upstream)
            assert bits(event.contribution) == bits(carried)
            assert bits(event.before) == bits(world.grads.get(event.node))
            assert bits(event.after) == bits((event.before or 0.0) + event.contribution)
        world.take(event)


# Questions at single positions.


def test_values_and_gradients_are_none_before_they_are_there() -> None:
    with record() as recording:
        x = Value(2.0)
        (x * 3).backward()
    history = recording.history
    assert [history.value(0, k) for k in range(5)] == [None, 2.0, 2.0, 2.0, 2.0]
    assert [history.value(2, k) for k in range(5)] == [None, None, 6.0, 6.0, 6.0]
    assert [history.grad(0, k) for k in range(5)] == [None, None, None, None, 3.0]
    assert [history.grad(2, k) for k in range(5)] == [None, None, None, 1.0, 1.0]


def test_a_constant_comes_with_the_operation_that_uses_it() -> None:
    with record() as recording:
        Value(2.0) * 3
    assert [recording.history.value(1, k) for k in range(3)] == [None, None, 3.0]
    assert [recording.history.made_at(node) for node in range(3)] == [1, 2, 2]
    assert recording.node(1).constant


def test_a_gradient_of_the_middle_is_none_again_in_the_next_pass() -> None:
    with record() as recording:
        x = Value(2.0)
        y = x * x
        z = y + 1
        z.backward()
        z.backward()
    second = recording.blocks[-1].start
    y_node = 1
    assert recording.history.grad(y_node, second) == 1.0
    assert recording.history.grad(y_node, second + 1) is None
    assert recording.history.grad(y_node, second + 2) == 1.0


def test_the_local_derivative_is_that_of_the_values_the_pass_saw() -> None:
    with record() as recording:
        w, x = Value(2.0), Value(3.0)
        y = w * x
        w.data = 10.0
        y.backward()
        w.data = 20.0
        y.backward()
    to_x = [e.local for e in recording.events if isinstance(e, Accumulate) and e.node == 1]
    assert to_x == [10.0, 20.0]


def test_not_a_number_and_infinity_are_kept() -> None:
    with record() as recording:
        x = Value(0.0)
        (x.log() * 0).backward()
    assert bits(recording.history.value(1, recording.length)) == bits(float("-inf"))
    assert bits(recording.history.grad(0, recording.length)) == bits(float("nan"))


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
@given(a=wild, b=wild)
def test_every_operation_is_logged_as_it_was_computed(op, a: float, b: float) -> None:  # type: ignore[no-untyped-def]
    with record() as recording:
        operands = [Value(x) for x in [a, b][: len(op.partials)]]
        out = apply(op, *operands)
        out.backward()
    end = recording.length
    grads = [recording.history.grad(i, end) for i in range(len(operands))]
    assert bits(recording.history.value(len(operands), end)) == bits(out.data)
    assert all_bits(grads) == all_bits(operand.grad for operand in operands)
    assert recording.node(len(operands)).op is op


@pytest.mark.parametrize("factor", [1.0, 0.0])
def test_a_negative_zero_stays_one(factor: float) -> None:
    with record() as recording:
        p = Value(1.0)
        p.grad *= -1  # 0.0 becomes −0.0, as in a loop that flips or clips gradients
        (p * -0.0 * factor).backward()
    assert_equals_the_fold(recording, range(recording.length + 1))
    assert bits(recording.history.grad(0, recording.length)) == bits(p.grad)


def test_a_negative_zero_stays_one_on_the_way() -> None:
    with record() as recording:
        p = Value(1.0)
        p.grad *= -1
        (p * -0.0 + p * -0.0 + p).backward()
    for positions in (range(recording.length + 1), [recording.length - 1]):
        assert_equals_the_fold(recording, positions)


def test_sums_on_the_way_do_not_depend_on_what_was_asked_before() -> None:
    with record() as recording:
        x = Value(3.0)
        (x * x + x * 2.0 + x).backward()
        (x * x).backward()
    asked = [recording.history.grad(0, k) for k in reversed(range(recording.length + 1))]
    assert asked[::-1] == [recording.history.grad(0, k) for k in range(recording.length + 1)]
    assert_equals_the_fold(recording, range(recording.length + 1))


def test_what_one_node_is_made_of_is_found_without_all_that_its_pass_uses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with record() as recording:
        weights = [Value(float(n)) for n in range(5)]
        sum(weights, Value(0.0)).backward()
        total = weights[3] * weights[1]
        total.backward()
    monkeypatch.setattr(Forward, "outer", property(lambda _: pytest.fail("asks for all")))
    assert recording.operation(recording.size - 1) == (MUL, [3, 1])


def test_two_threads_may_ask_at_once() -> None:
    with record() as recording:
        x = Value(3.0)
        for _ in range(300):
            (x * x).backward()
    ends = [b.start + b.length for b in recording.blocks if isinstance(b, Backward)]

    def ask(_: int) -> list[float | None]:
        return [recording.history.grad(0, end) for end in ends]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))
    assert answers == [[6.0 * (k + 1) for k in range(300)]] * 8


def test_what_no_pass_reaches_is_looked_for_in_none() -> None:
    with record() as recording:
        _, w = Value(1.0), Value(2.0)
        mark("begin")
        for _ in range(3):
            (w * 3.0).backward()
    history, end = recording.history, recording.length
    assert (history.grad(0, end), history.grad(1, end)) == (None, w.grad)
    assert not history.index.gradient_blocks(0, base=0)
    assert len(history.index.gradient_blocks(1, base=0)) == 3


def test_the_last_block_of_a_growing_log_is_another_each_time() -> None:
    with record() as recording:
        x = Value(2.0)
        (x * 3).backward()
        last = recording.history.block_at(1_000)
        (x * 4).backward()
        assert recording.history.block_at(1_000) > last
