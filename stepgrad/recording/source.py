"""The text of a program or a scenario, to show beside a recording."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from stepgrad.printable import printable_lines
from stepgrad.syntax import parse


@dataclass(frozen=True)
class Source:
    """The text of a file, and the path by which the program knows it."""

    path: str
    text: str

    @cached_property
    def lines(self) -> Sequence[str]:
        """The lines as Python and YAML count them, from 0."""
        lines = re.split(r"\r\n|\n|\r", self.text)
        return lines if lines[-1] else lines[:-1]

    @cached_property
    def docstring(self) -> str:
        """The docstring of a program; empty if it has none, or is not a program."""
        try:
            return printable_lines(ast.get_docstring(parse(self.text)) or "")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ""
