"""What is said of trainings with an engine that is not ours: of healthy ones, nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

import pytest

from imitation import Engine, Rule, Shadow, micrograd_order, right, trained
from stepgrad import Recording, Value, record
from stepgrad.diagnosis import diagnose
from stepgrad.diagnosis.parting import part
from stepgrad.recording.foreign.sweep import ForeignBackward

XOR = (((-1.0, -1.0), -1.0), ((-1.0, 1.0), 1.0), ((1.0, -1.0), 1.0), ((1.0, 1.0), -1.0))

Layers = Sequence[Sequence[tuple[Sequence[Shadow], Shadow]]]
Backward = Callable[[Engine, Shadow], None]


def network(engine: Engine, random: Random, *sizes: int) -> Layers:
    return [
        [
            ([engine.leaf(random.uniform(-1, 1)) for _ in range(inputs)], engine.leaf(0.0))
            for _ in range(outputs)
        ]
        for inputs, outputs in pairwise(sizes)
    ]


def output(engine: Engine, layers: Layers, inputs: Sequence[Shadow]) -> Shadow:
    for layer in layers:
        outputs = []
        for weights, bias in layer:
            total = bias
            for w, x in zip(weights, inputs, strict=True):
                total = engine.make("add", total, engine.make("mul", w, x))
            outputs.append(engine.make("tanh", total))
        inputs = outputs
    return inputs[0]


def again(
    engine: Engine, inputs: Sequence[Shadow], target: Shadow
) -> tuple[Sequence[Shadow], Shadow]:
    return [engine.leaf(x._data) for x in inputs], engine.leaf(target._data)


def ordered(engine: Engine, root: Shadow) -> None:
    engine.backward(root, order=micrograd_order(root))


def by_path(engine: Engine, root: Shadow) -> None:
    engine.descend(root)


def cleared_as_they_are_used(engine: Engine, root: Shadow) -> None:
    engine.seed(root)
    for node in micrograd_order(root):
        engine.sweep([node])
        if node._first is not None:
            engine.clear([node])


def training(
    backward: Backward, *, batch: bool, constants: bool, clear_first: bool, steps: int = 12
) -> Recording:
    """Learn XOR, sample by sample or all at once; inputs are made once, or for each step."""
    with record(lines=True) as recording:
        engine = Engine()
        layers = network(engine, Random(3), 2, 3, 1)
        parameters = [p for layer in layers for ws, bias in layer for p in (*ws, bias)]
        data = [([engine.leaf(x) for x in xs], engine.leaf(y)) for xs, y in XOR]
        for _ in range(steps):
            if clear_first:
                engine.clear(parameters)
            losses = []
            for sample in data:
                inputs, target = sample if constants else again(engine, *sample)
                error = engine.make("sub", output(engine, layers, inputs), target)
                losses.append(engine.make("pow", error, 2.0))
                if not batch:
                    backward(engine, losses[-1])
            if batch:
                total = engine.leaf(0.0)  # as `sum` begins, lifted
                for loss in losses:
                    total = engine.make("add", total, loss)
                backward(engine, total)
            for p in parameters:
                engine.update(p, p._data - 0.1 * p._grad)
            if not clear_first:
                engine.clear(parameters)
    return recording


@pytest.mark.parametrize("backward", [ordered, by_path, cleared_as_they_are_used])
@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize(("constants", "clear_first"), [(False, True), (True, False)])
def test_nothing_is_wrong_with_a_healthy_training(
    backward: Backward, batch: bool, constants: bool, clear_first: bool
) -> None:
    recording = training(backward, batch=batch, constants=constants, clear_first=clear_first)
    assert any(isinstance(block, ForeignBackward) for block in recording.blocks)
    assert all(verdict.note for verdict in diagnose(recording))


def test_a_parameter_to_which_a_rule_passes_nothing_is_on_the_way_to_the_root() -> None:
    assert "unreached" not in {verdict.name for verdict in diagnose(trained(30, missing))}


def ours(steps: int) -> Recording:
    """What `trained` does, with Values."""
    with record(lines=True) as recording:
        w, b = Value(0.5, label="w"), Value(-0.5, label="b")
        for step in range(steps):
            x = Value(1.0 + step % 3)
            loss = ((w * x + b).tanh() - 0.3) ** 2
            w.grad = b.grad = 0.0
            loss.backward()
            for p in (w, b):
                p.data -= 0.1 * p.grad
    return recording


def halved(_: Shadow, slot: int, __: float, added: float) -> float:
    return added / 2 if slot else added


def missing(_: Shadow, slot: int, __: float, added: float) -> float | None:
    return None if slot else added


def test_an_engine_that_is_right_does_what_ours_does() -> None:
    assert part(ours(3), trained(3)) is None


@pytest.mark.parametrize("rule", [halved, missing])
def test_recordings_part_where_a_rule_is_wrong(rule: Rule) -> None:
    good, bad = trained(3, right), trained(3, rule)
    found = part(good, bad)
    assert found is not None
    first = next(
        index
        for index, (one, other) in enumerate(zip(good.events, bad.events, strict=False))
        if (one.focus, getattr(one, "after", 0)) != (other.focus, getattr(other, "after", 0))
    )
    assert found.event == first + 1
    assert part(good, trained(3, right)) is None
