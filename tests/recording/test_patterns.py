"""Programs that repeat, in all the ways in which training does: the laws hold for any mixture."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from patterns import PATTERNS, shapes

from graphs import Program, programs, run
from reference import all_bits, bits, fold
from stepgrad import Recording, Value, mark, record
from stepgrad.recording import budget, pending, recurring, released
from stepgrad.recording.blocks import Backward
from stepgrad.recording.released import MANY, Released
from tries import tries

TIMES = 5

files = settings(
    max_examples=tries(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(autouse=True)
def soon_compiled() -> Iterator[None]:
    with mock.patch.object(recurring, "WORTH_COMPILING", 3):
        yield


Part = tuple[str, Program]
"""What is done with a part of a step: it is run, run in a recording of its own, or once at most."""

parts = st.lists(
    st.tuples(st.sampled_from(["run", "run", "run", "inside", "odd steps"]), programs(6)),
    min_size=1,
    max_size=4,
)


def repeat(step: Sequence[Part], carries: bool) -> list[Value]:
    """Run a step several times, on the same values and on what one step hands to the next."""
    kept = [Value(0.5, label="w"), Value(-2.0), Value(1.0)]
    kept += [kept[0] * kept[1], Value(0.25)]
    mark("ready")
    for number in range(TIMES):
        values = [*kept]
        for how, program in step:
            if how != "odd steps" or number % 2:
                with record() if how == "inside" else nullcontext():
                    run(program, values)
        values[-1].backward()
        for value in kept[:3]:
            value.data -= 0.125 * value.grad
        if carries:
            kept[-1] = values[-1]
        for value in kept[:2]:
            value.grad = 0.0
    return kept


def held(values: Sequence[Value]) -> list[bytes | None]:
    return all_bits([number for value in values for number in (value.data, value.grad)])


def told(recording: Recording) -> list[str]:
    nodes = [recording.node(index) for index in range(recording.size)]
    return [*map(repr, recording.events), *map(repr, nodes), repr(recording.names(10**9))]


@files
@given(parts, st.booleans())
def test_any_mixture_that_repeats(tmp_path: Path, step: list[Part], carries: bool) -> None:
    unrecorded = held(repeat(step, carries))
    with record() as recording:
        values = repeat(step, carries)
        for place, value in enumerate(values):
            value.label = f"value{place}"
    assert held(values) == unrecorded
    with mock.patch.object(recurring, "MOST_COMPILED", 0), record() as traced:
        for place, value in enumerate(repeat(step, carries)):
            value.label = f"value{place}"
    assert told(recording) == told(traced)
    check_end(recording, values)
    recording.save(tmp_path / "r.stepgrad")
    assert told(Recording.load(tmp_path / "r.stepgrad")) == told(recording)


def check_end(recording: Recording, values: Sequence[Value]) -> None:
    """Hold the end of a recording against the fold of its events, and against the Values."""
    world, end = fold(recording.events), recording.length
    for index in range(recording.size):
        if not recording.is_constant(index):
            assert bits(recording.history.value(index, end)) == bits(world.values.get(index))
            assert bits(recording.history.grad(index, end)) == bits(world.grads.get(index))
    names = recording.names(end)
    for place, value in enumerate(values):
        node = names.get(f"value{place}")
        if node is not None:
            data, grad = recording.history.value(node, end), recording.history.grad(node, end)
            assert (bits(data), bits(grad or 0.0)) == (bits(value.data), bits(value.grad or 0.0))


@files
@given(parts)
def test_any_position_is_the_fold(step: list[Part]) -> None:
    with record() as recording:
        repeat(step, carries=True)
    history, events = recording.history, list(recording.events)
    for position in range(0, len(events) + 1, 7):
        world = fold(events[:position])
        for node in range(recording.size):
            if not recording.node(node).constant:
                assert bits(history.value(node, position)) == bits(world.values.get(node))
                assert bits(history.grad(node, position)) == bits(world.grads.get(node))


# Nothing grows by an entry a pass.


@pytest.mark.parametrize("name", [name for name in PATTERNS if name != "trees"])
def test_what_repeats_is_described_once(name: str, tmp_path: Path) -> None:
    pattern, _ = PATTERNS[name]
    few = []
    for steps in (30, 45):
        with record() as recording:
            step = pattern(Value)
            for _ in range(steps):
                step()
        few.append(shapes(recording))
        path = tmp_path / "recording.stepgrad"
        recording.save(path)
        loaded = Recording.load(path)
        assert shapes(loaded) == few[-1]
        assert list(map(repr, loaded.events[-400:])) == list(map(repr, recording.events[-400:]))
    assert few[0] == few[1]


def test_a_new_structure_takes_a_few_bytes_an_event() -> None:
    weights = [Value(0.001 * i) for i in range(2000)]
    tracemalloc.start()
    try:
        with record() as recording:
            for last in range(1990, 2000):
                reduce(add, [weight * 0.5 for weight in weights[:last]]).backward()
        gc.collect()  # no Value of a step is kept
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 20 * recording.length


@pytest.mark.parametrize("name", PATTERNS)
def test_recorded_is_unrecorded(name: str) -> None:
    pattern, _ = PATTERNS[name]
    numbers = []
    for recorded in (False, True):
        made: list[Value] = []

        def number(x: float, made: list[Value] = made) -> Value:
            made.append(Value(x))
            return made[-1]

        with record() if recorded else nullcontext():
            step = pattern(number)
            for _ in range(12):
                step()
        numbers.append(held(made))
    assert numbers[0] == numbers[1]


Step = Callable[[list[Value], dict[str, Any]], Value]


def loss_of_the_step_before(weights: list[Value], kept: dict[str, Any]) -> Value:
    loss = (weights[0] * 2.0 - 1.0) ** 2
    difference = loss - kept.get("loss", loss)
    kept["loss"] = Value(loss.data)
    root: Value = difference * loss
    return root


def root_of_an_earlier_pass(weights: list[Value], _: dict[str, Any]) -> Value:
    root = (weights[0] * weights[1]).tanh()
    mark("then")
    weights[1].exp()
    mark("now")
    return root


def average_that_is_never_differentiated(weights: list[Value], kept: dict[str, Any]) -> Value:
    loss = (weights[0] * weights[1] - 1.0) ** 2
    kept["average"] = kept.get("average", 0.0) * 0.9 + loss * 0.1
    return loss


@pytest.mark.parametrize(
    "step",
    [loss_of_the_step_before, root_of_an_earlier_pass, average_that_is_never_differentiated],
)
def test_other_loops_that_repeat(step: Step) -> None:
    few = []
    for steps in (10, 20):
        weights = [Value(0.5), Value(-0.25)]
        kept: dict[str, Any] = {}
        with record() as recording:
            for _ in range(steps):
                step(weights, kept).backward()
                for weight in weights:
                    weight.data -= 0.01 * weight.grad
                    weight.grad = 0.0
        few.append(shapes(recording))
        check_end(recording, ())
    assert few[0] == few[1]


def test_no_value_of_an_earlier_step_is_kept() -> None:
    def alive() -> int:
        gc.collect()
        return sum(type(thing) is Value for thing in gc.get_objects())

    for name in ("marks", "in_place", "gan"):
        pattern, _ = PATTERNS[name]
        with record():
            step = pattern(Value)
            for _ in range(9):
                step()
            before = alive()
            for _ in range(3):
                step()
            assert alive() == before


def measured(weights: Sequence[Value], rows: int) -> float:
    """Measure a network on many rows, and keep no graph of it."""
    total = 0.0
    for row in range(rows):
        hidden = [(weight * (row / rows) + 0.5).tanh() for weight in weights]
        total += reduce(add, hidden).data
    return total


@pytest.fixture
def soon_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passes are divided from an eighth of the usual nodes on, into parts of an eighth.

    Whether there are enough is looked at when Python looks for garbage.
    """
    monkeypatch.setattr(budget, "_SELDOM", (budget._SELDOM[0] // 8, *budget._SELDOM[1:]))
    monkeypatch.setattr(pending, "MANY", MANY // 8)
    monkeypatch.setattr(released, "_LEAST", released._LEAST // 8)


def alive() -> int:
    """How many Values there are."""
    return sum(type(thing) is Value for thing in gc.get_objects())


@pytest.mark.usefixtures("soon_divided")
@pytest.mark.parametrize("lines", [False, True])
def test_an_evaluation_is_let_go_of_before_it_ends(lines: bool) -> None:
    weights, before = [Value(i / 5) for i in range(5)], alive()
    with record(lines=lines) as recording:
        measured(weights, 400)  # 10,000 nodes
        kept = alive() - before
    assert kept < 3 * MANY // 8
    structures, _, _ = shapes(recording)
    assert structures < 10
    check_end(recording, ())


@pytest.mark.usefixtures("soon_divided")
def test_an_evaluation_is_divided_by_what_is_in_it() -> None:
    def recorded() -> Sequence[int]:
        with record() as recording:
            weights = [Value(i / 5) for i in range(5)]
            measured(weights, 60)
            kept = reduce(add, [weight * weight for weight in weights])
            measured(weights, 30)
            (kept * measured(weights, 9)).backward()
        check_end(recording, ())
        return [block.start for block in recording.blocks]

    first = recorded()
    gc.disable()
    try:
        second = recorded()
    finally:
        gc.enable()
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        third = recorded()
    finally:
        gc.set_threshold(*before)
    assert first == second == third
    assert len(first) > 10  # blocks of some rows each, before what is kept


@pytest.mark.usefixtures("soon_divided")
def test_a_step_that_cannot_be_divided_is_not_searched_each_time() -> None:
    searches = []
    end_of = Released._end

    def search(parts: Released, nodes: Sequence[Value], *arguments: Any) -> int:
        searches.append(len(nodes))
        return end_of(parts, nodes, *arguments)

    weights = [Value(i / 5) for i in range(5)]
    with mock.patch.object(Released, "_end", search), record() as recording:
        for step in range(6):
            (weights[0] * step).relu()  # nothing uses it: there may have been an evaluation
            rows = [reduce(add, [weight * row for weight in weights]) for row in range(120)]
            reduce(add, rows).backward()
    check_end(recording, ())
    assert searches.count(max(searches)) <= 2  # of whole steps: the first one differs


def test_a_constant_of_an_earlier_pass_takes_no_gradient() -> None:
    with record() as recording:
        w = Value(2.0)
        _, three = (w * 3.0)._prev
        for _ in range(6):  # a thread may be interrupted between a constant and its use
            mark("now")
            (w * three).backward()
    check_end(recording, ())
    for block in recording.blocks:
        if isinstance(block, Backward):
            assert len(block.grads) == len(block.nodes) == 2
    assert w.grad == 18.0
