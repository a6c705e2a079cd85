"""`Cursor`: a position in a recording, and how it moves. Moving makes a new cursor."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace

from stepgrad.recording.blocks import Backward, Forward, Marked
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import COMPUTED
from stepgrad.replay.state import State


@dataclass(frozen=True, slots=True)
class Cursor:
    """Position `n` means that n events have happened; `state` is the world as it is then.

    No move leaves the recording: at its ends, a move stays where it is.
    """

    recording: Recording
    position: int = 0

    @property
    def state(self) -> State:
        """What can be asked about this position."""
        return State(self.recording, self.position)

    def seek(self, position: int) -> Cursor:
        """Go to a position, clamped to the recording."""
        return replace(self, position=max(0, min(position, self.recording.length)))

    def step(self, events: int = 1) -> Cursor:
        """Go forward by this many events; back, if the number is negative."""
        return self.seek(self.position + events)

    def next_node(self) -> Cursor:
        """Go forward until the next node is made, or its gradient is complete."""
        block, offset = self._ahead()
        if not isinstance(block, Backward) or offset == 0:
            return self.step()
        complete = block.sweep.completions
        return self.seek(block.start + 1 + complete[bisect_right(complete, offset - 1)])

    def previous_node(self) -> Cursor:
        """Go back to before the last node was made, or its gradient complete."""
        block, offset = self.seek(self.position - 1)._ahead()
        if not isinstance(block, Backward) or offset == 0:
            return self.step(-1)
        complete = block.sweep.completions
        nodes = bisect_right(complete, offset - 1)
        return self.seek(block.start + 1 + (complete[nodes - 1] if nodes else 0))

    def phase_end(self) -> Cursor:
        """Go to the end of the phase: forward, backward, zero, set or update."""
        blocks = self.recording.blocks
        if self.position == self.recording.length:
            return self
        here = self.recording.history.block_at(self.position)
        while here + 1 < len(blocks) and isinstance(blocks[here], Marked):
            here += 1
        phase = blocks[here].phase
        while here + 1 < len(blocks) and blocks[here + 1].phase == phase:
            here += 1
        return self.seek(blocks[here].start + blocks[here].length)

    def phase_start(self) -> Cursor:
        """Go back to the start of the phase."""
        blocks = self.recording.blocks
        if self.position == 0:
            return self
        here = self.recording.history.block_at(self.position - 1)
        while here and isinstance(blocks[here], Marked):
            here -= 1
        phase = blocks[here].phase
        while here and blocks[here - 1].phase == phase:
            here -= 1
        return self.seek(blocks[here].start)

    def next_step(self) -> Cursor:
        """Go to the same point in the next training step."""
        return self._turn(1)

    def previous_step(self) -> Cursor:
        """Go to the same point in the previous training step."""
        return self._turn(-1)

    def _turn(self, by: int) -> Cursor:
        starts = self.recording.steps
        here = bisect_left(starts, self.position) - 1
        there = here + by
        if len(starts) < 2:  # nothing is repeated
            return self
        if not 0 <= there < len(starts):
            return self.seek(starts[0] if here == 0 and by < 0 else self.position)
        offset = 1
        if here >= 0:
            offset = self.position - starts[here] - self._given(starts[here])
            offset = max(offset + self._given(starts[there]), 1)
        end = starts[there + 1] if there + 1 < len(starts) else self.recording.length
        return self.seek(min(starts[there] + offset, end))

    def _given(self, start: int) -> int:
        """Count the leaves with which a step begins: those of a program's first are parameters."""
        blocks, here = self.recording.blocks, self.recording.history.block_at(start)
        while here + 1 < len(blocks) and isinstance(blocks[here], Marked):
            here += 1
        if not isinstance(block := blocks[here], Forward):
            return 0
        structure = block.structure
        computed = (at for at, code in enumerate(structure.codes) if COMPUTED[code])
        return bisect_left(structure.created, next(computed, len(structure)))

    def _ahead(self) -> tuple[object, int]:
        """Return the block of the next event, and the event's offset in it."""
        if self.position >= self.recording.length:
            return None, 0
        block = self.recording.blocks[self.recording.history.block_at(self.position)]
        return block, self.position - block.start
