"""The vocabulary: everything that can happen in a recording, one class each.

Nodes are named by their index in the recording. Every event has a `phase`, the part of a training
step it belongs to, and a `focus`, the node it is about.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

from stepgrad.engine import ops
from stepgrad.engine.tape import Place, Rule

Phase = Literal["mark", "forward", "backward", "zero", "set", "update"]

_CLOSE = 1e-6  # a local derivative may be one by differences
_ROUNDING = 1e-14  # what is left of a small contribution to a large gradient


@dataclass(frozen=True, slots=True)
class Mark:
    """A training step, a sample or a phase begins."""

    phase: ClassVar[Phase] = "mark"
    kind: str
    number: int | None
    focus: ClassVar[None] = None


@dataclass(frozen=True, slots=True)
class _AtNode:
    node: int

    @property
    def focus(self) -> int:
        """The node that the event is about: made, seeded, written, or given a contribution."""
        return self.node


@dataclass(frozen=True, slots=True)
class Leaf(_AtNode):
    """A number that is not computed came in: an input or a parameter.

    `tangent` is its derivative with respect to the input that forward mode differentiates with
    respect to; None without forward mode.
    """

    phase: ClassVar[Phase] = "forward"
    value: float
    tangent: float | None = None


@dataclass(frozen=True, slots=True)
class Op(_AtNode):
    """A node was computed from its operands, and in forward mode its `tangent` from theirs."""

    phase: ClassVar[Phase] = "forward"
    op: ops.Op
    operands: tuple[int, ...]
    value: float
    tangent: float | None = None


@dataclass(frozen=True, slots=True)
class Seed(_AtNode):
    """A backward pass starts: droot/droot is 1.

    The gradients of all computed nodes that `node` depends on are cleared with this event: they
    belong to one pass. Those of leaves stay, and add up. If the program runs the pass itself
    (`by_hand`), it clears nothing, and may seed with any number.
    """

    phase: ClassVar[Phase] = "backward"
    before: float | None
    after: float
    by_hand: bool = field(default=False, repr=False)
    place: Place | None = field(default=None, repr=False)

    @property
    def seeded(self) -> bool:
        """Whether there is a seed: a program may forget it."""
        return not self.by_hand or self.after != (self.before or 0.0) or self.after != 0


class ByHand(NamedTuple):
    """How a rule of the program's own wrote: at which line, and the contribution that was right."""

    expected: float
    place: Place


@dataclass(frozen=True, slots=True)
class Accumulate(_AtNode):
    """One edge of the chain rule: `node.grad += upstream · local`.

    `out` was computed from `node`, its operand number `slot`; `upstream` is the finished gradient
    of `out`, `local` is ∂out/∂node, `contribution` their product, or 0 where a gate is shut.
    `before` is None where nothing had reached `node`.

    Where the program runs the pass itself (`by_hand`), `upstream` is the gradient that `out` had
    by then, and `contribution` is what the rule has changed, right or wrong.
    """

    phase: ClassVar[Phase] = "backward"
    out: int
    slot: int
    upstream: float
    local: float
    contribution: float
    before: float | None
    after: float
    by_hand: ByHand | None = field(default=None, repr=False)

    @property
    def expected(self) -> float:
        """The right contribution: upstream · local, or 0 where a gate is shut."""
        return self.contribution if self.by_hand is None else self.by_hand.expected

    @property
    def place(self) -> Place | None:
        """The line of the rule; None where it is not the program's."""
        return None if self.by_hand is None else self.by_hand.place

    @property
    def right(self) -> float | None:
        """The right contribution, where a rule of the program has passed on another one."""
        return None if self.by_hand is None or self._is(self.expected) else self.expected

    @property
    def total(self) -> float | None:
        """The right sum, where a rule has put its contribution in the place of what was there.

        That is a `=` instead of a `+=`.
        """
        alone = self.after == self.expected or abs(self.after - self.expected) <= self._slack
        return (
            self.before + self.expected
            if self.before and self.right is not None and alone
            else None
        )

    def _is(self, expected: float) -> bool:
        if self.contribution == expected or abs(self.contribution - expected) <= self._slack:
            return True
        # What is added to an infinite gradient, or to one that is nan, cannot be told from the sum.
        due = (self.before or 0.0) + expected
        return due == self.after or (due != due and self.after != self.after)

    @property
    def _slack(self) -> float:
        """How far rounding may take what is right."""
        scale = max(abs(self.before or 0.0), abs(self.after))
        return _CLOSE * abs(self.expected) + _ROUNDING * scale


@dataclass(frozen=True, slots=True)
class ZeroGrad(_AtNode):
    """A gradient was cleared."""

    phase: ClassVar[Phase] = "zero"
    before: float | None
    after: ClassVar[float] = 0.0


@dataclass(frozen=True, slots=True)
class SetGrad(_AtNode):
    """A gradient was overwritten: clipped (`rule` says how), or set by hand."""

    phase: ClassVar[Phase] = "set"
    before: float | None
    after: float
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Update(_AtNode):
    """A value was changed in place; `rule` says how, if an optimizer did it."""

    phase: ClassVar[Phase] = "update"
    before: float
    after: float
    rule: Rule | None


Event = Mark | Leaf | Op | Seed | Accumulate | ZeroGrad | SetGrad | Update
