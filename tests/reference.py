"""The reference fold: what a debugger must show, worked out the slow and obvious way.

It knows the events and nothing else of the package: it takes them one by one and keeps the values
and gradients that result. Constants, which have no event, are not in it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isnan

from stepgrad.recording.events import (
    Accumulate,
    ByHand,
    Event,
    Leaf,
    Mark,
    Op,
    Seed,
    SetGrad,
    Update,
    ZeroGrad,
)


@dataclass
class Fold:
    """The world after some events, by node. A gradient that nothing has reached is missing."""

    values: dict[int, float] = field(default_factory=dict)
    grads: dict[int, float] = field(default_factory=dict)
    operands: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        match event:
            case Leaf(node, value):
                self.values[node] = value
            case Op(node, _, operands, value):
                self.values[node] = value
                self.operands[node] = operands
            case Seed(node, _, after):
                for computed in () if event.by_hand else self._computed_ancestors(node):
                    self.grads.pop(computed, None)
                self.grads[node] = after
            case Accumulate(node=node, after=after, by_hand=ByHand()):
                self.grads[node] = after
            case Accumulate(node=node, contribution=contribution):
                self.grads[node] = self.grads.get(node, 0.0) + contribution
            case ZeroGrad(node) | SetGrad(node):
                self.grads[node] = event.after
            case Update(node, _, after):
                self.values[node] = after
            case Mark():
                pass

    def _computed_ancestors(self, root: int) -> set[int]:
        found: set[int] = set()
        pending = [root]
        while pending:
            node = pending.pop()
            if node in self.operands and node not in found:
                found.add(node)
                pending.extend(self.operands[node])
        return found


def fold(events: Iterable[Event]) -> Fold:
    world = Fold()
    for event in events:
        world.take(event)
    return world


def bits(number: float | None) -> bytes | None:
    """What makes two numbers the same number: −0.0 is not 0.0, and nan is nan."""
    if number is None:
        return None
    return b"nan" if isnan(number) else struct.pack("d", number)


def all_bits(numbers: Iterable[float | None]) -> list[bytes | None]:
    return [bits(number) for number in numbers]
