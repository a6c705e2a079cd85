"""What a scenario promises, held against what its recording says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan
from typing import NamedTuple

from stepgrad.recording.blocks import Forward
from stepgrad.recording.recording import Recording
from stepgrad.replay.ledger import contributions, latest_pass
from stepgrad.replay.narrate import narrate
from stepgrad.replay.state import State
from stepgrad.scenario.load import ScenarioFile


@dataclass(frozen=True, slots=True)
class Check:
    """One promised number: `got` is None where the recording has not come to it yet.

    `line` is where the scenario file makes the promise. `node` is what it is about, `position`
    when; it is a `gradient` or a value.
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
        """Yield how the recording came to the number, a line for each event that had a part."""
        if self.node is None or self.got is None:
            return
        if self.gradient:
            for contribution in contributions(recording, self.node, self.position):
                yield str(narrate(recording, contribution.position - 1))
        else:
            yield str(narrate(recording, recording.history.made_at(self.node) - 1))


def checks(file: ScenarioFile, recording: Recording, position: int | None = None) -> list[Check]:
    """Hold every expectation of a scenario against a position of its recording (or its end).

    Values are those of the latest forward pass, gradients those of the latest backward pass,
    tangents those of the latest pass in forward mode by the same input.
    """
    at = recording.length if position is None else position
    tolerance = file.model.expect.tolerance
    return [
        Check(
            promise.name, promise.expected, promise.got,
            promise.got is not None and _equal(promise.got, promise.expected, tolerance),
            file.line("expect", *promise.path), promise.node, promise.position,
            promise.path[0] == "grads",
        )
        for promise in _promises(file, recording, at)
    ]  # fmt: skip


def _equal(got: float, expected: float, tolerance: float) -> bool:
    if isnan(expected) or expected in (float("inf"), float("-inf")):
        return got == expected or (isnan(got) and isnan(expected))
    return abs(got - expected) <= tolerance * max(1.0, abs(expected))


_Path = tuple[str | int, ...]


class _Promise(NamedTuple):
    """What is promised at a path of `expect`, and what the recording says of it."""

    path: _Path
    name: str
    expected: float
    node: int | None
    got: float | None
    position: int


def _promises(file: ScenarioFile, recording: Recording, position: int) -> Iterator[_Promise]:
    expect = file.model.expect
    now = State(recording, position)
    names = recording.names(position)

    def value(path: _Path, name: str, expected: float, node: int | None) -> _Promise:
        got = None if node is None else now.value(node)
        return _Promise(path, name, expected, node, got, position)

    for name, expected in expect.values.items():
        yield value(("values", name), name, expected, names.get(name))
    swept = State(recording, _swept(recording, position))
    swept_names = recording.names(swept.position)
    for name, expected in expect.grads.items():
        node = swept_names.get(name)
        got = None if node is None else swept.grad(node)
        yield _Promise(("grads", name), f"{name}.grad", expected, node, got, swept.position)
    for by, tangents in getattr(expect, "tangents", {}).items():
        made = _made_by(recording, by, position)
        for name, expected in tangents.items():
            node = made.get(name)
            got = None if node is None else now.tangent(node)
            path = ("tangents", by, name)
            yield _Promise(path, f"d{name}/d{by}", expected, node, got, position)
    for step, expected in expect.loss.items():
        node, computed = _loss(file, recording, step, position)
        got = None if node is None else recording.history.value(node, computed)
        yield _Promise(("loss", step), f"loss at step {step}", expected, node, got, computed)
    for row, outputs in enumerate(getattr(expect, "predictions", ()), 1):
        for i, expected in enumerate(outputs, 1):
            name = f"row{row}/y{i if len(outputs) > 1 else ''}"
            node = names.get(name) if position == recording.length else None
            yield value(("predictions", row - 1), f"prediction {name}", expected, node)


def _swept(recording: Recording, position: int) -> int:
    """Return the latest position, up to this one, that is in or just after a backward pass."""
    block = latest_pass(recording, position)
    return position if block is None else min(position, block.start + block.length)


def _made_by(recording: Recording, by: str, position: int) -> dict[str, int]:
    """Return the nodes of the latest pass in forward mode by this input, by name."""
    for block in reversed(recording.blocks_between(0, position)):
        if isinstance(block, Forward) and block.seeds:
            named = recording.names_in(block)
            if by in map(named.get, block.seeds):
                return {name: node for node, name in named.items()}
    return {}


def _loss(
    file: ScenarioFile, recording: Recording, step: int, position: int
) -> tuple[int | None, int]:
    """Return the loss of a training step, before that step's update, and when it is computed."""
    starts = recording.steps
    if step >= len(starts):
        return None, position
    end = starts[step + 1] if step + 1 < len(starts) else recording.length
    blocks = recording.blocks_between(starts[step], end)
    forward = next(block for block in blocks if isinstance(block, Forward))
    computed = forward.start + forward.length
    if computed > position:
        return None, position
    name = getattr(file.model, "backward", None) or "loss"
    return recording.names(computed).get(name), computed
