"""The debugger without a screen: the same commands on the same cursor, as text and as JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from rich.cells import cell_len, set_cell_size

from stepgrad.engine import ops
from stepgrad.engine.tape import Rule
from stepgrad.numbers import for_json, gradient, number
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.narrate import narrate
from stepgrad.replay.outline import ScopeLine, folds, outline
from stepgrad.replay.places import CommandError
from stepgrad.replay.scopes import shares, span
from stepgrad.replay.state import State
from stepgrad.replay.summary import summary as summary_of
from stepgrad.replay.titles import printable, title
from stepgrad.scenario.expect import Check, checks
from stepgrad.scenario.load import ScenarioFile


def narration(recording: Recording, start: int = 0, stop: int | None = None) -> Iterator[str]:
    """Yield one line for each event: its position, its phase, and what it did.

    `start` and `stop` are positions; without them, it is all of the recording.
    """
    width = len(str(recording.length))
    for index in range(start, recording.length if stop is None else stop):
        phase = recording.events[index].phase
        yield f"{index + 1:>{width}}  {phase:<8}  {narrate(recording, index)}"


def summary(recording: Recording) -> str:
    """Say how much was recorded: `train.py: 861 events, 318 nodes, 1 backward pass`."""
    passes = sum(isinstance(block, Backward) for block in recording.blocks)
    counts = ((recording.length, "event"), (recording.size, "node"), (passes, "backward pass"))
    return f"{recording.name}: {', '.join(_counted(*each) for each in counts)}"


def _counted(count: int, what: str) -> str:
    plural = "es" if what.endswith("s") else "s"
    return f"{count:,} {what}{plural * (count != 1)}"


def report(file: ScenarioFile | None, cursor: Cursor) -> Iterator[str]:
    """Yield what there is to say about a position, a line at a time.

    In a large scene scopes are folded, as on the screen: a line has the range of the gradients in
    one, and which shares of them are 0 or never reached.
    """
    state, recording = cursor.state, cursor.recording
    phase = f", {state.phase}" if state.phase else ", nothing has happened yet"
    step = "" if state.step is None else f", step {state.step}"
    yield f"{file.path.stem}: {file.title}" if file else recording.name
    yield f"event {cursor.position} of {recording.length}{phase}{step}"
    if cursor.position:
        yield str(narrate(recording, cursor.position - 1))
    rows = [*_rows(state)]
    if rows:
        columns = 4 if any(row[3] for row in rows) else 3
        yield ""
        yield from _table([row[:columns] for row in (_HEAD, *rows)])
    promised = checks(file, recording, cursor.position) if file else []
    if promised:
        yield ""
        yield f"checks {sum(check.ok for check in promised)}/{len(promised)}"


_Row = tuple[str, str, str, str]

_HEAD: _Row = ("node", "value", "gradient", "tangent")


def _rows(state: State) -> Iterator[_Row]:
    """Yield a row of the table for each node that is made, or for the folded scope it is in."""
    folded = folds(state.scene)
    if not folded:
        yield from (_row(state, node) for node in visible(state).values())
        return
    for line in outline(state.scene, folded):
        if not isinstance(line, ScopeLine):
            if state.value(line) is not None:
                yield _row(state, line)
        elif line.nodes:
            known = summary_of(state, line)
            told = f"{span(known)} {shares(state, line, known)}".strip()
            yield f"{printable(line.scope)} ×{len(line.nodes)}", "", told, ""


def _row(state: State, node: int) -> _Row:
    tangent = state.tangent(node)
    return (
        printable(title(state.recording, node)),
        number(state.value(node) or 0.0),
        gradient(state.grad(node)),
        "" if tangent is None else gradient(tangent),
    )


def snapshot(file: ScenarioFile | None, cursor: Cursor) -> dict[str, Any]:
    """Return everything about a position as one object for JSON.

    Without a scenario there are no checks. Infinities and nan, which JSON cannot write, are the
    texts `inf`, `-inf` and `nan`; a gradient that nothing has reached is null. Tangents are those
    of nodes that forward mode has made.
    """
    state = cursor.state
    nodes = visible(state)
    promised = checks(file, cursor.recording, cursor.position) if file else []
    return {
        "scenario": file.path.stem if file else None,
        "position": cursor.position,
        "length": cursor.recording.length,
        "phase": state.phase,
        "step": state.step,
        "event": _event(cursor.recording, cursor.position),
        "values": {name: for_json(state.value(node)) for name, node in nodes.items()},
        "grads": {name: for_json(state.grad(node)) for name, node in nodes.items()},
        "tangents": _tangents(state, nodes),
        "checks": [check_object(check) for check in promised],
    }


def check_object(check: Check) -> dict[str, Any]:
    """Return a promised number, and what came of it, as an object for JSON."""
    return {
        "name": check.name,
        "expected": for_json(check.expected),
        "got": for_json(check.got),
        "ok": check.ok,
        "line": check.line,
    }


def words(keys: str) -> list[str]:
    """Split a script of keys as a shell would, so that ':step 20' is one.

    Raises:
        CommandError: a quote is left open.
    """
    try:
        return shlex.split(keys)
    except ValueError as error:
        raise CommandError(f"keys {keys!r}: {error}") from error


def visible(state: State) -> dict[str, int]:
    """Return the nodes of the scene that are made, by name or `#index`: the latest of a name."""
    nodes: dict[str, int] = {}
    for index in state.scene:
        if state.value(index) is not None:
            name = state.node(index).name or f"#{index}"
            nodes.pop(name, None)
            nodes[name] = index
    return nodes


def _tangents(state: State, nodes: Mapping[str, int]) -> dict[str, float | str | None]:
    """Return the tangents of those nodes that have one, ready for JSON."""
    tangents = {name: state.tangent(node) for name, node in nodes.items()}
    return {name: for_json(tangent) for name, tangent in tangents.items() if tangent is not None}


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
            numbers = {key: for_json(each) for key, each in value.numbers.items()}
            return {"method": value.method, **numbers}
        case ops.Op():
            return value.name
        case float():
            return for_json(value)
    return value


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Set names to the left and numbers to the right, in cells: wide letters take two."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for name, *numbers in rows:
        cells = [set_cell_size(name, widths[0])]
        cells += [f"{text:>{width}}" for text, width in zip(numbers, widths[1:], strict=True)]
        yield "  ".join(cells)
