"""The debugger without a screen: the same commands on the same cursor, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from math import isfinite
from typing import Any

from stepgrad.engine import ops
from stepgrad.engine.tape import Rule
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.narrate import narrate
from stepgrad.replay.numbers import gradient, number
from stepgrad.replay.state import State
from stepgrad.replay.titles import title
from stepgrad.scenario.expect import Check, checks
from stepgrad.scenario.load import ScenarioFile


def narration(recording: Recording) -> Iterator[str]:
    """Yield one line for each event: its position, its phase, and what it did."""
    width = len(str(recording.length))
    for index, event in enumerate(recording.events):
        yield f"{index + 1:>{width}}  {event.phase:<8}  {narrate(recording, index)}"


def report(file: ScenarioFile, cursor: Cursor) -> Iterator[str]:
    """Yield what there is to say about a position, a line at a time."""
    state, recording = cursor.state, cursor.recording
    phase = f", {state.phase}" if state.phase else ", nothing has happened yet"
    step = "" if state.step is None else f", step {state.step}"
    yield f"{file.path.stem}: {file.title}"
    yield f"event {cursor.position} of {recording.length}{phase}{step}"
    if cursor.position:
        yield str(narrate(recording, cursor.position - 1))
    rows = [
        (name, number(state.value(node) or 0.0), gradient(state.grad(node)))
        for name, node in visible(state).items()
    ]
    if rows:
        yield ""
        yield from _table(("node", "value", "gradient"), rows)
    promised = checks(file, recording, cursor.position)
    if promised:
        yield ""
        yield f"checks {sum(check.ok for check in promised)}/{len(promised)}"


def snapshot(file: ScenarioFile, cursor: Cursor) -> dict[str, Any]:
    """Return everything about a position as one object for JSON.

    Infinities and nan, which JSON cannot write, are the texts `inf`, `-inf` and `nan`; a gradient
    that nothing has reached is null.
    """
    state = cursor.state
    nodes = visible(state)
    return {
        "scenario": file.path.stem,
        "position": cursor.position,
        "length": cursor.recording.length,
        "phase": state.phase,
        "step": state.step,
        "event": _event(cursor.recording, cursor.position),
        "values": {name: _json(state.value(node)) for name, node in nodes.items()},
        "grads": {name: _json(state.grad(node)) for name, node in nodes.items()},
        "checks": [_check(check) for check in checks(file, cursor.recording, cursor.position)],
    }


def visible(state: State) -> dict[str, int]:
    """Return the nodes of the scene that are made, by name or `#index`: the latest of a name."""
    nodes: dict[str, int] = {}
    for index in state.scene:
        if state.value(index) is not None:
            name = state.node(index).name or f"#{index}"
            nodes.pop(name, None)
            nodes[name] = index
    return nodes


def _event(recording: Recording, position: int) -> dict[str, Any] | None:
    if not position:
        return None
    event = recording.events[position - 1]
    described: dict[str, Any] = {
        "kind": type(event).__name__,
        "text": str(narrate(recording, position - 1)),
    }
    return described | {
        field.name: _field(recording, field.name, getattr(event, field.name))
        for field in fields(event)
        if field.name != "kind"
    }


def _field(recording: Recording, name: str, value: Any) -> Any:
    match value:
        case int() if name in ("node", "out"):
            return title(recording, value)
        case tuple() if name == "operands":
            return [title(recording, operand) for operand in value]
        case Rule():
            numbers = {key: _json(each) for key, each in value.numbers.items()}
            return {"method": value.method, **numbers}
        case ops.Op():
            return value.name
        case float():
            return _json(value)
    return value


def _check(check: Check) -> dict[str, Any]:
    described = asdict(check)
    return described | {"expected": _json(check.expected), "got": _json(check.got)}


def _json(value: float | None) -> float | str | None:
    return value if value is None or isfinite(value) else str(value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for name, *numbers in (head, *rows):
        cells = [f"{name:<{widths[0]}}"]
        cells += [f"{text:>{width}}" for text, width in zip(numbers, widths[1:], strict=True)]
        yield "  ".join(cells)
