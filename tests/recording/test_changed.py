"""Worlds with a bug: what the engine does in them, and that the recording says the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import Program, graphs, programs, run, tame
from reference import all_bits, bits
from stepgrad import SGD, Recording, Value, record
from stepgrad.engine.backward import ancestors
from stepgrad.engine.ops import CONSTANT
from stepgrad.engine.world import BUGS, World
from stepgrad.recording import events
from stepgrad.recording.changed import WorldError, check_gates
from stepgrad.recording.log import Log

WORLDS = ["overwrite", "no_zero_grad", "wrong_order", "shut relu", "open max", "skip_update 2"]

worlds = st.sampled_from(WORLDS)


def changed(text: str) -> Recording:
    """An empty recording in a world."""
    recording = Recording()
    recording.world = World.read(text)
    return recording


def slow_and_obvious(root: Value, bug: str) -> dict[int, float]:
    """Run a backward pass with a bug by the formulas of the operations; gradients by stamp."""
    order = ancestors(root)
    grads = dict.fromkeys((node._stamp for node in order), 0.0) | {root._stamp: 1.0}
    for node in order[::-1] if bug == "wrong_order" else order:
        operands, upstream = node._operands, grads[node._stamp]
        inputs = [operand.data for operand in operands]
        carry = node._operation.holding(node._locals).carry
        for slot, operand in enumerate(operands):
            if operand._operation is not CONSTANT:
                passed = carry[slot](*inputs, node.data, upstream)
                before = 0.0 if bug == "overwrite" else grads.get(operand._stamp, 0.0)
                grads[operand._stamp] = passed if bug == "overwrite" else before + passed
    return grads


@given(graphs(tame), st.sampled_from(["overwrite", "wrong_order"]))
def test_a_backward_pass_has_the_bug(graph, bug: str) -> None:  # type: ignore[no-untyped-def]
    with record(changed(bug)):
        values = graph.build()
        values[-1].backward()
    expected = slow_and_obvious(values[-1], bug)
    assert all_bits(value.grad for value in values) == all_bits(
        expected.get(value._stamp, 0.0) for value in values
    )


@given(programs(), worlds)
def test_what_is_recorded_is_what_was_done(program: Program, world: str) -> None:
    with record(changed(world)) as recording:
        values = [Value(0.5), Value(2.0)]
        run(program, values)
    end = recording.length
    for node, value in logged(recording, values):
        assert bits(recording.history.value(node, end)) == bits(value.data)
        assert bits(recording.history.grad(node, end) or 0.0) == bits(value.grad or 0.0)
    assert_gradients_follow_from_events(recording)


def logged(recording: Recording, values: list[Value]) -> list[tuple[int, Value]]:
    """Values with their nodes: those that are no constants were made in the order of the log."""
    nodes = (node for node in range(recording.size) if not recording.is_constant(node))
    return [*zip(nodes, dict.fromkeys(values), strict=False)]


def assert_gradients_follow_from_events(recording: Recording) -> None:
    """A gradient after an event is what the event says, before and after."""
    for position, event in enumerate(recording.events, 1):
        if isinstance(event, events.Accumulate | events.SetGrad | events.ZeroGrad):
            assert bits(recording.history.grad(event.node, position - 1)) == bits(event.before)
            assert bits(recording.history.grad(event.node, position)) == bits(event.after)


def trained(world: str, steps: int = 3) -> tuple[Recording, Value]:
    """A parameter that learns to be 1 through a relu: w is 2 at first."""
    with record(changed(world)) as recording:
        w = Value(2.0, label="w")
        sgd = SGD([w], 0.1)
        for _ in range(steps):
            h = w.relu()
            h.label = "h"
            ((h - 1) ** 2).backward()
            sgd.step()
            sgd.zero_grad()
    return recording, w


@pytest.mark.parametrize(
    ("world", "values"),
    [
        ("no_zero_grad", [1.8, 1.44, 0.992]),
        ("skip_update 2", [1.8, 1.64]),
        ("skip_update 9", [1.8, 1.64, 1.512]),
        ("shut h", [2.0, 2.0, 2.0]),
        ("shut relu", [2.0, 2.0, 2.0]),
        ("open h", [1.8, 1.64, 1.512]),
    ],
)
def test_training_in_a_world(world: str, values: list[float]) -> None:
    recording, w = trained(world)
    updates = [event.after for event in recording.events if isinstance(event, events.Update)]
    assert updates == pytest.approx(values)
    assert w.data == updates[-1]


def test_an_update_by_hand_is_left_out_with_all_its_parameters() -> None:
    with record(changed("skip_update 1")) as recording:
        x, w, b = Value(1.0), Value(2.0), Value(3.0)
        for row in (5.0, 6.0):
            x.data = row
            (x * w + b).backward()
            for p in (w, b):
                p.data -= 0.5 * p.grad
                p.grad = 0
    assert [x.data, w.data, b.data] == [6.0, -1.0, 2.5]
    assert sum(isinstance(event, events.Update) for event in recording.events) == 4


@pytest.mark.parametrize("world", WORLDS)
def test_a_file_keeps_the_world(world: str, tmp_path: Path) -> None:
    with record(changed(world)) as recording:
        a = Value(-1.0, label="a")
        b = a.relu() + a.max(2.0) * a
        b.backward()
        a.data -= 1
    recording.save(tmp_path / "it.stepgrad")
    loaded = Recording.load(tmp_path / "it.stepgrad")
    assert loaded.world == recording.world
    assert [*loaded.events] == [*recording.events]


def test_a_gate_that_is_open_passes_what_arrives_and_one_that_is_shut_nothing() -> None:
    for world, passed in (("open relu", 3.0), ("shut relu", 0.0), ("open max", 0.0)):
        with record(changed(world)) as recording:
            x = Value(-2.0)
            (x.relu() * 3 * Value(1.0)).backward()
        assert x.grad == passed
        assert recording.history.local(1, 0, recording.length) == passed / 3


def test_nothing_passes_a_shut_gate_not_even_infinity() -> None:
    with record(changed("shut relu")) as recording:
        x = Value(2.0)
        (x.relu() * Value(float("inf"))).backward()
    assert bits(x.grad) == bits(0.0)
    assert_gradients_follow_from_events(recording)


def test_outside_nothing_is_different() -> None:
    trained("overwrite")
    x = Value(3.0)
    (x + x).backward()
    assert x.grad == 2.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "which bug? there are overwrite, no_zero_grad, wrong_order, shut NODE, "),
        ("foo", "`foo` is not a bug: there are overwrite, "),
        ("overwrit", "`overwrit` is not a bug; did you mean `overwrite`? there are "),
        ("shut", "which gate? e.g. `shut h1`, or `shut relu` for all of them"),
        ("skip_update x", "which update? e.g. `skip_update 3`; the first is 1"),
        ("skip_update 0", "which update? "),
        ("overwrite x", "overwrite takes nothing more, but there is `x`"),
    ],
)
def test_what_is_no_world(text: str, message: str) -> None:
    with pytest.raises(ValueError) as found:  # noqa: PT011 - its text is compared
        World.read(text)
    assert str(found.value).startswith(message)


def test_a_world_is_written_as_it_is_read() -> None:
    assert [str(World.read(f" {text} ")) for text in WORLDS] == WORLDS
    assert {World.read(text).bug for text in WORLDS} | {"shut", "open"} == set(BUGS)


def test_a_gate_that_there_is_not() -> None:
    with pytest.raises(WorldError, match="no gate is called `g`; use `relu` or `h`"):
        check_gates(trained("shut g")[0])
    with pytest.raises(WorldError, match="no gate is called `g`; there are none"):
        check_gates(changed("shut g"))
    check_gates(Log())
