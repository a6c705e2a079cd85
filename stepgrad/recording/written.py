"""One write out of a block of them (`Written`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from stepgrad.engine.tape import Place, WriteKind
from stepgrad.recording.blocks import Write


class Written(NamedTuple):
    """A value or a gradient was written: the block, and which of its writes it is."""

    block: Write
    offset: int

    @property
    def kind(self) -> WriteKind:
        """What kind of write it is."""
        return self.block.writes.kinds[self.offset]

    @property
    def node(self) -> int:
        """The node that was written."""
        return self.block.writes.nodes[self.offset]

    @property
    def after(self) -> float:
        """The number that was written."""
        return self.block.after[self.offset]

    @property
    def position(self) -> int:
        """The position just after it."""
        return self.block.start + self.offset + 1

    @property
    def place(self) -> Place | None:
        """The line that wrote it; None where that is not known."""
        return self.block.place(self.offset)


def written(block: Write) -> Iterator[Written]:
    """Yield the writes of a block, in order."""
    return (Written(block, offset) for offset in range(block.length))
