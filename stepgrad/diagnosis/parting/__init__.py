"""Two recordings: where they part (`first`), why (`why`), and how far apart (`comparison`)."""

from stepgrad.diagnosis.parting.comparison import Comparison, side_by_side
from stepgrad.diagnosis.parting.why import Operand, Parting, part

__all__ = ["Comparison", "Operand", "Parting", "part", "side_by_side"]
