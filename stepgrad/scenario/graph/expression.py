"""The expression of a statement as a small tree, translated from Python's by a whitelist.

Numbers, names, `+ - * / **` and calls of known functions pass; all else is refused, with its place.
Only arithmetic between constants is evaluated, in floats, so that reading an expression can neither
run code nor take long.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from stepgrad.errors import suggest_or_list

MAX_DEPTH = 100
"""The deepest that operations may be nested in an expression."""


class Number(NamedTuple):
    """A constant."""

    value: float
    column: int


class Name(NamedTuple):
    """A use of an input, a parameter or the name of an earlier statement."""

    name: str
    column: int


class Apply(NamedTuple):
    """An operation (`add sub mul div pow neg` or a function's name) on its operands, in order."""

    op: str
    operands: tuple[Expr, ...]
    column: int


Expr: TypeAlias = Number | Name | Apply


def names_in(expression: Expr) -> Iterator[Name]:
    """Every use of a name in `expression`, from left to right."""
    match expression:
        case Name():
            yield expression
        case Apply(operands=operands):
            for operand in operands:
                yield from names_in(operand)


def column_in(text: str, line: int, offset: int) -> int:
    """Return the column in `text`, from 1, of a place in a line of `text.lstrip()`."""
    body = text.lstrip()
    before = sum(len(earlier) + 1 for earlier in body.split("\n")[: line - 1])
    return min(len(text) - len(body) + before + offset, len(text)) + 1


_TOO_LARGE = "is too large for a float (at most about 1.8e308)"
_OPERATIONS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.USub: "neg",
}
_ARITHMETIC: dict[str, Callable[..., float]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": math.pow,
    "neg": operator.neg,
}
_REFUSED: dict[type[ast.AST], str] = {
    ast.Attribute: "an attribute",
    ast.Subscript: "an index",
    ast.Lambda: "a lambda",
    ast.NamedExpr: "`:=`",
    ast.JoinedStr: "text in quotes",
    ast.Compare: "a comparison",
    ast.BoolOp: "`and` or `or`",
    ast.IfExp: "`if` and `else`",
    ast.Starred: "`*` before a name",
    **dict.fromkeys((ast.List, ast.Tuple, ast.Set, ast.Dict), "a collection"),
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), "a comprehension"),
}
_ADVICE: dict[type[ast.AST], str] = {
    ast.NamedExpr: "define the name in its own statement",
    ast.Tuple: "commas only separate arguments; write decimals with a point, as in `2.5`",
}

_OTHER_NAMES = {
    "ln": "log",
    "logistic": "sigmoid",
    "maximum": "max",
    "minimum": "min",
    "fabs": "abs",
}


def is_row(tree: ast.expr) -> bool:
    """Whether an expression is too deep because it is long: a sum of many terms, say."""
    for _ in range(MAX_DEPTH + 1):
        if not isinstance(tree, ast.BinOp):
            return False
        tree = tree.left
    return True


def is_too_deep(tree: ast.expr) -> bool:
    """Whether operations are nested deeper than `MAX_DEPTH`, found without recursion."""
    level = [tree]
    for _ in range(MAX_DEPTH + 1):
        children = (child for node in level for child in ast.iter_child_nodes(node))
        level = [child for child in children if isinstance(child, ast.expr)]
    return bool(level)


