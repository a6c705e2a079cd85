"""The statement that a frame is at: what is written there, and whose gradients it reads."""

from __future__ import annotations

import ast
import linecache
from functools import lru_cache
from itertools import islice
from types import FrameType
from typing import NamedTuple

from stepgrad.foreign.popping import popping, terms
from stepgrad.syntax import read_program


class Statement(NamedTuple):
    """What a statement does.

    Args:
        constant: it assigns a number as it stands.
        copies: it assigns an attribute to itself, `x.grad = x.grad`.
        adds: it adds to a gradient, or subtracts from it: `+=`, or `x.grad = x.grad + …`.
        changes: it makes another number of a gradient, as clipping does.
        reads: the variables whose gradients it reads, apart from the one that it writes to.
        handed: the variable with a number that comes off a worklist with a node, and that it adds
            to the gradient of that node, or uses for one of its operands.
        popped: in the latter case, all variables that come off the worklist.
    """

    constant: bool = False
    copies: bool = False
    adds: bool = False
    changes: bool = False
    reads: frozenset[str] = frozenset()
    handed: str = ""
    popped: frozenset[str] = frozenset()


_UNKNOWN = Statement()


def statement(frame: FrameType, grad: str) -> Statement:
    """Return the statement that a frame is at; nothing is known of one without a source.

    Args:
        frame: of code that writes a gradient, or calls what does.
        grad: the name of the attribute that holds a gradient.
    """
    code = frame.f_code
    text = "".join(linecache.getlines(code.co_filename, frame.f_globals))
    position = next(islice(code.co_positions(), frame.f_lasti // 2, None), None)
    if not text or position is None or position[0] is None:
        return _UNKNOWN
    found = _smallest(text, position[0], position[1] or position[0], position[2] or 0)
    if found is None:
        return _UNKNOWN
    handed, popped = popping(_loops(text), found)
    return _described(found, grad.lstrip("_"))._replace(handed=handed, popped=popped)


@lru_cache(maxsize=32)
def _statements(text: str) -> list[ast.stmt | ast.Lambda]:
    return [
        node for node in ast.walk(read_program(text)) if isinstance(node, ast.stmt | ast.Lambda)
    ]


@lru_cache(maxsize=32)
def _loops(text: str) -> list[ast.While | ast.For]:
    return [each for each in _statements(text) if isinstance(each, ast.While | ast.For)]


def _smallest(text: str, first: int, last: int, column: int) -> ast.stmt | ast.Lambda | None:
    """Return the innermost statement, or lambda, around a stretch of lines."""
    around = [
        each
        for each in _statements(text)
        if (each.lineno, each.col_offset) <= (first, column) and last <= (each.end_lineno or 0)
    ]
    return max(around, key=lambda each: (each.lineno, each.col_offset), default=None)


def _described(found: ast.stmt | ast.Lambda, grad: str) -> Statement:
    if isinstance(found, ast.AugAssign):
        adds = isinstance(found.op, ast.Add | ast.Sub)
        return Statement(adds=adds, changes=not adds, reads=_reads(found.value, grad))
    if isinstance(found, ast.Assign | ast.AnnAssign) and found.value is not None:
        targets = found.targets if isinstance(found, ast.Assign) else [found.target]
        target, value = ast.unparse(targets[0]), found.value
        written = {
            each.value.id
            for each in targets
            if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name)
        }
        copies = ast.unparse(value) == target
        adds = not copies and target in terms(value)
        itself = any(
            ast.unparse(each) == target
            for each in ast.walk(value)
            if isinstance(each, ast.Attribute)
        )
        changes = itself and not copies and not adds
        return Statement(_is_number(value), copies, adds, changes, _reads(value, grad) - written)
    if isinstance(found, ast.Expr | ast.Return) and found.value is not None:
        return Statement(reads=_reads(found.value, grad))
    if isinstance(found, ast.Lambda):
        return Statement(reads=_reads(found.body, grad))
    return _UNKNOWN


def _reads(expression: ast.expr, grad: str) -> frozenset[str]:
    return frozenset(
        each.value.id
        for each in ast.walk(expression)
        if isinstance(each, ast.Attribute)
        and each.attr.lstrip("_") == grad
        and isinstance(each.value, ast.Name)
    )


def _is_number(value: ast.expr) -> bool:
    try:
        return isinstance(ast.literal_eval(value), int | float)
    except (ValueError, TypeError):
        return False
