"""The timeline: the whole recording in a row, or the training step at hand and its place."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from textual.content import Content

from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.replay.phases import PhaseRun, phases
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.replay.stops.stop import Stop
from stepgrad.replay.training import trains
from stepgrad.tui.render import ink

SHORT = {"forward": "fwd", "backward": "bwd", "zero": "zero", "set": "set", "update": "upd"}

SCANNED = 20_000
"""The most events for which one frame may test a condition."""


class Stretch(NamedTuple):
    """A phase in a timeline: cells from `left`, which stand for positions `first` to `last`.

    They come after a `label` and before a `gap`.
    """

    phase: str
    left: int
    cells: int
    first: int
    last: int
    label: str
    gap: str

    def cell(self, position: int) -> int:
        """The cell of the bar, counted from its left, up to which a position fills it."""
        share = (position - self.first) / (self.last - self.first)
        return max(0, min(int(share * self.cells + 0.5), self.cells) - 1)

    def cells_of(self, events: Sequence[int]) -> Iterator[int]:
        """Yield the cells that stand for any of these events, which are in order."""
        at, end = bisect_left(events, self.first), bisect_left(events, self.last)
        while at < end:
            yield (cell := self.cell(events[at] + 1))
            at = bisect_right(events, cell, at, end, key=lambda event: self.cell(event + 1))

    def position(self, cell: int) -> int:
        """The position at which the bar is filled up to a cell."""
        events = self.last - self.first
        return self.first + max(1, int((cell + 1) / self.cells * events + 0.5))


def timeline(session: Session, width: int, verdicts: Sequence[int] = ()) -> Content:
    """Return the phases as bars, filled as far as the cursor has come, with stops and bookmarks.

    `verdicts` are events to mark as well, in order: each shows what is wrong.

    Where a condition holds is shown for a training step (or a recording without any) of up to
    `SCANNED` events; in a longer one, as far as the last search for it has come.
    """
    state = session.state
    slider = _slider(state, width)
    row: list[ink.Span] = list(slider)
    start = sum(len(text) for text, _ in slider)
    marks = [(_met(session, stop), ink.STOP) for stop in session.stops]
    marks.append((verdicts, ink.VERDICT))
    marks.append(([position - 1 for position in session.bookmarks], ink.BOOKMARK))
    for stretch in stretches(state, width - start):
        style = ink.PHASES.get(stretch.phase, "")
        full = stretch.cell(state.position) + 1 if state.position > stretch.first else 0
        cells = [("█", style)] * full + [("░", ink.QUIET)] * (stretch.cells - full)
        for events, mark in marks:
            for cell in stretch.cells_of(events):
                # Among many marks, it is hard to see how far the bar is filled.
                here = cell == full - 1 and state.position <= stretch.last
                cells[cell] = (mark, ink.CURRENT if here else ink.HALT)
        row += [(stretch.label, ink.QUIET), *cells, (stretch.gap, "")]
    return Content.assemble(*row).truncate(width)


def _met(session: Session, stop: Stop) -> Sequence[int]:
    """Return the events in view that are a reason to stop, in order."""
    recording, (begin, end) = session.recording, session.state.step_bounds
    from stepgrad.replay.stops.language import Condition  # noqa: PLC0415 - once there is a stop

    if isinstance(stop, Condition) and end - begin > SCANNED:
        return stop.seen(recording, begin, end)
    return _all_met(recording, stop, begin, end)


@kept(16)
def _all_met(recording: Recording, stop: Stop, begin: int, end: int) -> Sequence[int]:
    blocks = recording.blocks_between(begin, end)
    return [event for block in blocks for event in stop.matches(recording, block)]


def position_at(state: State, width: int, x: int) -> int | None:
    """Return the position that cell `x` of the timeline stands for."""
    start = sum(len(text) for text, _ in _slider(state, width))
    for stretch in stretches(state, width - start):
        if stretch.left <= x - start < stretch.left + stretch.cells:
            return stretch.position(x - start - stretch.left)
    return None


def stretches(state: State, width: int) -> list[Stretch]:
    """Divide the cells among the phases of the training step, or of the whole recording.

    They fill the width. Too many phases lose their labels; if there is not even a cell for each,
    they become one.
    """
    runs = phases(state.recording, *state.step_bounds)
    if len(runs) > max(width, 1):
        runs = [PhaseRun("", runs[0].first, runs[-1].last)]
    labels = [f"{SHORT.get(phase, phase)} " for phase, _, _ in runs]
    spare = width - sum(map(len, labels)) - 2 * len(runs)  # a cell for each, and one behind it
    gap = " "
    if spare < 0:
        labels, gap, spare = [""] * len(runs), "", max(width - len(runs), 0)
    events = sum(last - first for _, first, last in runs)
    found: list[Stretch] = []
    left = passed = 0
    for label, (phase, first, last) in zip(labels, runs, strict=True):
        given = spare * passed // events
        passed += last - first
        cells = 1 + spare * passed // events - given
        left += len(label)
        found.append(Stretch(phase, left, cells, first, last, label, gap))
        left += cells + len(gap)
    return found


def _slider(state: State, width: int) -> list[ink.Span]:
    """Return the place of the step at hand among all steps, if there are any, and room."""
    steps = len(state.recording.steps)
    if steps < 2 or width < 40:
        return []
    cells = 12
    here = state.step_ordinal
    filled = 0 if here is None else max(1, round(cells * (here + 1) / steps))
    return [
        ("step " if trains(state.recording) else "pass ", ink.QUIET),
        ("━" * filled, ink.CURRENT),
        ("─" * (cells - filled), ink.QUIET),
        ("  ", ""),
    ]
