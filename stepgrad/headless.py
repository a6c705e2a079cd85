"""The debugger without a screen: the same commands and cursor, as text and JSON."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from rich.cells import cell_len, set_cell_size

from stepgrad.engine import ops
from stepgrad.engine.tape import Place, Rule
from stepgrad.numbers import for_json
from stepgrad.printable import counted, printable
from stepgrad.recording.blocks import Backward
from stepgrad.recording.events import Accumulate, ByHand, Event, Seed
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.places import CommandError
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.graph.contents import Fold, Node
from stepgrad.replay.graph.outline import ScopeLine, folds, outline
from stepgrad.replay.state import State
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.titles import line_of, title
from stepgrad.scenario.expect import Check, checks, matches
from stepgrad.scenario.load import ScenarioFile


def narration(recording: Recording, start: int = 0, stop: int | None = None) -> Iterator[str]:
    """Yield a line for each event: its position, its phase and its narration.

    `start` and `stop` are positions; the default is the whole recording.
    """
    width = len(str(recording.length))
    for index in range(start, recording.length if stop is None else stop):
        phase = recording.events[index].phase
        yield f"{index + 1:>{width}}  {phase:<8}  {narrate(recording, index)}"


def summary(recording: Recording) -> str:
    """Return the size of a recording: `train.py: 861 events, 318 nodes, 1 backward pass`."""
    passes = sum(isinstance(block, Backward) for block in recording.blocks)
    counts = ((recording.length, "event"), (recording.size, "node"), (passes, "backward pass"))
    told = f"{recording.name}: {', '.join(counted(*each) for each in counts)}"
    told = f"{told}; {in_world(recording)}" if recording.world else told
    return f"{told}; {recording.incomplete}" if recording.spent else told


def in_world(recording: Recording) -> str:
    """Say in which world something was recorded: `bug: shut h`; empty for the usual one."""
    return f"bug: {recording.world}" if recording.world else ""


def report(file: ScenarioFile | None, cursor: Cursor) -> Iterator[str]:
    """Yield a report on a position, line by line.

    In a large scene scopes are folded, as on the screen: a line has the range of the gradients in
    a scope, and the shares of them that are 0 or never reached.
    """
    state, recording = cursor.state, cursor.recording
    phase = f", {state.phase}" if state.phase else ", nothing has happened yet"
    step = "" if state.step is None else f", step {state.step}"
    yield f"{file.name}: {file.title}" if file else recording.name
    yield f"event {cursor.position} of {recording.length}{phase}{step}"
    yield from filter(None, (in_world(recording), recording.incomplete))
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
        yield matches(sum(check.ok for check in promised), len(promised))


_Row = tuple[str, str, str, str]

_HEAD: _Row = ("node", "value", "gradient", "tangent")


def _rows(state: State) -> Iterator[_Row]:
    """Yield a row for each computed node, or for the folded scope that contains it."""
    folded = folds(state.scene)
    if not folded:
        yield from (_row(state, node) for node in _computed(state))
        return
    for line in outline(state.scene, folded):
        if not isinstance(line, ScopeLine):
            if state.value(line) is not None:
                yield _row(state, line)
        elif line.nodes:
            fold = Fold(state, line)
            told = f"{fold.span} {fold.shares}".strip()
            yield f"{printable(line.scope)} ×{fold.count}", "", told, ""


def _row(state: State, node: int) -> _Row:
    told = Node(state, node)
    name = printable(title(state.recording, node))
    return name, told.value_text, told.grad_text, told.tangent_text


def snapshot(file: ScenarioFile | None, cursor: Cursor) -> dict[str, Any]:
    """Return everything about a position as one object for JSON.

    Without a scenario there are no checks. Infinities and nan, which JSON lacks, are the strings
    `inf`, `-inf` and `nan`; a gradient that has not arrived is null. Only nodes computed in
    forward mode have tangents. `incomplete` says why the recording ends early, if it does; `bug`
    is that of its world, if there is one.
    """
    state = cursor.state
    nodes = _keys(state)
    promised = checks(file, cursor.recording, cursor.position) if file else []
    return {
        "scenario": file.name if file else None,
        "position": cursor.position,
        "length": cursor.recording.length,
        "incomplete": cursor.recording.incomplete,
        "bug": str(cursor.recording.world or ""),
        "phase": state.phase,
        "step": state.step,
        "event": _event(cursor.recording, cursor.position),
        "values": {name: for_json(state.value(node)) for name, node in nodes.items()},
        "grads": {name: for_json(state.grad(node)) for name, node in nodes.items()},
        "tangents": _tangents(state, nodes),
        "checks": [check_object(check) for check in promised],
    }


def check_object(check: Check) -> dict[str, Any]:
    """Return an expected value and the actual one as an object for JSON."""
    return {
        "name": check.name,
        "expected": for_json(check.expected),
        "got": for_json(check.got),
        "ok": check.ok,
        "line": check.line,
    }


def words(keys: str) -> list[str]:
    """Split a script of keys as a shell does: ':step 20' is one key.

    Raises:
        CommandError: a quotation mark is missing.
    """
    try:
        return shlex.split(keys)
    except ValueError as error:
        raise CommandError(f"keys {keys!r}: {error}") from error


def _computed(state: State) -> list[int]:
    """Return the nodes of the scene that have a value."""
    return [node for node in state.scene if state.value(node) is not None]


def _keys(state: State) -> dict[str, int]:
    """Return the computed nodes of the scene by the keys that they have in JSON.

    A key is a name. Of nodes of several steps with the same name, the latest has it; the others,
    and those without a name, have `#index`.
    """
    nodes = _computed(state)
    latest = {state.node(node).name: node for node in nodes}
    names = {node: name for name, node in latest.items() if name}
    return {names.get(node, f"#{node}"): node for node in nodes}


def _tangents(state: State, nodes: Mapping[str, int]) -> dict[str, float | str | None]:
    """Return the tangents of the nodes that have one, ready for JSON."""
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
    told = {
        field.name: _field(recording, field.name, getattr(event, field.name))
        for field in fields(event)
        if field.name not in ("kind", "by_hand", "place")
    }
    return described | told | _written(recording, event)


def _written(recording: Recording, event: Event) -> dict[str, Any]:
    """What is to know of an event of a backward pass that the program ran itself.

    The line, and whether what it received is right; in other passes, nothing.
    """
    match event:
        case Seed(by_hand=True, place=Place() as place):
            return {"place": line_of(recording, place)}
        case Accumulate(by_hand=ByHand() as by_hand):
            line, right = line_of(recording, by_hand.place), event.right is None
            return {"expected": for_json(by_hand.expected), "ok": right, "place": line}
    return {}


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
    """Align names left and numbers right, in cells: a wide character takes two."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for name, *numbers in rows:
        cells = [set_cell_size(name, widths[0])]
        cells += [f"{text:>{width}}" for text, width in zip(numbers, widths[1:], strict=True)]
        yield "  ".join(cells)
