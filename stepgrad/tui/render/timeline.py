"""The timeline: the whole recording in a row, or the training step at hand and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from textual.content import Content

from stepgrad.recording.blocks import Marked
from stepgrad.recording.recording import Recording
from stepgrad.replay.conditions import NodeStop
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.tui.render import ink

SHORT = {"forward": "fwd", "backward": "bwd", "zero": "zero", "update": "upd"}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase in a timeline: cells from `left`, which stand for positions `first` to `last`."""

    phase: str
    left: int
    cells: int
    first: int
    last: int

    def cell(self, position: int) -> int:
        """The cell of the bar, counted from its left, that a position falls into."""
        share = (position - self.first - 1) / (self.last - self.first)
        return min(int(share * self.cells), self.cells - 1)


def timeline(session: Session, width: int) -> Content:
    """Return the phases as bars, filled as far as the cursor has come, with stops and bookmarks."""
    state = session.state
    slider = _slider(state)
    row: list[ink.Span] = list(slider)
    start = sum(len(text) for text, _ in slider)
    marks = _marks(session)
    for stretch in stretches(state, width - start):
        style = ink.PHASES.get(stretch.phase, "")
        row.append((f"{SHORT.get(stretch.phase, stretch.phase)} ", ink.QUIET))
        done = (state.position - stretch.first) / (stretch.last - stretch.first)
        full = max(0, min(stretch.cells, int(done * stretch.cells + 0.5)))
        full = full or int(done > 0)  # the first event of a phase shows
        cells = [("█", style)] * full + [("░", ink.QUIET)] * (stretch.cells - full)
        for position, mark in marks.items():
            if stretch.first < position <= stretch.last:
                cells[stretch.cell(position)] = (mark, ink.HALT)
        row += [*cells, (" ", "")]
    return Content.assemble(*row)


def _marks(session: Session) -> dict[int, str]:
    """Return the glyph for each position in view that has a bookmark or is stopped at."""
    recording, (begin, end) = session.recording, session.state.step_bounds
    stops = (stop for stop in session.stops if isinstance(stop, NodeStop))
    marks = {
        block.start + offset + 1: ink.STOP
        for stop in stops
        for block in recording.blocks_between(begin, end)
        for offset in stop.candidates(recording, block)
    }
    return marks | dict.fromkeys(session.bookmarks, ink.BOOKMARK)


def position_at(state: State, width: int, x: int) -> int | None:
    """Return the position that cell `x` of the timeline stands for."""
    start = sum(len(text) for text, _ in _slider(state))
    for stretch in stretches(state, width - start):
        if stretch.left <= x - start < stretch.left + stretch.cells:
            share = (x - start - stretch.left + 1) / stretch.cells
            return stretch.first + round(share * (stretch.last - stretch.first))
    return None


def stretches(state: State, width: int) -> list[Stretch]:
    """Divide the cells among the phases of the training step, or of the whole recording."""
    runs = _runs(state.recording, *state.step_bounds)
    labels = sum(len(SHORT.get(phase, phase)) + 2 for phase, _, _ in runs)
    events = sum(last - first for _, first, last in runs)
    room = max(width - labels, len(runs))
    found: list[Stretch] = []
    left = 0
    for phase, first, last in runs:
        cells = max(1, room * (last - first) // max(events, 1))
        left += len(SHORT.get(phase, phase)) + 1
        found.append(Stretch(phase, left, cells, first, last))
        left += cells + 1
    return found


def _runs(recording: Recording, begin: int, end: int) -> list[tuple[str, int, int]]:
    """Return the phases between two positions: each with its first and last position."""
    blocks = [
        block for block in recording.blocks_between(begin, end) if not isinstance(block, Marked)
    ]
    runs = []
    for phase, group in groupby(blocks, key=lambda block: block.phase):
        members = list(group)
        runs.append((phase, members[0].start, members[-1].start + members[-1].length))
    return runs


def _slider(state: State) -> list[ink.Span]:
    """Return where in the training the step at hand stands, if there is any training."""
    steps = len(state.recording.steps)
    if steps < 2:
        return []
    cells = 12
    here = state.step_ordinal
    filled = 0 if here is None else max(1, round(cells * (here + 1) / steps))
    return [
        ("step ", ink.QUIET),
        ("━" * filled, ink.CURRENT),
        ("─" * (cells - filled), ink.QUIET),
        ("  ", ""),
    ]
