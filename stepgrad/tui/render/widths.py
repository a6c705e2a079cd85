"""How wide the texts of a whole recording get, so that a drawing has room for them beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from stepgrad.numbers import gradient
from stepgrad.recording import events
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.replay.graph.folding import Slot
from stepgrad.replay.training import trains
from stepgrad.tui.render.rule import rule_of

NUMBER = 11
"""The most cells of a number in a box; a wider one loses digits."""

READ = 1000
"""The most events that are read to find out; the numbers of a longer recording get `NUMBER`."""


class Widths(NamedTuple):
    """Cells for the numbers in boxes, and for the chain rule on each edge that has one.

    In training, an edge comes again in each step, and `common` is the room of all of them.
    """

    number: int = NUMBER
    rules: Mapping[Slot, int] = {}
    common: int = 0

    @property
    def known(self) -> bool:
        """Whether the room for the chain rule is known."""
        return bool(self.rules)

    def rule(self, edge: Slot) -> int:
        """Return the cells of the chain rule on an edge."""
        return self.common or self.rules.get(edge, 0)


@kept(1)
def widths(recording: Recording) -> Widths:
    """Measure the texts of a recording."""
    if recording.length > READ:
        return Widths()
    widest, rules = 1, dict[Slot, int]()
    for event in recording.events:
        widest = max(widest, *(len(gradient(x)) for x in _numbers(event)), 1)
        if isinstance(event, events.Accumulate):
            edge = event.out, event.slot
            rules[edge] = max(rules.get(edge, 0), len(rule_of(event).line))
    common = max(rules.values(), default=0) if trains(recording) else 0
    return Widths(min(widest, NUMBER), rules, common)


def _numbers(event: events.Event) -> Iterator[float]:
    """Yield the numbers that an event puts into a box."""
    match event:
        case events.Leaf() | events.Op():
            yield event.value
            if event.tangent is not None:
                yield event.tangent
        case events.Mark():
            pass
        case _:
            yield event.after
