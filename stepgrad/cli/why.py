"""`stepgrad why`: why a number is what it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from textwrap import wrap
from typing import Any

import click

from stepgrad.cli.arguments import ARGUMENTS, MEMORY, FileCommand, say_nothing_happened
from stepgrad.cli.output import echo, echo_json
from stepgrad.diagnosis.reasons import Of, Reason, reasons
from stepgrad.export.position import end, find
from stepgrad.numbers import for_json, gradient_inline
from stepgrad.opening import open_typed
from stepgrad.recording.blocks import Backward
from stepgrad.replay.commands.places import CommandError
from stepgrad.replay.naming import find_node, near
from stepgrad.replay.state import State
from stepgrad.replay.telling.titles import title

_GRAD = ".grad"
WIDTH = 80


@click.command(cls=FileCommand)
@click.argument("file", metavar="FILE")
@click.argument("node", metavar="NODE")
@ARGUMENTS
@click.option("--at", "where", metavar="POSITION", help="At 14, 50%, 'step 20' or a name.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@MEMORY
def why(  # noqa: PLR0913 - one for each option
    file: str,
    node: str,
    arguments: tuple[str, ...],
    *,
    where: str | None,
    as_json: bool,
    memory: int | None,
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
    with redirect_stdout(sys.stderr):
        opened = open_typed(file, arguments, memory)
    if not opened.recording.length:
        say_nothing_happened(file, opened.status)
        sys.exit(opened.status or 2)
    recording = opened.recording
    state = State(recording, end(recording) if where is None else find(recording, where))
    asked = [*_asked(state, node)]
    if as_json:
        numbers = [_object(state, index, of) for index, of in asked]
        echo_json({"file": file, "position": state.position, "numbers": numbers})
    else:
        for count, (index, of) in enumerate(asked):
            if count:
                echo()
            for line in _lines(state, index, of):
                echo(line)
    sys.exit(opened.status)


def _asked(state: State, text: str) -> Iterator[tuple[int, Of]]:
    """Yield the node that `text` names, with each of its numbers that it asks for."""
    recording = state.recording
    node = find_node(state, text)
    if node is not None:
        yield node, "value"
        if state.tangent(node) is not None:
            yield node, "tangent"
        passes = any(isinstance(block, Backward) for block in recording.blocks)
        if not recording.is_constant(node) and (passes or state.grad(node) is not None):
            yield node, "gradient"
        return
    name = text.removesuffix(_GRAD)
    node = find_node(state, name) if name != text else None
    if node is None:
        raise CommandError(f"no node matches `{name[:80]}`{near(state, name)}")
    yield node, "gradient"


def _called(state: State, node: int, of: Of) -> str:
    name = title(state.recording, node)
    match of:
        case "gradient":
            return f"{name}{_GRAD}"
        case "tangent":
            return f"the tangent of {name}"
    return name


def _number(state: State, node: int, of: Of) -> float | None:
    match of:
        case "gradient":
            return state.grad(node)
        case "tangent":
            return state.tangent(node)
    return state.value(node)


def _lines(state: State, node: int, of: Of) -> Iterator[str]:
    """Yield a number, and a line for each reason: its event, and what happened there."""
    shown = gradient_inline(_number(state, node, of))
    yield f"{_called(state, node, of)} = {shown} at event {state.position}"
    found = reasons(state.recording, node, state.position, of)
    width = len(str(state.recording.length))
    for reason in found:
        line = reason.line(state.recording)
        told = reason.text + (f"   [{line}]" if line else "")
        yield from wrap(
            told,
            WIDTH,
            initial_indent=f"  {reason.position:>{width}}  ",
            subsequent_indent=" " * (width + 4),
            break_long_words=False,
            break_on_hyphens=False,
        )


def _object(state: State, node: int, of: Of) -> dict[str, Any]:
    found: Sequence[Reason] = reasons(state.recording, node, state.position, of)
    return {
        "node": title(state.recording, node),
        "of": of,
        "number": for_json(_number(state, node, of)),
        "reasons": [
            {
                "event": reason.position,
                "node": title(state.recording, reason.node),
                "line": reason.line(state.recording) or None,
                "text": reason.text,
            }
            for reason in found
        ],
    }
