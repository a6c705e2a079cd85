"""`stepgrad export --to html --replay`: the replay as a page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

import click

from stepgrad.opening import Opened, words_of
from stepgrad.printable import counted
from stepgrad.replay.commands.places import goto
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.state import State
from stepgrad.scenario.load import ScenarioFile

_STEPS = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def _in_steps(
    _ctx: click.Context, _param: click.Parameter, text: str | None
) -> Sequence[int] | None:
    """Read numbers of training steps: `0,10,99` or `0-3,99`."""
    if text is None:
        return None
    steps: list[int] = []
    for part in text.split(","):
        found = _STEPS.fullmatch(part.strip())
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if not first <= last < first + _MANY:
            raise click.BadParameter(f"{text!r} is not a list of training steps; write 0,10,99")
        steps += range(first, last + 1)
    return steps


_MANY = 10_000
"""More steps than any page has room for."""

STEPS = click.option(
    "--steps",
    metavar="STEPS",
    callback=_in_steps,
    help="With --replay: only these training steps, such as 0,10,99 or 0-3.",
)


def written(
    opened: Opened,
    scenario: ScenarioFile | None,
    steps: Sequence[int] | None,
    where: str | None,
    typed: Sequence[str],
) -> tuple[str, str]:
    """Return a page of what was opened by the words `typed`, and what is on it.

    Raises:
        StepgradError: there is no such step or place, or there are too many events for a page.
    """
    from stepgrad.export.replay_page import About, chosen, replay_page  # noqa: PLC0415 - if asked

    recording = opened.recording
    at = None if where is None else goto(Cursor(recording), where).position
    ends = chosen(recording, steps, at)
    bounds = [State(recording, end).step_bounds for end in ends]
    events = sum(last - begin for begin, last in bounds)
    of = "" if events == recording.length else f" of {recording.length:,}"
    page = replay_page(recording, ends, About.of(recording, scenario, _command(typed)), at or 0)
    return page, f"{counted(events, 'event')}{of}"


def _command(typed: Sequence[str]) -> str:
    """Return the command that opens the same in the terminal, with a place for the position."""
    file, *arguments = typed
    return f"stepgrad run --at {{}} {shlex.join([*words_of(file), *arguments])}"
