"""`stepgrad why`: why a number is what it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from stepgrad.cli.arguments import ARGUMENTS, FileCommand, open_recorded
from stepgrad.cli.output import echo, echo_json, wrapped
from stepgrad.cli.selecting import HOW
from stepgrad.diagnosis.reasons import Number, reasons
from stepgrad.export.position import end, find
from stepgrad.numbers import for_json, gradient_inline
from stepgrad.opening import How
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.places import CommandError
from stepgrad.replay.naming import find_node, near
from stepgrad.replay.state import State
from stepgrad.replay.telling.titles import title

_GRAD = ".grad"


@click.command(cls=FileCommand)
@click.argument("file", metavar="FILE")
@click.argument("node", metavar="NODE")
@ARGUMENTS
@click.option("--at", "where", metavar="POSITION", help="At 14, 50%, 'step 20' or a name.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@HOW
def why(  # noqa: PLR0913 - one for each option
    file: str,
    node: str,
    arguments: tuple[str, ...],
    *,
    where: str | None,
    as_json: bool,
    how: How,
) -> None:
    """Say why a number of NODE is what it is, down to what you can change.

    With a name, such as w1 (or #12), that is the value, and the gradient if there is a backward
    pass; with w1.grad, the gradient alone. Each line begins with the event to look at. Positions
    are those of `stepgrad export`: 'step 20' is the end of that step, and without --at, it is the
    end of the recording, or of the last training step.

    \b
      stepgrad why dead_relu w.grad
      stepgrad why nan_origin L --at "step 2"
      stepgrad why --json train.py "#3"
    """
    opened = open_recorded(file, arguments, how)
    recording = opened.recording
    state = State(recording, end(recording) if where is None else find(recording, where))
    asked = [*_asked(state, node)]
    if as_json:
        numbers = [_object(recording, each) for each in asked]
        echo_json({"file": file, "position": state.position, "numbers": numbers})
    else:
        for count, each in enumerate(asked):
            if count:
                echo()
            for line in _lines(recording, each):
                echo(line)
    sys.exit(opened.status)


def _asked(state: State, text: str) -> Iterator[Number]:
    """Yield the numbers that `text` asks for."""
    recording, position = state.recording, state.position
    node = find_node(state, text)
    if node is not None:
        yield Number("value", node, position)
        if state.tangent(node) is not None:
            yield Number("tangent", node, position)
        passes = any(isinstance(block, Backward) for block in recording.blocks)
        if not recording.is_constant(node) and (passes or state.grad(node) is not None):
            yield Number("gradient", node, position)
        return
    if text.endswith(2 * _GRAD):
        raise CommandError(f"`{text[:80]}`: a gradient has no gradient of its own")
    name = text.removesuffix(_GRAD)
    node = find_node(state, name) if name != text else None
    if node is None:
        gradients = (f"{each}{_GRAD}" for each in recording.names(recording.length))
        raise CommandError(f"no node matches `{name[:80]}`{near(state, name, *gradients)}")
    yield Number("gradient", node, position)


def _lines(recording: Recording, asked: Number) -> Iterator[str]:
    """Yield a number, and a line for each reason: its event, and what happened there."""
    shown = gradient_inline(asked.read(recording))
    yield f"{asked.name(recording)} = {shown} at event {asked.position}"
    width = len(str(recording.length))
    for reason in reasons(recording, asked.node, asked.position, asked.of):
        line = reason.line(recording)
        told = f"  {reason.position:>{width}}  {reason.text}{f'   [{line}]' if line else ''}"
        yield from wrapped(told, hanging=width + 4)


def _object(recording: Recording, asked: Number) -> dict[str, Any]:
    return {
        "node": title(recording, asked.node),
        "of": asked.of,
        "number": for_json(asked.read(recording)),
        "reasons": [
            {
                "event": reason.position,
                "node": title(recording, reason.node),
                "line": reason.line(recording) or None,
                "text": reason.text,
            }
            for reason in reasons(recording, asked.node, asked.position, asked.of)
        ],
    }
