"""Running a user's program as `python program.py arguments` does, while recording it.

What the program prints, raises and exits with is unchanged; only the log is added.
"""

from stepgrad.program.running import ProgramError, Run, run_program

__all__ = ["ProgramError", "Run", "run_program"]
