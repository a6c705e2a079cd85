"""What the rules of an engine wrote in a backward pass (`Wrote`), and when numbers are the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite, isnan, nextafter

from stepgrad.engine.gradcheck import at_kink
from stepgrad.engine.ops import Op
from stepgrad.engine.own import OwnOp
from stepgrad.engine.tape import Place
from stepgrad.recording import events
from stepgrad.recording.blocks import Backward, Block
from stepgrad.recording.foreign import ForeignBackward
from stepgrad.recording.recording import Recording

SAME = 1e-6
"""How far numbers may differ, relative to themselves: an engine may compute in single precision."""

BY_DIFFERENCES = 1e-5
"""The same where the true derivative comes from differences."""

_CANCELLED = 1e-12
"""How far a contribution may be off, relative to the sum that it is read off."""


@dataclass(frozen=True, slots=True)
class Wrote:
    """A rule adds something to the gradient of an operand.

    Args:
        position: just after the event.
        out: the node whose rule it is.
        op: the operation of that.
        slot: which operand receives.
        node: that operand.
        upstream: what arrives at `out`.
        local: the true local derivative.
        before: the gradient of the operand before.
        after: the same after.
        place: the line of the rule.
    """

    position: int
    out: int
    op: Op
    slot: int
    node: int
    upstream: float
    local: float
    before: float
    after: float
    place: Place | None

    @property
    def received(self) -> float:
        """What was added."""
        return self.after - self.before

    @property
    def expected(self) -> float:
        """What is due."""
        return self.upstream * self.local

    def is_(self, want: float) -> bool:
        """Whether what was added is this."""
        return self.close(self.received, want)

    def close(self, got: float, want: float) -> bool:
        """Whether two numbers are the same, up to rounding and the error of differences."""
        scale = max(abs(self.before), abs(self.after))
        off = tolerance(self.op) * max(abs(got), abs(want)) + _CANCELLED * scale
        if by_differences(self.op):
            off += 1e-8 * abs(self.upstream)
        return got == want or abs(got - want) <= off


def by_differences(op: Op) -> bool:
    """Whether the true derivatives of an operation are found by differences."""
    return isinstance(op, OwnOp) and op.by == "differences"


def tolerance(op: Op) -> float:
    """Return how far the local derivatives of an operation may be off."""
    return BY_DIFFERENCES if by_differences(op) else SAME


def foreign_passes(blocks: Sequence[Block]) -> list[ForeignBackward]:
    """Return the backward passes that a program ran itself."""
    return [block for block in blocks if isinstance(block, ForeignBackward)]


def writes_of(recording: Recording, block: Backward) -> Iterator[Wrote]:
    """Yield what the rules wrote in a pass, in order."""
    history = recording.history
    for index in range(block.start + 1, block.start + block.length):
        event = history.event(index)
        assert isinstance(event, events.Accumulate), "a pass has a seed, and contributions"
        op, _ = recording.operation(event.out)
        yield Wrote(
            index + 1,
            event.out,
            op,
            event.slot,
            event.node,
            event.upstream,
            event.local,
            event.before or 0.0,
            event.after,
            event.place,
        )


def sides(recording: Recording, out: int, slot: int, position: int) -> tuple[float, float] | None:
    """Return the least and the greatest derivative at a kink; None where there is no kink.

    Anything in between is right there.
    """
    op, operands = recording.operation(out)
    if op.stored or not op.forward.piecewise:
        return None
    inputs = [recording.history.value(each, position) or 0.0 for each in operands]
    if not at_kink(op, inputs):
        return None
    found = []
    for end in (-inf, inf):
        beside = [nextafter(x, end) if i == slot else x for i, x in enumerate(inputs)]
        found.append(op.local[slot](*beside, op.value(*beside)))
    return min(found), max(found)


def unknown(number: float) -> bool:
    """Whether a true number is not known, or not finite: then nothing is held against it."""
    return isnan(number) or not isfinite(number)
