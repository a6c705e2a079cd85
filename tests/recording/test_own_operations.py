"""Operations that a program defines, in a recording."""

import math
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from graphs import Call, Graph, graphs, tame
from reference import all_bits
from stepgrad import SGD, Recording, Value, mark, op, record
from stepgrad.checking.ways import verify
from stepgrad.engine.dual import gradients, tangents
from stepgrad.engine.ops import Op
from stepgrad.recording.blocks import Backward, Forward
from stepgrad.recording.events import Accumulate
from stepgrad.recording.graph import graph_of
from stepgrad.recording.log import Node
from stepgrad.recording.store.packing import Damaged
from stepgrad.recording.store.shapes import Pieces, Shapes
from stepgrad.recording.store.write import describe
from tries import tries


@cache
def own(row: Op) -> Callable[..., Any]:
    """An operation of a program's own that computes what a row of the table does."""

    def partials(*operands: float) -> list[float]:
        out = row.value(*operands)
        return [local(*operands, out) for local in row.local]

    return op(partials=partials, name=f"my {row.name}")(row.value)


def apply_own(call: Call, values: Sequence[Value]) -> Value:
    chosen: list[Any] = [values[i % len(values)] for i in call.operands[: len(call.op.partials)]]
    if call.constant is not None and len(chosen) == 2:
        chosen[1] = call.constant
    result: Value = own(call.op)(*chosen)
    return result


def is_row(graph: Graph) -> bool:
    return not any(call.op.stored for call in graph.calls)


def built(graph: Graph, mine: Sequence[bool], leaves: Sequence[Value]) -> Value:
    values = list(leaves)
    for number, call in enumerate(graph.calls):
        right = Call(call.op, call.operands, call.constant, 1)
        is_mine = mine[number % len(mine)]
        values.append(apply_own(right, values) if is_mine else right(values))
    return values[-1]


def trained(graph: Graph, mine: Sequence[bool], steps: int) -> list[Value]:
    leaves = [Value(leaf, label=f"w{i}") for i, leaf in enumerate(graph.leaves)]
    optimizer = SGD(leaves, 1e-3)
    for step in range(steps):
        mark("step", step)
        built(graph, mine, leaves).backward()
        optimizer.step()
        optimizer.zero_grad()
    return leaves


def facts(recording: Recording) -> list[tuple[object, ...]]:
    """All events, up to what operations are called."""
    return [
        (type(event), *(getattr(event, each.name) for each in fields(event) if each.name != "op"))
        for event in recording.events
    ]


def finite(recording: Recording) -> bool:
    return all(
        math.isfinite(number)
        for block in recording.blocks
        for number in (
            block.values if isinstance(block, Forward)
            else block.grads if isinstance(block, Backward) else ()
        )
    )  # fmt: skip


TAME = graphs(tame, size=8).filter(is_row)
MINE = st.lists(st.booleans(), min_size=1, max_size=8)


@settings(max_examples=tries(60))
@given(TAME, MINE, st.integers(1, 2))
def test_own_operations_are_like_rows_of_the_table(
    graph: Graph, mine: list[bool], steps: int
) -> None:
    with record() as theirs:
        trained(graph, [False], steps)
    assume(finite(theirs))
    with record() as ours:
        trained(graph, mine, steps)
    assert facts(ours) == facts(theirs)


@settings(max_examples=tries(60))
@given(TAME, MINE)
def test_recorded_equals_unrecorded(graph: Graph, mine: list[bool]) -> None:
    outside = trained(graph, mine, 2)
    with record():
        inside = trained(graph, mine, 2)
    assert all_bits(each.data for each in inside) == all_bits(each.data for each in outside)


@settings(max_examples=15, deadline=None)
@given(graphs(tame, size=4).filter(is_row), MINE)
def test_what_recurs_is_compiled_and_the_same(graph: Graph, mine: list[bool]) -> None:
    outside = trained(graph, mine, 40)
    with record() as recording:
        inside = trained(graph, mine, 40)
    assert all_bits(each.data for each in inside) == all_bits(each.data for each in outside)
    stored = [block.stored for block in recording.blocks if isinstance(block, Forward)]
    assert len({len(column) for column in stored}) <= 2  # the first pass holds the parameters


@settings(max_examples=40)
@given(graph=TAME, mine=MINE, steps=st.integers(1, 3))
def test_a_file_brings_back_every_event(
    tmp_path_factory: pytest.TempPathFactory, graph: Graph, mine: list[bool], steps: int
) -> None:
    with record() as recording:
        trained(graph, mine, steps)
    path = tmp_path_factory.mktemp("own") / "recording.stepgrad"
    recording.save(path)
    again = Recording.load(path)
    assert list(map(repr, facts(again))) == list(map(repr, facts(recording)))
    for node in range(recording.size):
        here, there = recording.node(node).op, again.node(node).op
        assert (here.name, len(here.partials)) == (there.name, len(there.partials))
        if here.stored:
            assert all_bits(each() for each in here.local) == all_bits(
                each() for each in there.local
            )


