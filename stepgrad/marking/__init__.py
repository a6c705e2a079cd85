"""Marks for programs: functions and classes of a student's file against true gradients.

`submission.py` starts a process for each exercise, with bounds; `__main__.py` is that process, and
`judging.py` what it says. The bounds protect from mistakes, not from malice: this is no sandbox.
"""

from stepgrad.marking.submission import grade_program

__all__ = ["grade_program"]
