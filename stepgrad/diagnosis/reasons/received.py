"""What a gradient has received from a backward pass, and what each contribution is made of."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from stepgrad.diagnosis.reasons.chain import Number
from stepgrad.diagnosis.reasons.slopes import Slope
from stepgrad.numbers import gradient_inline, number
from stepgrad.recording.blocks import Backward
from stepgrad.recording.events import Accumulate
from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.ledger import Contribution, contribution
from stepgrad.replay.telling.narration import narrate


@dataclass(frozen=True)
class Received:
    """A gradient as a pass has left it, or has come to, by a position.

    `column` is its place in the column of the pass.
    """

    recording: Recording
    block: Backward
    column: int
    position: int

    @cached_property
    def node(self) -> int:
        """The node that has received it."""
        return self.block.node(self.column)

    @cached_property
    def _edges(self) -> tuple[Sequence[int], int]:
        """All edges that end here, and how many have been walked."""
        edges = self.block.sweep.incoming[self.column]
        return edges, bisect_right(edges, self.position - self.block.start - 2)

    @cached_property
    def contributions(self) -> Sequence[Contribution]:
        """What has arrived, in order."""
        edges, walked = self._edges
        return [contribution(self.recording, self.block, edge) for edge in edges[:walked]]

    @property
    def missing(self) -> int:
        """How many contributions are still to come."""
        edges, walked = self._edges
        return len(edges) - walked

    @property
    def carried(self) -> float:
        """What the gradient was that the pass adds to."""
        if self.column < self.block.sweep.lasting:
            return 0.0
        return self.recording.history.grad(self.node, self.block.start) or 0.0

    @property
    def before(self) -> Number:
        """The gradient before the pass."""
        return Number("gradient", self.node, self.block.start)

    def upstream(self, of: Contribution) -> Number:
        """The gradient that a contribution passes on."""
        return Number("gradient", of.out, of.position)

    def above(self, of: Contribution) -> Received:
        """What the node that a contribution comes from has received itself."""
        above = self.block.sweep.outs[of.position - self.block.start - 2]
        return Received(self.recording, self.block, above, of.position)

    def slope(self, of: Contribution) -> Slope:
        """The local derivative of a contribution."""
        return Slope.of(self.recording, of.out, of.slot, self.block.start)

    def sources(self, of: Contribution) -> Sequence[Number]:
        """The values that decide the local derivative of a contribution."""
        return self.slope(of).sources(self.recording)

    def told(self, of: Contribution) -> str:
        """A contribution in notation: `dL/dh += dL/dy · ∂y/∂h = −4 · w2 = −4 · 2 = −8`."""
        narration = narrate(self.recording, of.position - 1)
        text = f"{narration.symbols} {narration.numbers}"
        event = self.recording.events[of.position - 1]
        if not isinstance(event, Accumulate) or event.total is None:
            return text
        before, total = gradient_inline(event.before), number(event.total)
        return f"{text} in place of {before}; the sum is {total}"
