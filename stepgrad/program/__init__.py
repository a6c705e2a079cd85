"""Running a user's program as Python or Jupyter does, while recording it.

What the program prints, raises and exits with is unchanged; only the log is added. What runs it is
loaded once there is a program to run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stepgrad.program.named import ALL, MODULE, Selection, is_program

if TYPE_CHECKING:
    from stepgrad.program.imported import usual
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

_ON_DEMAND = {
    "ProgramError": "stepgrad.program.parts",
    "Run": "stepgrad.program.running",
    "run_program": "stepgrad.program.running",
    "usual": "stepgrad.program.imported",
}


if not TYPE_CHECKING:  # or a type checker would accept any name

    def __getattr__(name: str) -> Any:
        if name not in _ON_DEMAND:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_ON_DEMAND[name]), name)
