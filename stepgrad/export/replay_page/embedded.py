"""A replay within another page: in a frame of its own, so that no name and no style leaks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape

from stepgrad.errors import StepgradError
from stepgrad.export.position import end
from stepgrad.export.replay_page.assembled import About, replay_page
from stepgrad.export.replay_page.chosen import MOST, chosen
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.places import goto
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.state import State
from stepgrad.scenario.diagnosed import scenario_of

HEIGHT = 720
"""Pixels of the frame."""


@dataclass(frozen=True, slots=True)
class Page:
    """A replay that shows itself in a notebook; `html` is the page, for a file of its own."""

    html: str = field(repr=False)
    title: str
    height: int = HEIGHT

    def _repr_html_(self) -> str:
        """Return a frame that carries the page: there is no other file."""
        return (
            f'<iframe srcdoc="{escape(self.html)}" title="{escape(self.title)}" '
            f'style="width: 100%; height: {self.height}px; border: 0"></iframe>'
        )


def frame(recording: Recording) -> str | None:
    """Return a frame with the replay; None if there is nothing to show, or too much for a page."""
    recording.settle()
    with suppress(StepgradError):
        return show(recording)._repr_html_() if recording.length else None
    return None


def show(
    recording: Recording,
    at: int | str | None = None,
    *,
    steps: Sequence[int] | None = None,
    height: int = HEIGHT,
) -> Page:
    """Return the replay of a recording: as the last value of a cell, a notebook shows it.

    Args:
        recording: what to show; if it is too long for a page, that is the training step around
            `at`, or the last one.
        at: the position that it opens at: an event, or a place such as `"step 20"` or `"w1"`.
        steps: show only the training steps with these numbers.
        height: pixels of the frame.

    Raises:
        StepgradError: there is no such step or place, or there are too many events for a page; or
            what is given is not a recording.
    """
    if not isinstance(recording, Recording):
        kind = type(recording).__name__
        raise StepgradError(f"show() takes a recording, as record() returns it, not {kind}")
    recording.settle()
    if at is None and recording.length > MOST:
        at = State(recording, end(recording)).step_bounds[0] + 1
    position = None if at is None else goto(Cursor(recording), str(at)).position
    ends = chosen(recording, steps, position)
    about = About.of(recording, scenario_of(recording))
    return Page(replay_page(recording, ends, about, position or 0), about.title, height)
