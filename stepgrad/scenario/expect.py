"""What a scenario expects, compared with its recording."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import NamedTuple

from stepgrad.recording.blocks import Forward
from stepgrad.recording.numbered import node_called
from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.ledger import contributions, latest_pass
from stepgrad.replay.state import State
from stepgrad.replay.telling.derivatives import derivative
from stepgrad.replay.telling.narration import narrate
from stepgrad.scenario.load import ScenarioFile


class Expectation(NamedTuple):
    """A number that a scenario expects of a node, and the line that says so.

    `path` is its place in `expect`.
    """

    name: str
    node: str
    number: float
    line: int
    path: tuple[str | int, ...]


class Check(NamedTuple):
    """An expected number and what became of it: `got` is None if it is not computed yet.

    `line` is the line of the scenario that expects it, `node` the node that has it, and `position`
    where it was read; it is a `gradient` or a value.
    """

    name: str
    expected: float
    got: float | None
    ok: bool
    line: int
    node: int | None
    position: int
    gradient: bool

    def why(self, recording: Recording) -> Iterator[str]:
        """Yield how the number came about, a line for each event that had a part in it."""
        if self.node is None or self.got is None:
            return
        if self.gradient:
            for contribution in contributions(recording, self.node, self.position):
                yield str(narrate(recording, contribution.position - 1))
        else:
            yield str(narrate(recording, recording.history.made_at(self.node) - 1))


def matches(held: int, expected: int) -> str:
    """Say how many of the expected values are there."""
    return f"matches {held} of {expected} expected"


def expectations(file: ScenarioFile) -> Iterator[Expectation]:
    """Yield the numbers that a scenario expects, without running anything."""
    model, expect = file.model, file.model.expect

    def entry(name: str, node: str, number: float, *path: str | int) -> Expectation:
        return Expectation(name, node, number, file.line("expect", *path), path)

    for name, number in expect.values.items():
        yield entry(name, name, number, "values", name)
    for name, number in expect.grads.items():
        yield entry(f"{name}.grad", name, number, "grads", name)
    for by, tangents in getattr(expect, "tangents", {}).items():
        for name, number in tangents.items():
            yield entry(derivative(name, by), name, number, "tangents", by, name)
    loss = getattr(model, "backward", None) or "loss"
    for step, number in expect.loss.items():
        yield entry(f"loss at step {step}", loss, number, "loss", step)
    for row, outputs in enumerate(getattr(expect, "predictions", ())):
        for i, number in enumerate(outputs, 1):
            name = f"row{row + 1}/y{i if len(outputs) > 1 else ''}"
            yield entry(f"prediction {name}", name, number, "predictions", row)


def checks(file: ScenarioFile, recording: Recording, position: int | None = None) -> list[Check]:
    """Compare every expectation of a scenario with a position of its recording, or with its end.

    Values are those of the latest forward pass, gradients those of the latest backward pass,
    tangents those of the latest forward-mode pass with respect to the same input. A recording that
    ends early does not reach what is expected at its end.
    """
    reading = _Reading(recording, recording.length if position is None else position)
    tolerance = file.model.expect.tolerance
    held = []
    for each in expectations(file):
        node, got, at = reading.of(each)
        ok = got is not None and _equal(got, each.number, tolerance)
        gradient = each.path[0] == "grads"
        held.append(Check(each.name, each.number, got, ok, each.line, node, at, gradient))
    return held


def _equal(got: float, expected: float, tolerance: float) -> bool:
    if isnan(expected) or expected in (float("inf"), float("-inf")):
        return got == expected or (isnan(got) and isnan(expected))
    return abs(got - expected) <= tolerance * max(1.0, abs(expected))


class _Reading:
    """Reads the expected numbers off a recording, up to a position."""

    def __init__(self, recording: Recording, position: int) -> None:
        self._recording = recording
        self._now = State(recording, position)
        self._names = recording.names(position)
        self._swept = State(recording, _swept(recording, position))
        self._swept_names = recording.names(self._swept.position)

    def of(self, expected: Expectation) -> tuple[int | None, float | None, int]:
        """Return the node, its number, and the position at which it has that number."""
        recording, now, position = self._recording, self._now, self._now.position
        if recording.spent and expected.path[0] in ("values", "grads", "predictions"):
            return None, None, position
        node = node_called(self._names, expected.node)
        match expected.path:
            case ("grads", _):
                node = node_called(self._swept_names, expected.node)
                got = None if node is None else self._swept.grad(node)
                return node, got, self._swept.position
            case ("tangents", str(by), _):
                node = node_called(_made_by(recording, by, position), expected.node)
                return node, None if node is None else now.tangent(node), position
            case ("loss", int(step)):
                node, computed = _loss(recording, expected.node, step, position)
                got = None if node is None else recording.history.value(node, computed)
                return node, got, computed
            case ("predictions", _) if position < recording.length:
                node = None
        return node, None if node is None else now.value(node), position


def _swept(recording: Recording, position: int) -> int:
    """Return the latest position, up to this one, that is in or just after a backward pass."""
    block = latest_pass(recording, position)
    return position if block is None else min(position, block.start + block.length)


def _made_by(recording: Recording, by: str, position: int) -> dict[str, int]:
    """Return the nodes of the latest forward-mode pass with respect to this input, by name."""
    for block in reversed(recording.blocks_between(0, position)):
        if isinstance(block, Forward) and block.seeds:
            named = recording.names_in(block)
            if by in map(named.get, block.seeds):
                return {name: node for node, name in named.items()}
    return {}


def _loss(recording: Recording, name: str, step: int, position: int) -> tuple[int | None, int]:
    """Return the loss of a training step before its update, and the position that computes it."""
    starts = recording.steps
    if step >= len(starts):
        return None, position
    end = starts[step + 1] if step + 1 < len(starts) else recording.length
    blocks = recording.blocks_between(starts[step], end)
    forward = next(block for block in blocks if isinstance(block, Forward))
    computed = forward.start + forward.length
    if computed > position:
        return None, position
    return node_called(recording.names(computed), name), computed
