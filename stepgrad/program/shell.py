"""`get_ipython()` in a notebook that runs without IPython."""

from __future__ import annotations

import sys
from pathlib import PurePath

from stepgrad.printable import printable


class Shell:
    """What stands in for IPython's shell: it runs no magic, and says what it has skipped.

    Args:
        notebook: the name of the notebook.
    """

    def __init__(self, notebook: str) -> None:
        self._notebook = PurePath(notebook).name

    def skip(self, cell: str, line: int, what: str) -> None:
        """Say that something of a cell is skipped."""
        told = f"{self._notebook}: {cell}, line {line}: skipped: {what.strip()}"
        print(printable(told), file=sys.stderr)

    def _skip_here(self, what: str) -> None:
        frame = sys._getframe(2)
        self.skip(PurePath(frame.f_code.co_filename).name, frame.f_lineno, what)

    def run_line_magic(self, name: str, line: str = "", *_: object) -> None:
        """`%name line`."""
        self._skip_here(f"%{name} {line}")

    def run_cell_magic(self, name: str, line: str = "", _cell: str = "") -> None:
        """`%%name line` above a cell."""
        self._skip_here(f"%%{name} {line}")

    def magic(self, text: str) -> None:
        """`%text`, as older versions write it."""
        self._skip_here(f"%{text}")

    def system(self, command: str) -> None:
        """`!command`."""
        self._skip_here(f"!{command}")
