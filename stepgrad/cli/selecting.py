"""Options that say how a file is run and recorded (`HOW`, `BUG`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from stepgrad.engine.world import USAGE, World
from stepgrad.opening import How
from stepgrad.program.named import Selection
from stepgrad.recording.memory import as_bytes

_STEPS = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_ROW = click.IntRange(min=0)
_ROW.name = "whole number"  # as errors call it


def _in_steps(_ctx: click.Context, _param: click.Parameter, text: str | None) -> range | None:
    """Read which training steps are meant: `0-2`, or one of them."""
    if text is None:
        return None
    found = _STEPS.fullmatch(text)
    steps = range(int(found[1]), int(found[2] or found[1]) + 1) if found else range(0)
    if not steps:
        raise click.BadParameter(f"{text!r} is not a range of training steps; write 0-2")
    return steps


def _in_layers(_ctx: click.Context, _param: click.Parameter, text: str | None) -> tuple[str, ...]:
    """Read which modules are meant: their paths, with commas between them."""
    layers = tuple(each.strip(" .") for each in (text or "").split(","))
    if text is not None and not all(layers):
        raise click.BadParameter(f"{text!r} does not name modules; write layers.0,head")
    return layers if text else ()


def _in_bytes(_ctx: click.Context, _param: click.Parameter, size: str | None) -> int | None:
    """Read an amount of memory."""
    try:
        return None if size is None else as_bytes(size)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _in_world(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> World | None:
    """Read which bug a world has."""
    if len(texts) > 1:
        raise click.BadParameter(f"a world has one bug, not {len(texts)}: {', '.join(texts)}")
    try:
        return World.read(texts[0]) if texts else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


MEMORY = click.option(
    "--memory",
    metavar="SIZE",
    callback=_in_bytes,
    help="Limit the memory of the recording, such as 500MB; default: a quarter of what is free.",
)

BUG = click.option(
    "--bug",
    "world",
    metavar="BUG",
    multiple=True,  # to refuse a second one
    callback=_in_world,
    help=f"Run in a world with a bug: {USAGE.replace(' NODE', '=NODE').replace(' K', '=K')}.",
)

_OPTIONS = (
    MEMORY,
    click.option(
        "--only-steps",  # training scripts, and `export`, have a --steps of their own
        metavar="STEPS",
        callback=_in_steps,
        help="PyTorch: record only these training steps, such as 0-2; the first is 0.",
    ),
    click.option(
        "--batch-row",
        metavar="N",
        type=_ROW,
        help="PyTorch: record only the path of sample N of each batch; the first is 0.",
    ),
    click.option(
        "--layers",
        metavar="PATHS",
        callback=_in_layers,
        help="PyTorch: record only these modules, such as layers.0,head.",
    ),
)


def HOW(command: Callable[..., Any]) -> Callable[..., Any]:  # noqa: N802 - an option, as others
    """Add the options to a command, which gets them as one `how`, with `BUG` if it has that."""

    @wraps(command)
    def wrapped(
        *args: Any,
        memory: int | None,
        only_steps: range | None,
        batch_row: int | None,
        layers: tuple[str, ...],
        world: World | None = None,
        **kwargs: Any,
    ) -> Any:
        if batch_row is not None and layers:
            raise click.UsageError("use either --batch-row or --layers")
        how = How(memory, world, Selection(only_steps, batch_row, layers))
        return command(*args, how=how, **kwargs)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
