"""What a local derivative is made of (`Slope`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite

from stepgrad.diagnosis.reasons.chain import Number
from stepgrad.diagnosis.reasons.values import numbers_to_follow
from stepgrad.recording.recording import Recording


@dataclass(frozen=True, slots=True)
class Slope:
    """A local derivative at a position: its number, and the values that its formula uses, by node.

    A `shut` gate lets nothing pass, whatever arrives.
    """

    local: float
    shut: bool
    uses: Mapping[int, float]
    position: int

    @classmethod
    def of(cls, recording: Recording, out: int, slot: int, position: int) -> Slope:
        """Return ∂out/∂operand with the values of a position."""
        node, history = recording.node(out), recording.history
        named = dict(zip(node.op.operands, node.operands, strict=True)) | {"out": out}
        names = node.op.partials[slot].names
        uses = {
            each: history.value(each, position) or 0.0
            for name, each in named.items()
            if name in names
        }
        carry = history.carry(out, slot, position)
        return cls(carry(1.0), carry(inf) == 0, uses, position)

    @property
    def born(self) -> bool:
        """Whether it is not finite although all that it is made of is."""
        return not isfinite(self.local) and all(map(isfinite, self.uses.values()))

    def sources(self, recording: Recording) -> Sequence[Number]:
        """The values that decide it, those that nothing computes first.

        Those that are not finite; or else, where it is 0 or infinite, those that are 0; or else all
        that its formula uses.
        """
        wild = [node for node, x in self.uses.items() if not isfinite(x)]
        extreme = not self.local or not isfinite(self.local)
        zeros = [node for node, x in self.uses.items() if x == 0 and extreme]
        return numbers_to_follow(recording, wild or zeros or self.uses, self.position)
