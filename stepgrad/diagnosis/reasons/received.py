"""What a gradient has received from a backward pass, and what each contribution is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from stepgrad.diagnosis.reasons.chain import Number
from stepgrad.diagnosis.reasons.slopes import Slope
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.ledger import Contribution, contributions
from stepgrad.replay.telling.narration import narrate


@dataclass(frozen=True)
class Received:
    """The gradient of a node as a pass has left it, or has come to, by a position."""

    recording: Recording
    block: Backward
    node: int
    position: int

    @cached_property
    def contributions(self) -> Sequence[Contribution]:
        """What has arrived, in order."""
        return [*contributions(self.recording, self.node, self.position)]

    @property
    def missing(self) -> int:
        """How many contributions are still to come."""
        column = self.block.column(self.node)
        assert column is not None, "the pass has reached it"
        return len(self.block.sweep.incoming[column]) - len(self.contributions)

    @property
    def carried(self) -> float:
        """What the gradient of a leaf was before the pass."""
        if self.recording.node(self.node).operands:
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
        return Received(self.recording, self.block, of.out, of.position)

    def slope(self, of: Contribution) -> Slope:
        """The local derivative of a contribution."""
        return Slope.of(self.recording, of.out, of.slot, self.block.start)

    def sources(self, of: Contribution) -> Sequence[Number]:
        """The values that decide the local derivative of a contribution."""
        return self.slope(of).sources(self.recording)

    def told(self, of: Contribution) -> str:
        """A contribution in notation: `dL/dh += dL/dy · ∂y/∂h = −4 · w2 = −4 · 2 = −8`."""
        narration = narrate(self.recording, of.position - 1)
        return f"{narration.symbols} {narration.numbers}"
