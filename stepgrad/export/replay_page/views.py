"""`View`: a training step on the page, with the history of each of its parts.

A page has few parts and many positions, and an event changes next to none of the parts. So each
has a history: what it is like, and from which position on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from stepgrad.export.figure import PAGE, part_of
from stepgrad.export.replay_page.parts import Key, Lens, Look
from stepgrad.recording.recording import Recording
from stepgrad.replay.state import State

ROOM = 40
"""About how many boxes a graph has once its scopes are folded."""


class Moment(NamedTuple):
    """What a part is like from a position on."""

    position: int
    look: Look


class View:
    """A training step of a recording, or the whole of a recording that has none.

    `drawn` is what its graph shows; `last` is the position at its end, which has all of it.
    """

    def __init__(self, recording: Recording, end: int) -> None:
        self.recording = recording
        state = State(recording, end)
        self.begin, self.end = state.step_bounds
        self.drawn = part_of(state, PAGE, ROOM, hops=4)
        self.last = Lens(state, self.drawn)

    @property
    def positions(self) -> range:
        """Its positions; the one before its first event is the last of the step before it."""
        return range(self.begin + (self.begin > 0), self.end + 1)

    @cached_property
    def boxes(self) -> Mapping[int, Key]:
        """The boxes of the graph, operands first, each with the part that it shows."""
        graph = self.drawn.graph
        return {
            box: Key("node" if graph.scope(box) is None else "scope", box)
            for box in self.drawn.entering
        }

    @cached_property
    def numbers(self) -> Mapping[Key, int]:
        """All parts, each with its number on the page."""
        nodes = [Key("node", node) for node in self.last.state.scene]
        keys = dict.fromkeys((Key("heading"), *nodes, *self.boxes.values()))
        edges = (edge for box in self.boxes for edge in self.edges(box))
        return {key: number for number, key in enumerate((*keys, *edges))}

    def edges(self, box: int) -> Sequence[Key]:
        """The edges into a box."""
        return [Key("edge", box, number) for number in range(len(self.drawn.entering[box]))]

    @cached_property
    def histories(self) -> Sequence[Sequence[Moment]]:
        """The moments at which each part changes, part by part."""
        found: list[list[Moment]] = [[] for _ in self.numbers]
        for position in self.positions:
            lens = Lens(State(self.recording, position), self.drawn)
            first = position == self.positions[0]
            for key in self.numbers if first else self._touched(position):
                look, history = lens.look(key), found[self.numbers[key]]
                if not history or history[-1].look != look:
                    history.append(Moment(position, look))
        return found

    def _touched(self, position: int) -> Iterator[Key]:
        """Yield every part that an event may change: all of them at the ends of a block.

        Within a block, these are the node that the event is about, the one that was highlighted
        before, and what leads into them and into what they lead into.
        """
        block = self.recording.blocks[self.recording.history.block_at(position - 1)]
        if position in (block.start + 1, block.start + block.length):
            yield from self.numbers
            return
        for each in (position - 1, position):
            focus = State(self.recording, each).focus
            if focus is not None:
                yield from self._around(focus)

    def _around(self, node: int) -> Iterator[Key]:
        graph = self.drawn.graph
        box = graph.box_of(node)
        around = [box, *(graph.consumers(box) if box in graph.scene else ())]
        nodes = (Key("node", node), *(self.boxes[each] for each in (box,) if each in self.boxes))
        yield from (key for key in nodes if key in self.numbers)
        yield from (edge for each in around if each in self.boxes for edge in self.edges(each))
