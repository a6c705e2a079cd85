"""A backward pass that keeps what it has to hand on in a stack or a queue (`Worklist`).

Each node that is taken from there adds what arrives with it to its gradient, and puts its operands
there with their shares: path by path, as a recursive `backward(upstream)` goes. When a node comes
off, no variable says any more whose operand it was. So what waits is kept here, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import NamedTuple

from stepgrad.engine.ops import CONSTANT
from stepgrad.foreign.nodes import Shadow, same

LOST = "a backward pass with a worklist could not be followed, so no gradient is checked"

_ROUNDED = 1e-6


class Share(NamedTuple):
    """What an operand of `out` is due of a gradient that has arrived there."""

    out: Shadow
    slot: int
    arrived: float

    @property
    def due(self) -> float | None:
        """The right number; None where it is not known."""
        op = self.out._operation
        if not op.stored:
            with suppress(ArithmeticError, ValueError):
                inputs = [each._data for each in self.out._operands]
                return self.arrived * op.local[self.slot](*inputs, self.out._data)
        return None


class Worklist:
    """What waits in a pass, which is one call of a function: its `frame`."""

    def __init__(self) -> None:
        self.frame: FrameType | None = None
        self._waiting: dict[Shadow, list[Share]] = {}
        self._latest: dict[Shadow, float] = {}

    def clear(self) -> None:
        """The pass is over."""
        self.frame = None
        self._waiting.clear()
        self._latest.clear()

    def arrived(self, node: Shadow, number: float) -> None:
        """A number has come to a node: its operands are put on the list."""
        self._latest[node] = number
        for slot, each in enumerate(node._operands):
            if isinstance(each, Shadow) and each._operation is not CONSTANT:
                self._waiting.setdefault(each, []).append(Share(node, slot, number))

    def take(self, node: Shadow, number: float) -> tuple[Share | None, bool]:
        """Return the share that a node is taken from the list with, and whether that is certain.

        It is the latest that fits, or just the latest; None if none waits. The recording has no
        place for one of which its owner has received something else since.
        """
        waiting: Sequence[Share] = self._waiting.get(node, ())
        if not waiting:
            return None, False
        dues = [share.due for share in waiting]
        fitting = [at for at, due in enumerate(dues) if due is not None and _fits(number, due)]
        together = len(dues) > 1 and not fitting and _fits(number, sum(due or 0.0 for due in dues))
        share = self._waiting[node].pop(fitting[-1] if fitting else -1)
        self.arrived(node, number)
        return share, not together and self._is_latest(share.out, share.arrived)

    def goes_on(self, out: Shadow, number: float | None, node: Shadow, share: float) -> bool:
        """Whether a node hands on what has come to it last, where it adds to its operand itself."""
        self._latest[node] = share
        return number is not None and self._is_latest(out, number)

    def _is_latest(self, node: Shadow, number: float) -> bool:
        return same(self._latest.get(node, number), number, _ROUNDED)


def _fits(number: float, due: float) -> bool:
    return same(number, due, _ROUNDED)