@settings(max_examples=40)
@given(TAME, MINE)
def test_forward_mode_agrees_with_backward(graph: Graph, mine: list[bool]) -> None:
    with record() as recording:
        built(graph, mine, [Value(leaf) for leaf in graph.leaves]).backward()
    assume(finite(recording))
    *_, last = (block for block in recording.blocks if isinstance(block, Backward))
    _, computation = graph_of(recording, last.root, recording.length)
    found = gradients(computation)
    for leaf in computation.leaves:
        assert tangents(computation, {leaf: 1.0})[-1] == pytest.approx(found[leaf], rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(graphs(tame, size=5).filter(is_row), MINE)
def test_a_check_finds_nothing_wrong(graph: Graph, mine: list[bool]) -> None:
    with record() as recording:
        trained(graph, mine, 1)
    assume(finite(recording))
    for way in verify(recording):
        assert way.ok, (way, recording)


# By example.


@op(partials=(lambda x: 2 * x,))
def square(x: Any) -> Any:
    return x * x


@op(partials=(lambda x: 3 * x,))
def wrong(x: Any) -> Any:
    return x * x


def only(recording: Recording, name: str) -> Node:
    [found] = [
        node for node in map(recording.node, range(recording.size)) if node.op.name == name
    ]  # fmt: skip
    return found


def test_a_wrong_partial_is_found_by_its_function() -> None:
    with record() as recording:
        (wrong(Value(2.0, label="x")) * 2).backward()
    ways = {way.way: way for way in verify(recording)}
    assert not ways["complex steps"].ok
    assert ways["complex steps"].first == (
        "∂wrong(x)/∂x is 6 as given with `wrong`, but 4 by its function, at wrong(x) (event 2)"
    )
    assert ways["central differences"].odds == "x has the slope 8, not 12"


def test_what_cannot_be_checked_is_said(tmp_path: Path) -> None:
    with record() as recording:
        x = Value(2.0, label="x")
        Value(x.data**2, (x,), (2 * x.data,)).backward()
    recording.save(tmp_path / "own.stepgrad")
    for each in (recording, Recording.load(tmp_path / "own.stepgrad")):
        ways = {way.way: way for way in verify(each)}
        assert ways["complex steps"].note == "as given, because the function is not known: op(x)"
        assert "but no function" in ways["central differences"].note
        assert all(way.ok for way in ways.values())


def test_three_hundred_names_and_as_many_operands() -> None:
    with record() as recording:
        x = Value(1.0)
        total = x
        for count in range(1, 301):
            total = Value(1.0, (total,) * count, (1.0 / count,) * count, op=f"op{count}")
        total.backward()
    assert x.grad == pytest.approx(1.0)
    assert only(recording, "op300").operands.count(recording.size - 2) == 300
    slots = {event.slot for event in recording.events if isinstance(event, Accumulate)}
    assert slots == set(range(300))


def test_passes_that_differ_only_in_the_operation_are_told_apart() -> None:
    names = [f"op{i % 3}" for i in range(100)]
    with record() as recording:
        x = Value(2.0)
        for name in names:
            Value(4.0, (x,), (1.0,), op=name).backward()
    nodes = (recording.node(i).op.name for i in range(recording.size))
    assert [name for name in nodes if name != "leaf"] == names


FUNCTIONS: tuple[Callable[[float], float], ...] = (abs, math.floor)


def test_functions_of_one_name_are_not_mixed_up() -> None:
    first, second = (op(name="f", partials=(lambda _: 1.0,))(f) for f in FUNCTIONS)
    with record() as recording:
        for _ in range(40):
            for each in (first, second):
                each(Value(-1.5)).backward()
    found = [recording.node(i) for i in range(recording.size)]
    assert {
        (node.op.value(-1.5), recording.history.first_value(node.index))
        for node in found
        if node.op.stored
    } == {(1.5, 1.5), (-2.0, -2.0)}


def test_a_number_is_computed_again_with_the_function() -> None:
    with record() as recording:
        y = square(Value(3.0)) * 2
        y.backward()
    _, graph = graph_of(recording, recording.size - 1, recording.length)
    again = graph.given({graph.leaves[0]: 5.0})
    assert (again.values[-1], gradients(again)[graph.leaves[0]]) == (50.0, 20.0)


def test_values_written_later_do_not_change_what_is_stored() -> None:
    x = Value(3.0)
    with record() as recording:
        y = square(x)
        x.data = 10.0
        y.backward()
    assert x.grad == 6.0
    assert recording.history.local(1, 0, recording.length) == 6.0


def test_a_value_made_before_the_recording_keeps_its_operation() -> None:
    x, y = Value(1.0), Value(2.0)
    z = Value(3.0, (x, y, x), (1.0, 2.0, 3.0), op="mix")
    with record() as recording:
        z.backward()
    assert (x.grad, y.grad) == (4.0, 2.0)
    assert only(recording, "mix").operands == (0, 1, 0)


def test_a_name_is_fit_to_be_shown_also_from_a_file(tmp_path: Path) -> None:
    with record() as recording:
        x = Value(1.0)
        Value(1.0, (x,), (1.0,), op="a\x1b[31m\nb").backward()
    recording.save(tmp_path / "own.stepgrad")
    again = Recording.load(tmp_path / "own.stepgrad")
    assert recording.node(1).op.name == again.node(1).op.name == "a�[31m b"


@pytest.mark.parametrize("arity", [0, -1, 10**12])
def test_a_file_with_an_impossible_number_of_operands_is_refused(arity: int) -> None:
    with record() as recording:
        Value(1.0, (Value(1.0),), (1.0,), op="mine").backward()
    manifest, pieces = describe(recording)
    [entry] = [entry for entry in manifest["ops"] if entry[0] == "mine"]
    entry[1] = arity
    content = memoryview(b"".join(pieces))
    with pytest.raises(Damaged):
        Shapes.read(manifest, Pieces(manifest["pieces"], content))
