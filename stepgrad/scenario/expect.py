"""What a scenario promises, held against what its recording says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan

from stepgrad.recording.blocks import Forward
from stepgrad.recording.recording import Recording
from stepgrad.replay.ledger import latest_pass
from stepgrad.replay.state import State
from stepgrad.scenario.load import ScenarioFile


@dataclass(frozen=True, slots=True)
class Check:
    """One promised number: `got` is None where the recording has not come to it yet.

    `line` is where the scenario file makes the promise.
    """

    name: str
    expected: float
    got: float | None
    ok: bool
    line: int


def checks(file: ScenarioFile, recording: Recording, position: int | None = None) -> list[Check]:
    """Hold every expectation of a scenario against a position of its recording (or its end).

    Values are those of the latest forward pass, gradients those of the latest backward pass.
    """
    at = recording.length if position is None else position
    tolerance = file.model.expect.tolerance
    return [
        Check(name, expected, got, got is not None and _equal(got, expected, tolerance), line)
        for name, expected, got, line in _promises(file, recording, at)
    ]


def _equal(got: float, expected: float, tolerance: float) -> bool:
    if isnan(expected) or expected in (float("inf"), float("-inf")):
        return got == expected or (isnan(got) and isnan(expected))
    return abs(got - expected) <= tolerance * max(1.0, abs(expected))


def _promises(
    file: ScenarioFile, recording: Recording, position: int
) -> Iterator[tuple[str, float, float | None, int]]:
    """Yield what is promised: its name, the number, what the recording says, and the line."""
    expect = file.model.expect
    now = State(recording, position)
    names = recording.names(position)
    for name, expected in expect.values.items():
        got = now.value(names[name]) if name in names else None
        yield name, expected, got, file.line("expect", "values", name)
    swept = State(recording, _swept(recording, position))
    names = recording.names(swept.position)
    for name, expected in expect.grads.items():
        got = swept.grad(names[name]) if name in names else None
        yield f"{name}.grad", expected, got, file.line("expect", "grads", name)
    for step, expected in expect.loss.items():
        got = _loss(file, recording, step, position)
        yield f"loss at step {step}", expected, got, file.line("expect", "loss", step)
    for row, outputs in enumerate(getattr(expect, "predictions", ()), 1):
        for i, expected in enumerate(outputs, 1):
            name = f"row{row}/y{i if len(outputs) > 1 else ''}"
            node = now.find(name) if position == recording.length else None
            got = None if node is None else now.value(node)
            yield f"prediction {name}", expected, got, file.line("expect", "predictions", row - 1)


def _swept(recording: Recording, position: int) -> int:
    """Return the latest position, up to this one, that is in or just after a backward pass."""
    block = latest_pass(recording, position)
    return position if block is None else min(position, block.start + block.length)


def _loss(file: ScenarioFile, recording: Recording, step: int, position: int) -> float | None:
    """Return the loss of a training step, before that step's update."""
    starts = recording.steps
    if step >= len(starts):
        return None
    end = starts[step + 1] if step + 1 < len(starts) else recording.length
    blocks = recording.blocks_between(starts[step], end)
    forward = next(block for block in blocks if isinstance(block, Forward))
    computed = forward.start + forward.length
    if computed > position:
        return None
    name = getattr(file.model, "backward", None) or "loss"
    node = recording.names(computed).get(name)
    return None if node is None else recording.history.value(node, computed)
