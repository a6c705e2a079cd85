"""Where a replay stops: at a node, at a change of it, or where a condition holds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from stepgrad.progress import advance
from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.kept import kept
from stepgrad.recording.numbered import node_called, unnumbered
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import Context, Structure
from stepgrad.replay.telling.titles import short_title


class Stop(Protocol):
    """A reason to stop: `text` says which."""

    @property
    def text(self) -> str:
        """What a person typed or pointed at."""

    def matches(self, recording: Recording, block: Block) -> Sequence[int]:
        """The events of a block that are a reason, in order."""

    def __hash__(self) -> int: ...


def reason(recording: Recording, stops: Iterable[Stop], index: int) -> Stop | None:
    """Return the reason to stop at an event, if there is one."""
    block = recording.blocks[recording.history.block_at(index)]
    for stop in stops:
        if _nearest(stop.matches(recording, block), index, forward=True) == index:
            return stop
    return None


def find(
    recording: Recording, stops: Iterable[Stop], start: int, *, forward: bool
) -> tuple[int, Stop] | None:
    """Return the nearest event that is a reason to stop, and the reason.

    Forward, from event `start` on; backward, among those before it. Of several reasons, the first.
    """
    stops = tuple(stops)
    blocks = recording.blocks
    ahead = recording.length - start if forward else start
    if not stops or ahead <= 0:
        return None
    here = recording.history.block_at(start if forward else start - 1)
    for number in range(here, len(blocks)) if forward else range(here, -1, -1):
        block = blocks[number]
        passed = block.start - start if forward else start - block.start - block.length
        advance(max(passed, 0), ahead)
        found = [
            (event, stop)
            for stop in stops
            if (event := _nearest(stop.matches(recording, block), start, forward=forward))
            is not None
        ]
        if found:
            return (min if forward else max)(found, key=lambda each: each[0])
    return None


def _nearest(events: Sequence[int], start: int, *, forward: bool) -> int | None:
    at = bisect_left(events, start) - (not forward)
    return events[at] if 0 <= at < len(events) else None


class NodeStop(NamedTuple):
    """Stop at a node: in a training loop, at its counterpart in every step.

    Without `every`, where it is made and where its gradient is complete; with it, at each change of
    its value or gradient. Its counterpart is the node at the same place in a pass of the same
    shape, or the one with the same name; that of `h₁` is `h` where there is only one.
    """

    text: str
    node: int
    structure: Structure
    context: Context
    offset: int
    name: str | None
    every: bool = False

    @classmethod
    def at(cls, recording: Recording, node: int, *, every: bool = False) -> NodeStop:
        """Make one for a node of a recording."""
        made, name = recording.history.forward_of(node), recording.node(node).name
        text = short_title(recording, node)
        offset = node - made.base
        return cls(text, node, made.structure, made.context, offset, name, every)

    def covers(self, recording: Recording, node: int) -> bool:
        """Whether it stops at a node: this one, or a counterpart."""
        made = recording.history.forward_of(node)
        return node == self.node or node - made.base == self._like(recording, made)

    def _like(self, recording: Recording, forward: Forward) -> int | None:
        """Return where in a pass the node's like is made."""
        called = recording.called(forward)
        if forward.structure is self.structure and forward.context is self.context:
            name = called.names.get(self.offset)
            if name in (self.name, None):  # not of another round of its loop
                return self.offset
        return None if self.name is None else _offset(called, self.name)

    def matches(self, recording: Recording, block: Block) -> Sequence[int]:
        """Return the events about the node, or about its counterpart in the step at hand."""
        return [block.start + offset for offset in self._offsets(recording, block)]

    def _offsets(self, recording: Recording, block: Block) -> Sequence[int]:
        match block:
            case Forward():
                like = self._like(recording, block)
                return [] if like is None else [bisect_left(block.structure.created, like)]
            case Backward():
                likes = ((forward.base, self._like(recording, forward)) for forward in block.over)
                nodes = {base + like for base, like in likes if like is not None}
                found: list[int] = []
                for node in {self.node, *nodes}:
                    column = block.column(node)
                    if column is not None and column not in block.sweep.unwritten:
                        edges = [1 + edge for edge in block.sweep.incoming[column]] or [0]
                        found += edges if self.every else edges[-1:]
                return sorted(found)
            case Write() if self.every:
                written = block.writes.nodes
                return [i for i, node in enumerate(written) if self.covers(recording, node)]
        return []


@kept(4)
def _offset(called: Context, name: str) -> int | None:
    """Return the offset of the node of this name in a pass, also where only one has a number."""
    names = {each: offset for offset, each in called.names.items()}
    return names.get(unnumbered(name)) if (like := node_called(names, name)) is None else like
