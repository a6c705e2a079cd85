"""Running a user's program as Python or Jupyter does, while recording it.

What the program prints, raises and exits with is unchanged; only the log is added.
"""

from stepgrad.program.imported import ALL, Selection, usual
from stepgrad.program.kinds import MODULE, is_program
from stepgrad.program.parts import ProgramError
from stepgrad.program.running import Run, run_program

__all__ = [
    "ALL",
    "MODULE",
    "ProgramError",
    "Run",
    "Selection",
    "is_program",
    "run_program",
    "usual",
]
