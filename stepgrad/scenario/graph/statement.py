"""One statement of a graph scenario: `name = expression`.

Python's own parser reads the text, so that precedence and spelling are familiar; `expression`
translates the result, and none of it is ever run.
"""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from stepgrad.errors import StepgradError
from stepgrad.scenario.graph.expression import (
    MAX_DEPTH,
    Expr,
    Translator,
    column_in,
    is_row,
    is_too_deep,
)
from stepgrad.syntax import parse

MAX_LENGTH = 2_000
"""Characters in a statement."""

_FORM = "expected a statement such as `c = a + b`"
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} operations: use several statements"
_TOO_LONG = f"more than {MAX_DEPTH} operations in a row: use several statements"
_NO_NAME = re.compile(r"\s*(\d+[^\W\d]\w*)\s*=(?!=)")
_NEVER_MEANT = re.compile(r"[\x00-\x08\x0b-\x1f\\\ud800-\udfff]")
_PRODUCT = re.compile(r"(\w+\s|\)\s*)\s*(?=\w)")

LOOKALIKES = {
    **dict.fromkeys("·⋅×∗", "`*`"),
    **dict.fromkeys("−–—", "`-`"),
    **{"÷": "`/`", "²": "`**2`", "³": "`**3`", "^": "`**`", "√": "`sqrt(…)`", "|": "`abs(…)`"},
    **{sign: f"`{digit}`" for digit, sign in enumerate("₀₁₂₃₄₅₆₇₈₉")},
    "\N{NO-BREAK SPACE}": "a plain space",
}
"""Mathematical symbols that people paste, and what to write instead."""


class Statement(NamedTuple):
    """`target = expression`. Columns count characters of `text` from 1.

    `line` is where the statement begins in its scenario file.
    """

    target: str
    expression: Expr
    text: str
    line: int = 1
    column: int = 1


class StatementError(StepgradError):
    """A statement that cannot be used; `problems` are (column, message), sorted by column."""

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__(problems)

    def __str__(self) -> str:
        return "\n".join(f"column {column}: {message}" for column, message in self.problems)


def parse_statement(text: str, functions: Mapping[str, int], line: int = 1) -> Statement:
    """Read `text`; `functions` gives the number of arguments of each function by its name.

    Raises `StatementError` with everything that is wrong with it. Names are not looked up here:
    that needs the other statements.
    """
    module = _parse(text, functions)
    translator = Translator(text, functions)
    match module.body:
        case [ast.Assign(targets=[ast.Name(id=target) as name], value=value)]:
            if is_too_deep(value):
                message = _TOO_LONG if is_row(value) else _TOO_DEEP
                raise StatementError([(translator.column(value), message)])
            expression = translator.expression(value)
            if not translator.problems:
                return Statement(target, expression, text, line, translator.column(name))
        case [_, second, *_]:
            translator.refuse(second, "a second statement: put it in its own entry")
        case [statement]:
            translator.refuse(statement, _wrong_form(statement, text))
        case _:
            translator.problems.append((1, _FORM))
    raise StatementError(translator.problems)


def lookalike(sign: str) -> str:
    """Return the message about a symbol in `LOOKALIKES`, with its Unicode name."""
    return f"`{sign}` ({unicodedata.name(sign).lower()}): write {LOOKALIKES[sign]}"


def _parse(text: str, functions: Mapping[str, int]) -> ast.Module:
    """Python's syntax tree of `text` without leading blanks, which Python would refuse."""
    if len(text) > MAX_LENGTH:
        message = f"the statement is {len(text):,} characters long; the limit is {MAX_LENGTH:,}"
        raise StatementError([(1, message)])
    if found := _NEVER_MEANT.search(text):
        message = f"the character {found[0]!r} is not allowed in a statement"
        raise StatementError([(found.start() + 1, message)])
    if foreign := [(at, sign) for at, sign in enumerate(text, 1) if sign in LOOKALIKES]:
        raise StatementError([(at, lookalike(sign)) for at, sign in foreign])
    try:
        return parse(text.lstrip())
    except SyntaxError as error:
        raise StatementError([_explain(error, text, functions)]) from None
    except (MemoryError, RecursionError):  # how Python's parser gives up on deep nesting
        raise StatementError([(1, _TOO_DEEP)]) from None


def _explain(error: SyntaxError, text: str, functions: Mapping[str, int]) -> tuple[int, str]:
    """Where Python stopped reading and why, with the usual cause if it is clear."""
    if found := _NO_NAME.match(text):
        return found.start(1) + 1, f"`{found[1]}` is not a name: it begins with a digit"
    column = column_in(text, error.lineno or 1, max(0, (error.offset or 1) - 1))
    for word in re.finditer(r"[^\W\d]\w*", text):
        if keyword.iskeyword(word[0]):
            return word.start() + 1, f"`{word[0]}` is a Python keyword and cannot be used here"
    reason, _, _ = error.msg.partition(". ")  # after it comes advice for Python programs
    message = f"cannot read this statement: {reason}"
    if "literal" in reason and text[column - 1 : column].isdigit():  # `2x`
        message += "; to multiply, write `*`"
    elif reason == "invalid syntax" and (beside := _PRODUCT.search(text)):  # `w x`, `sin x`
        column, name = beside.end() + 1, beside[1].strip()
        message += f"; write `{name}(…)`" if name in functions else "; to multiply, write `*`"
    return column, message


def _wrong_form(statement: ast.stmt, text: str) -> str:
    """Return the message about a statement that is not `name = expression`."""
    match statement:
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            sign = re.search(r"([^\w\s()]+)=", text)
            short = isinstance(value, ast.Name | ast.Constant)
            right = ast.get_source_segment(text.lstrip(), value) if short else "(…)"
            again = f"{name}2 = {name} {sign[1] if sign else '+'} {right}"
            return f"write `{again}`: a name is defined only once"
        case ast.Assign(targets=[_, _, *_]):
            return "a statement defines one name; write a statement for each"
        case ast.Assign() | ast.AugAssign():
            return "the left side of `=` must be a single name"
        case ast.Expr(value=ast.Compare(ops=[ast.Eq()])):
            return f"{_FORM}, with a single `=`"
    return _FORM
