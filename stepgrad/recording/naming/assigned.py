"""What a program calls the results of its expressions, read off its text (`Assignments`).

`loss = (y - t) ** 2` calls the result of the power `loss`, and in `probs = [e / s for e in es]` the
division makes `probs[0]`, `probs[1]`, …. An instruction knows the exact place of its expression in
the text, so what it makes has a name before it runs, and nothing has to be found out meanwhile.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

from stepgrad.recording.naming.passed import passed
from stepgrad.syntax import parse_program

Span = tuple[int | None, int | None, int | None, int | None]
"""Where an expression is: first and last line, first and last column, as instructions have it."""

_LAST = frozenset({"sum", "reduce", "prod", "fsum"})
"""Functions that may make many nodes, the last of which is their result."""

_LAST_OF_LIBRARIES = frozenset(
    {"dot", "vdot", "inner", "mean", "average",
     "squared_error", "binary_cross_entropy", "softmax_cross_entropy"}
)  # fmt: skip
"""Functions of numpy and ours that do so, unless the program has functions of these names."""

_HOLDING = frozenset({*dir(builtins), "reduce", "accumulate", "deque", "array", "partial"})
"""Functions that return something else than what the functions they call return."""

_WIDEST = 40

_MOST_TEXTS = 32

_parsing = Lock()  # before 3.13, Python fails if two threads parse at once

_SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Return)


class Assigned(NamedTuple):
    """What becomes of the result of an expression.

    Args:
        target: the variable that it is assigned to; empty if it is returned.
        element: whether it is an element of a list that is assigned or returned.
        last: whether the expression makes several nodes, and its result is the last of them.
        function: the name of the function that is called, if its result is what that returns.
        passed: whether the function returns the variable, so that the caller names it too.
    """

    target: str
    element: bool
    last: bool
    function: str
    passed: bool = False

    @property
    def returned(self) -> bool:
        """Whether the function returns it."""
        return self.passed or not self.target


class Assignments(dict[Span, Assigned]):
    """What is assigned or returned in a text, by the place of the expression.

    `statements` are the first lines of the statements that have several, by each of their lines.
    Raises what parsing raises.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.statements: dict[int, int] = {}
        self._of_lambdas: set[Span] = set()  # their results, which have the names of no variables
        with _parsing:
            tree = parse_program(text)
        returned: set[ast.stmt] = set()  # assignments to variables that are returned
        for node in ast.walk(tree):
            if isinstance(node, _SIMPLE) and node.end_lineno != node.lineno:
                lines = range(node.lineno, (node.end_lineno or 0) + 1)
                self.statements.update(dict.fromkeys(lines, node.lineno))
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    returned.update(passed(node))
                case ast.Assign(targets=[target, *_], value=value):
                    self._assign(target, value, passed=node in returned)
                case ast.AnnAssign(target=target, value=ast.expr() as value):
                    self._assign(target, value, passed=node in returned)
                case ast.NamedExpr(target=target, value=value):
                    self._assign(target, value)
                case ast.AugAssign(target=target) if text := _text(target):
                    self._put(_span(node), node, text, element=False)
                case ast.Return(value=ast.expr() as value):
                    self._result(value, "")
                case ast.Lambda(body=value):
                    for part, _, _ in _parts(value, ""):
                        self._of_lambdas.update(_spans(part))

    def returns(self, span: Span) -> bool:
        """Whether a function may return what an expression gives."""
        assigned = self.get(span)
        return span in self._of_lambdas if assigned is None else assigned.returned

    def _assign(self, target: ast.expr, value: ast.expr, *, passed: bool = False) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, ast.Tuple | ast.List) and not _starred(target, value):
                for each, part in zip(target.elts, value.elts, strict=False):
                    self._assign(each, part)
        elif text := _text(target):
            self._result(value, text, passed=passed)

    def _result(self, value: ast.expr, target: str, *, passed: bool = False) -> None:
        """Take note of the expressions that a value is, or is a list or a dictionary of."""
        for expression, text, element in _parts(value, target):
            if len(text) > _WIDEST:
                continue
            through = passed and text == target
            for span in _spans(expression):
                self._put(span, expression, text, element=element, passed=through)

    def _put(
        self, span: Span, node: ast.AST, text: str, *, element: bool, passed: bool = False
    ) -> None:
        called = _called(node)
        if called not in _HOLDING or called in _LAST:
            function = "" if called in _LAST else called
            last = called in _LAST or called in _LAST_OF_LIBRARIES
            self[span] = Assigned(text, element, last, function, passed)


def assignments(text: str) -> Assignments | None:
    """Return what is assigned in a text; None if it is not Python, or cannot be parsed now."""
    try:
        return _parsed_once(text)
    except (SyntaxError, SystemError, ValueError, RecursionError, MemoryError):
        return None


_parsed_once = lru_cache(_MOST_TEXTS)(Assignments)
"""A program may be recorded again and again."""


def _parts(value: ast.expr, target: str) -> Iterator[tuple[ast.expr, str, bool]]:
    """Yield the expressions that may make nodes: what each is called, and if it is an element."""
    match value:
        case ast.IfExp(body=body, orelse=other):
            yield from _parts(body, target)
            yield from _parts(other, target)
        case ast.ListComp(elt=ast.BinOp() | ast.UnaryOp() | ast.Call() as each):
            yield from ((part, text, True) for part, text, _ in _parts(each, target))
        case ast.List(elts=elements) | ast.Tuple(elts=elements) if target:
            if not _starred(value):
                for number, element in enumerate(elements):
                    yield from _parts(element, f"{target}[{number}]")
        case ast.Dict(keys=keys, values=values) if target:
            for key, part in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant):
                    yield from _parts(part, f"{target}[{key.value!r}]")
        case ast.BinOp(op=ast.MatMult()):
            return  # of its nodes, it is not known which are the results
        case ast.BinOp() | ast.UnaryOp() | ast.Call():
            yield value, target, False


def _text(target: ast.expr) -> str:
    """Return a target as text, without `self.`; empty if it does not name one place."""
    match target:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case ast.Attribute(value=owner, attr=name):
            before = _text(owner)
            return before and f"{before}.{name}"
        case ast.Subscript(value=owner, slice=ast.Constant(value=key)):
            before = _text(owner)
            return before and f"{before}[{key!r}]"
    return ""


def _called(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name
        case ast.Call():
            return "list"  # as unknown as what a list holds
    return ""


def _starred(*values: ast.expr) -> bool:
    return any(
        isinstance(each, ast.Starred) for value in values for each in getattr(value, "elts", ())
    )


def _span(node: ast.stmt | ast.expr) -> Span:
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def _spans(expression: ast.expr) -> Iterator[Span]:
    """Yield where the instruction of an expression may be: a call may begin at a method's name."""
    yield _span(expression)
    match expression:
        case ast.Call(func=ast.Attribute(attr=name) as function):  # on a line of its own
            column = (function.end_col_offset or 0) - len(name.encode())
            *_, end = _span(expression)
            yield function.end_lineno, expression.end_lineno, column, end