class Translator:
    """Translates Python's tree into ours, noting every problem on the way.

    It recurses, so it must not be given a tree that `is_too_deep`.
    """

    def __init__(self, text: str, functions: Mapping[str, int]) -> None:
        self.problems: list[tuple[int, str]] = []
        self._text = text
        self._lines = text.lstrip().split("\n")
        self._functions = functions

    def column(self, node: ast.expr | ast.stmt) -> int:
        """Where `node` begins in the text; Python counts the bytes of a line, not characters."""
        before = self._lines[node.lineno - 1].encode()[: node.col_offset]
        return column_in(self._text, node.lineno, len(before.decode()))

    def refuse(self, node: ast.expr | ast.stmt, message: str) -> Name:
        """Note a problem; the result stands in for the expression that is refused."""
        column = self.column(node)
        self.problems.append((column, message))
        return Name("", column)

    def expression(self, node: ast.expr) -> Expr:
        """Return the tree for `node`, or a stand-in where it is refused."""
        result: Expr
        match node:
            case ast.Name(id=name):
                result = Name(name, self.column(node))
            case ast.Constant(value=value):
                result = self._constant(node, value)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                result = self.expression(operand)
            case ast.UnaryOp(op=op, operand=operand):
                result = self._operation(node, op, [operand])
            case ast.BinOp(left=left, op=op, right=right):
                result = self._operation(node, op, [left, right])
            case ast.Call():
                result = self._call(node)
            case _:
                what = _REFUSED.get(type(node), "this")
                advice = _ADVICE.get(type(node), "use names, numbers, `+ - * / **` and functions")
                result = self.refuse(node, f"{what} cannot be used in an expression: {advice}")
        return result

    def _constant(self, node: ast.expr, value: object) -> Expr:
        if isinstance(value, str | bytes):
            return self.refuse(node, "text in quotes cannot be used in an expression")
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self.refuse(node, f"`{value}` is not a real number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isinf(number):
            return self.refuse(node, f"`{self._snippet(node)}` {_TOO_LARGE}")
        return Number(number, self.column(node))

    def _operation(
        self, node: ast.expr, sign: ast.operator | ast.unaryop, nodes: list[ast.expr]
    ) -> Expr:
        """Translate an arithmetic operation; one between constants is evaluated here."""
        operands = tuple(self.expression(operand) for operand in nodes)
        op = _OPERATIONS.get(type(sign))
        if op is None:
            return self.refuse(node, f"`{self._snippet(node)}`: unknown operator; use `+ - * / **`")
        constants = [operand.value for operand in operands if isinstance(operand, Number)]
        if len(constants) < len(operands):
            return Apply(op, operands, self.column(node))
        try:
            return Number(_work_out(op, constants), self.column(node))
        except ArithmeticError as error:
            return self.refuse(node, f"`{self._snippet(node)}` {error}")

    def _call(self, node: ast.Call) -> Expr:
        operands = tuple(self.expression(argument) for argument in node.args)
        for named in node.keywords:
            self.refuse(named.value, "arguments are passed by position, not by name")
        match node.func:
            case ast.Name(id=name) if name in self._functions:
                return self._apply(node, name, operands)
            case ast.Name(id=name):
                near = suggest_or_list(_OTHER_NAMES.get(name, name), self._functions)
                if near.startswith("; use"):
                    near += ", or `*` to multiply"
                return self.refuse(node.func, f"unknown function `{name}`{near}")
            case ast.Attribute(value=value, attr=name):
                self.expression(value)
                advice = f": write `{name}(…)`" if name in self._functions else ", only a function"
                return self.refuse(node.func, f"an attribute cannot be called{advice}")
        self.expression(node.func)
        return self.refuse(node.func, "only a function can be called; to multiply, write `*`")

    def _apply(self, node: ast.Call, name: str, operands: tuple[Expr, ...]) -> Expr:
        wanted, given = self._functions[name], len(operands) + len(node.keywords)
        if given != wanted:
            plural = "s" * (wanted != 1)
            return self.refuse(node, f"`{name}` takes {wanted} argument{plural}, not {given}")
        return Apply(name, operands, self.column(node))

    def _snippet(self, node: ast.expr) -> str:
        """Return the text of `node`, short enough for a message."""
        text = ast.get_source_segment("\n".join(self._lines), node) or ""
        return text if len(text) <= 40 else f"{text[:39]}…"


def _work_out(op: str, constants: list[float]) -> float:
    """Return the result of `op` on finite constants; raises `ArithmeticError` if it has none."""
    try:
        result = _ARITHMETIC[op](*constants)
    except OverflowError:
        result = math.inf
    except ZeroDivisionError:
        raise ArithmeticError("divides by zero") from None
    except ValueError:  # math.pow: 0 to a negative power, or a root of a negative number
        reason = "divides by zero" if constants[0] == 0 else "is a root of a negative number"
        raise ArithmeticError(reason) from None
    if math.isinf(result):
        raise ArithmeticError(_TOO_LARGE)
    return result
