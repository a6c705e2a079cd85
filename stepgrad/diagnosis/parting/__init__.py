"""Two recordings side by side: where they part (`first`), why (`why`), and how far (`sides`)."""

from stepgrad.diagnosis.parting.sides import Sides, side_by_side
from stepgrad.diagnosis.parting.why import Operand, Parting, part

__all__ = ["Operand", "Parting", "Sides", "part", "side_by_side"]
