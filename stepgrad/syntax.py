"""Text that a person wrote, read with Python's parser, and without its warnings.

What it warns about, such as `1if x else 2`, is reported by whoever reads the tree, or is no concern
of ours. Programs may be cells of notebooks, where IPython adds to Python.
"""

from __future__ import annotations

import ast
import re
import tokenize
import warnings
from collections.abc import Sequence
from io import StringIO

_MAGIC = re.compile(
    r"[ \t]*(?:[%!?]|[\w., ]+=[ \t]*[%!][^=]|[\w.*]+(?:\[[^]#]*\][\w.]*)*\?\??[ \t]*$)"
)
_PYTHON_MAGIC = re.compile(r"%%(?:time|timeit|capture|prun)\b")
"""Cell magics whose cell is Python all the same."""
_PARTS = re.compile(r"([ \t]*)(%(?:time|prun)(?=[ \t]+[^-\s])|.*)(.*)")
"""The indent of a line, what is skipped, and a statement behind it that runs all the same."""


def parse(text: str) -> ast.Module:
    """Return the syntax tree of statements; raises what `ast.parse` does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def parse_expression(text: str) -> ast.expr:
    """Return the syntax tree of an expression; raises what `ast.parse` does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, mode="eval").body


def parse_program(text: str) -> ast.Module:
    """Return the syntax tree of a program, or of a cell with what IPython adds.

    Raises what `ast.parse` does.
    """
    try:
        return parse(text)
    except SyntaxError:
        return parse(without_magics(text)[0])


def read_program(text: str) -> ast.Module:
    """Return the syntax tree of a program; that of an empty one if Python cannot read it."""
    try:
        return parse_program(text)
    except (SyntaxError, SystemError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def without_magics(text: str) -> tuple[str, Sequence[tuple[int, str]]]:
    """Return the Python of a cell, and which lines are not: numbers and texts.

    A line that is skipped becomes `pass`, or the statement that it times, so that the others keep
    their numbers, and a block that consists of it stays one.
    """
    lines, skipped = text.split("\n"), list[tuple[int, str]]()
    if lines[0].startswith("%%") and not _PYTHON_MAGIC.match(lines[0]):
        return "\n" * (len(lines) - 1), [(1, f"{lines[0]} … (the whole cell)")]
    for at, line in enumerate(lines):
        if _MAGIC.match(line) and _is_complete("\n".join(lines[:at])):
            indent, magic, statement = _PARTS.findall(line)[0]
            skipped.append((at + 1, magic))
            lines[at] = f"{indent}{statement.lstrip() or 'pass'}"
    return "\n".join(lines), skipped


def _is_complete(text: str) -> bool:
    """Whether the next line begins a statement: it is in no bracket and in no string."""
    try:
        for _ in tokenize.generate_tokens(StringIO(text).readline):
            pass
    except (tokenize.TokenError, SyntaxError):
        return False
    return not text.endswith("\\")
