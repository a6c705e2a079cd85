"""Two recordings: where they differ first (`first`), why (`why`), how far (`comparison`)."""

from stepgrad.diagnosis.parting.comparison import Comparison, side_by_side
from stepgrad.diagnosis.parting.why import Operand, Parting, part

__all__ = ["Comparison", "Operand", "Parting", "part", "side_by_side"]
