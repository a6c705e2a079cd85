"""The text of a program or a scenario, to show beside a recording."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import PurePath
from typing import Any

from stepgrad.printable import printable_lines
from stepgrad.syntax import read_program

_CELL = re.compile(r"cell \d+")
"""How the path of a notebook's cell ends."""

_INPUT = re.compile(r"In\[(\d+)\]")
"""What IPython calls a cell."""


def place_of(path: str, line: int) -> str:
    """Write a line of a file: `train.py:12`, or `cell 3, line 2` in a notebook."""
    return f"{_file(path)}, line {line}" if is_cell(path) else f"{_file(path)}:{line}"


def is_cell(path: str) -> bool:
    """Whether a path is that of a notebook's cell."""
    return bool(_CELL.fullmatch(_file(path)))


@lru_cache(maxsize=256)  # each event of a recording names a line
def _file(path: str) -> str:
    """Return the last part of a path."""
    return PurePath(path).name


def path_of(file: str) -> str:
    """Return the path to know a file by: `cell 3` for what IPython ran as its input 3.

    To Python, the file of a cell is a number in a temporary folder, which is not there.
    """
    running: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    name_of = getattr(getattr(running, "compile", None), "format_code_name", lambda _: None)
    _, title = name_of(file) or ("", "")
    cell = _INPUT.fullmatch(str(title))
    return f"cell {cell[1]}" if cell else file


@dataclass(frozen=True)
class Source:
    """The text of a file, and the path by which the program knows it."""

    path: str
    text: str

    @property
    def program(self) -> str:
        """The name of the file, without its folders; of a cell, that of its notebook."""
        path = PurePath(self.path)
        return (is_cell(self.path) and path.parent.name) or path.name

    @property
    def is_python(self) -> bool:
        """Whether it is a program, and not a scenario."""
        return self.path.endswith(".py") or is_cell(self.path)

    @cached_property
    def lines(self) -> Sequence[str]:
        """The lines as Python and YAML count them, from 0."""
        lines = re.split(r"\r\n|\n|\r", self.text)
        return lines if lines[-1] else lines[:-1]

    @cached_property
    def docstring(self) -> str:
        """The docstring of a program; empty if it has none, or is not a program."""
        return printable_lines(ast.get_docstring(read_program(self.text)) or "")
