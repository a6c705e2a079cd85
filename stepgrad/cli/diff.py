"""`stepgrad diff`: two recordings side by side."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from typing import Any

import click

from stepgrad import headless
from stepgrad.cli.arguments import nothing_recorded
from stepgrad.cli.output import echo, echo_json, wrapped
from stepgrad.cli.selecting import BUG, HOW
from stepgrad.diagnosis.parting import Comparison, Parting, part, side_by_side
from stepgrad.numbers import for_json, gradient
from stepgrad.opening import How, of_use, open_typed, refuse_idle
from stepgrad.printable import counted, few, printable
from stepgrad.recording.recording import Recording
from stepgrad.replay.difference import Change
from stepgrad.replay.state import State
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.titles import line_of, made_by

_ROWS = 10
"""The most names to list as text."""

_NAMED = 4
"""The most names to show that one of them lacks."""


@click.command(name="diff")
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@BUG
@HOW
def diff(first: str, second: str | None, *, as_json: bool, how: How) -> None:
    """Compare two recordings: where A and B part, why, and what is furthest apart.

    A and B are scenarios, recordings, or programs without arguments; --bug is for B, which is A
    again if it is left out. Event by event, the first difference is another input, another
    operation, another order of a sum, or another number, with what it is made of. Then come the
    names that differ most, at the end; where one has fewer training steps, after its last.

    nan equals nan, and 0 equals −0; other numbers have to be the same to the last digit. Names,
    lines, and settings of an optimizer that change no number do not count.

    JSON has `same`; `files` and `bugs` of both; `parting`, which is null or has the `event`, the
    `reason` (end, event, input, operation, order, number), a `text`, the `operands` (`name` and
    `numbers`), and of both the `events` and `lines`; `step` and `positions`, where `differences`
    (`name`, `values`, `gradients`, `tangents`) are taken; and `only`, the names that one lacks.

    The exit status is 0 if they are the same, 1 if they differ, and 2 if one cannot be opened.

    \b
      stepgrad diff before.stepgrad after.stepgrad
      stepgrad diff xor_relu xor_relu_dead --json
      stepgrad diff sum_over_paths --bug overwrite
    """
    if second is None and how.world is None:
        raise click.UsageError("Missing argument 'B': a second file, or --bug.")
    names = first, first if second is None else second
    refuse_idle(names, how._replace(world=None))
    first_how, second_how = (of_use(how._replace(world=None), each) for each in names)
    both = _opened(names[0], first_how), _opened(names[1], second_how._replace(world=how.world))
    parting = part(*both)
    sides = side_by_side(*both) if parting else None
    if as_json:
        echo_json(_as_object(names, both, parting, sides))
    else:
        for line in _lines(names, both, parting, sides):
            echo(line)
    sys.exit(int(parting is not None))


def _opened(name: str, how: How) -> Recording:
    with redirect_stdout(sys.stderr):
        opened = open_typed(name, (), how)
    if not opened.recording.length:
        raise nothing_recorded(name, opened.recording)
    return opened.recording


_Both = tuple[Recording, Recording]


def _lines(
    names: tuple[str, str], both: _Both, parting: Parting | None, sides: Comparison | None
) -> Iterator[str]:
    for letter, name, recording in zip("AB", names, both, strict=True):
        told = headless.summary(recording).removeprefix(f"{recording.name}: ")
        yield printable(f"{letter} {name}: {told}")
    yield ""
    if parting is None or sides is None:
        yield f"the same, in all {counted(both[0].length, 'event')}"
        return
    where = f"event {parting.event:,} ({_REASONS[parting.reason]})"
    yield from wrapped(f"they first differ at {where}: {parting.text}")
    for letter, told in zip("AB", _events(both, parting), strict=True):
        yield f"  {letter}  {told or '(it has ended)'}"
    for operand in parting.operands:
        yield f"  {operand.name} = {_told(operand.numbers)}"
    yield ""
    yield from _table(sides)


_REASONS = {
    "end": "one ends",
    "event": "another event",
    "input": "another input or setting",
    "operation": "another operation",
    "order": "another order",
    "number": "another number",
}


def _events(both: _Both, parting: Parting) -> Sequence[str]:
    """What happens there in each, with the line of the program."""
    texts = []
    for recording, line in zip(both, _places(both, parting), strict=True):
        if parting.event > recording.length:
            texts.append("")
            continue
        told = str(narrate(recording, parting.event - 1))
        texts.append(told if not line or line in told else f"{told}  ({line})")
    return texts


def _places(both: _Both, parting: Parting) -> Sequence[str]:
    """The lines of both programs that made the event; empty where that is not known."""
    lines = []
    for recording in both:
        state = State(recording, min(parting.event, recording.length))
        line = line_of(recording, state.place) if state.place else ""
        # A contribution comes from the backward step of the line that made `out`.
        node = getattr(state.event, "out", state.focus)
        if not line and node is not None:
            line = made_by(recording, recording.node(node))
        lines.append(line if parting.event <= recording.length else "")
    return lines


def _told(change: Change) -> str:
    before, after = map(gradient, change)
    return before if before == after else f"{before} → {after}"


def _table(sides: Comparison) -> Iterator[str]:
    where = "at the end" if sides.step is None else f"at the end of step {sides.step}"
    rows, only = sides.rows, sides.only
    names = counted(len(rows), "name")
    yield f"{where}, {names} differ{'s' if len(rows) == 1 else ''}{':' if rows else ''}"
    table = [("", "value A → B", "gradient A → B")]
    for row in rows[:_ROWS]:
        forward = row.tangent != (None, None)
        rate = f"tangent {_told(row.tangent)}" if forward else _told(row.grad)
        table.append((row.name, _told(row.value), rate))
    if rows:
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for cells in table:
            yield "  ".join(["", *map(str.ljust, cells, widths)]).rstrip()
    if len(rows) > _ROWS:
        yield f"  … {len(rows) - _ROWS} more"
    for letter, some in zip("AB", only, strict=True):
        if some:
            yield f"only in {letter}: {few(some, _NAMED)}"


def _as_object(
    names: tuple[str, str], both: _Both, parting: Parting | None, sides: Comparison | None
) -> dict[str, Any]:
    return {
        "same": parting is None,
        "files": [*names],
        "bugs": [str(recording.world or "") for recording in both],
        "parting": None if parting is None else _parting(both, parting),
        "step": None if sides is None else sides.step,
        "positions": [recording.length for recording in both] if sides is None else sides.positions,
        "differences": [
            {
                "name": row.name,
                "values": _pair(row.value),
                "gradients": _pair(row.grad),
                "tangents": _pair(row.tangent),
            }
            for row in (sides.rows if sides else ())
        ],
        "only": [[], []] if sides is None else [*sides.only],
    }


def _parting(both: _Both, parting: Parting) -> dict[str, Any]:
    return {
        "event": parting.event,
        "reason": parting.reason,
        "text": parting.text,
        "operands": [
            {"name": each.name, "numbers": _pair(each.numbers)} for each in parting.operands
        ],
        "events": [*_events(both, parting)],
        "lines": [*_places(both, parting)],
    }


def _pair(change: Change) -> list[Any]:
    return [for_json(x) for x in change]
