"""Forward mode as it is recorded, against forward mode by hand and against the backward pass."""

from __future__ import annotations

from math import isfinite
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import Graph, computation, graphs, wild
from stepgrad import Recording, Value, mark, record
from stepgrad.engine.backward import ancestors
from stepgrad.engine.dual import magnitudes, tangents
from stepgrad.engine.graph import Graph as Described
from stepgrad.engine.tape import seed
from stepgrad.recording.blocks import Forward
from stepgrad.recording.events import Leaf, Op
from stepgrad.recording.traced import Traced


def forward_mode(graph: Graph, which: int) -> tuple[Recording, list[Value], Value]:
    """Record a graph by one of its leaves; return all values, and that leaf."""
    with record() as recording:
        leaves = [Value(leaf) for leaf in graph.leaves]
        by = leaves[which % len(leaves)]
        seed(by, 1.0)
        values = graph.extend(leaves)
    return recording, values, by


def place_of(leaf: Value, root: Value) -> int | None:
    """Where a leaf stands in the description of a root."""
    computed = ancestors(root)
    nodes = {operand for node in computed for operand in node._operands} | {root}
    ordered = sorted({*nodes, *computed}, key=lambda node: node._stamp)
    return ordered.index(leaf) if leaf in ordered else None


def locals_of(graph: Described) -> list[float]:
    """The local derivatives of all edges."""
    return [
        graph.edge(place, slot)(1.0)
        for place in range(len(graph))
        for slot, _ in graph.variable(place)
    ]


def recorded(recording: Recording) -> list[float]:
    """The tangents of all nodes but constants."""
    events = [event for event in recording.events if isinstance(event, Leaf | Op)]
    assert all(event.tangent is not None for event in events)
    return [event.tangent or 0.0 for event in events]


@given(graphs(wild), st.integers(0, 3))
def test_recorded_tangents_are_those_of_the_engine(graph: Graph, which: int) -> None:
    recording, values, by = forward_mode(graph, which)
    for value, ours in zip(values, recorded(recording), strict=True):
        place = place_of(by, value)
        theirs = 0.0 if place is None else tangents(computation(value), {place: 1.0})[-1]
        assert repr(ours or 0.0) == repr(theirs or 0.0)


@given(graphs(), st.integers(0, 3))
def test_recorded_tangents_are_the_gradients_of_the_backward_pass(graph: Graph, which: int) -> None:
    recording, values, by = forward_mode(graph, which)
    for value, ours in zip(values, recorded(recording), strict=True):
        by.grad = 0.0
        value.backward()
        place, graph_of = place_of(by, value), computation(value)
        size = 0.0 if place is None else magnitudes(graph_of)[place]
        # Behind a shut gate, an infinite local derivative meets 0 in one of the two orders only.
        if isfinite(size) and all(map(isfinite, locals_of(graph_of))):
            assert ours == pytest.approx(by.grad, rel=1e-9, abs=1e-9 * size + 1e-300)


def test_a_tangent_is_there_from_when_its_node_is_made() -> None:
    recording, _, _ = forward_mode(Graph((2.0,), ()), 0)
    assert recording.history.tangent(0, 0) is None
    assert recording.history.tangent(0, 1) == 1.0


def test_without_a_seed_there_are_no_tangents() -> None:
    with record() as recording:
        Value(2.0) * 3.0
    [block] = recording.blocks
    assert isinstance(block, Forward)
    assert (block.tangents, block.seeds) == (None, {})
    assert recording.history.tangent(0, 2) is None


def test_what_was_made_before_the_pass_is_constant() -> None:
    with record() as recording:
        w = Value(3.0)
        seed(w, 1.0)
        mark("next")
        x = Value(2.0)
        seed(x, 1.0)
        w * x
    assert recording.history.tangent(2, recording.length) == 3.0


def test_a_seed_for_what_was_made_before_is_refused() -> None:
    with record():
        x = Value(2.0)
        mark("next")
        with pytest.raises(ValueError, match="make a new Value"):
            seed(x, 1.0)
        Value(1.0)
        with pytest.raises(ValueError, match="make a new Value"):
            seed(x, 1.0)


def test_without_a_recording_a_seed_is_nothing() -> None:
    seed(Value(2.0), 1.0)


def test_several_seeds_are_a_direction() -> None:
    with record() as recording:
        x, y = Value(2.0), Value(5.0)
        seed(x, 3.0)
        seed(y, -1.0)
        x * y
    [block] = recording.blocks
    assert isinstance(block, Forward)
    assert block.seeds == {0: 3.0, 1: -1.0}
    assert recording.history.tangent(2, 3) == 3.0 * 5.0 - 2.0


def test_each_pass_in_forward_mode_is_a_step_with_the_mark_before_it() -> None:
    with record() as recording:
        for _ in range(2):
            mark("forward mode")
            x = Value(2.0)
            seed(x, 1.0)
            x * x
        mark("reverse mode")
        y = Value(2.0)
        (y * y).backward()
    assert recording.steps == [0, 3, 6]


def test_a_pass_in_forward_mode_is_not_compiled() -> None:
    def once() -> Value:
        x = Value(2.0)
        seed(x, 1.0)
        return x * x

    traced = Traced(once)
    with record() as recording:
        for _ in range(3):
            traced()
            mark("next")
    passes = [block for block in recording.blocks if isinstance(block, Forward)]
    assert [list(block.tangents or ()) for block in passes] == [[1.0, 4.0]] * 3


@given(graph=graphs(wild), which=st.integers(0, 3), passes=st.integers(1, 4))
def test_forward_mode_comes_back_from_a_file(
    tmp_path_factory: pytest.TempPathFactory, graph: Graph, which: int, passes: int
) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "dual.stepgrad"
    with record() as recording:
        for number in range(passes):
            leaves = [Value(leaf) for leaf in graph.leaves]
            if number % 2 == 0:
                seed(leaves[which % len(leaves)], 1.0)
            graph.extend(leaves)
            mark("next")
    recording.save(path)
    loaded = Recording.load(path)
    assert list(map(repr, loaded.events)) == list(map(repr, recording.events))
    assert loaded.steps == recording.steps
