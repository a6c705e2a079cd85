"""A formula is written once, as text; numbers, code and notation all come from that text.

A derivative that is computed by one piece of code and explained by another will one day be
explained wrongly. Here `Formula("1 - out*out")` is what `tanh` multiplies by, what the screen
shows (`1 − h²`), and what it shows with numbers (`1 − 0.4621²`); `notation` writes both.

Formulas are literals in our own source (`ops.py`, `optim.py`), never text from a user.
"""

import ast
import math
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from functools import cached_property
from typing import Any

from stepgrad.engine import ieee
from stepgrad.engine.notation import conditions, written
from stepgrad.engine.rewriting import Absolute, Columns, Continued, Fold, Given, constant

# No name means a builtin. Code in C, such as PyTorch's, imports by those of the code that calls it.
_BUILTINS = {"__import__": __import__}
_NAMESPACE: dict[str, object] = {name: getattr(ieee, name) for name in ieee.__all__}
_NAMESPACE |= {
    "__builtins__": _BUILTINS,
    "abs": abs,
    "inf": math.inf,
    "nan": math.nan,
    "π": math.pi,
}


class Formula:
    """An expression of operand names, floats, π and the functions of `ieee`.

    `a if condition else b` gives it branches, as in `1 if a > 0 else 0`. In a partial derivative,
    `shut` is the 0 of a gate that is shut: it selects, and lets nothing pass, not even inf or nan.
    """

    def __init__(self, text: str | ast.expr) -> None:
        self._tree = _parsed(text) if isinstance(text, str) else text

    def __repr__(self) -> str:
        return f"Formula({ast.unparse(self._tree)!r})"

    def python(self, names: Mapping[str, str]) -> str:
        """Python source of this formula, with `names` filled in; it runs in `namespace()`."""
        code = _code(self._tree, names)
        return code[1:-1] if code.startswith("(") else code

    def function(self, *parameters: str) -> Callable[..., float]:
        """Compile to a function of these parameters, which are floats."""
        source = f"lambda {', '.join(parameters)}: {self.python({})}"
        return eval(source, namespace())  # type: ignore[no-any-return]

    def continued(
        self, functions: Mapping[str, object], parameters: Iterable[str]
    ) -> Callable[..., Any]:
        """Compile to a function of other numbers: complex ones, fractions, more digits.

        `functions` are those that it calls, and π; `number` among them makes such a number of a
        float. Comparisons compare real parts.
        """
        tree = Continued().visit(deepcopy(self._tree))
        source = f"lambda {', '.join(parameters)}: {_code(tree, {})}"
        real = {"real": lambda number: number.real}
        return eval(source, {"__builtins__": _BUILTINS, **functions, **real})  # type: ignore[no-any-return]

    def columnwise(
        self, functions: Mapping[str, object], parameters: Iterable[str]
    ) -> Callable[..., Any]:
        """Compile to a function of columns of numbers, such as tensors.

        `functions` are those that it calls, π, and `where(test, a, b)`, `either(a, b)` and
        `both(a, b)`, in place of branches, `or` and `and`.
        """
        code = _code(Columns().visit(deepcopy(self._tree)), {})
        source = f"lambda {', '.join(parameters)}: {code}"
        return eval(source, {"__builtins__": _BUILTINS, **functions})  # type: ignore[no-any-return]

    @cached_property
    def piecewise(self) -> bool:
        """Whether it has branches, as |a| has a and −a."""
        return any(
            isinstance(part, ast.IfExp) or (isinstance(part, ast.Name) and part.id == "abs")
            for part in ast.walk(self._tree)
        )

    def tied(self, values: Mapping[str, float]) -> bool:
        """Whether the two sides of a comparison in it are equal: there it changes branches."""
        return any(
            _value(part.left, values) == _value(part.comparators[0], values)
            for part in ast.walk(self._tree)
            if isinstance(part, ast.Compare)
            and ast.dump(part.left) != ast.dump(part.comparators[0])
        )

    def sides(self, values: Mapping[str, float]) -> tuple[bool, ...]:
        """On which side of each of its comparisons it is: other sides are other branches."""
        return tuple(
            bool(_value(part, values))
            for part in ast.walk(self._tree)
            if isinstance(part, ast.Compare)
        )

    @cached_property
    def names(self) -> frozenset[str]:
        """The operands and the functions that occur in it."""
        return frozenset(node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name))

    @cached_property
    def constant(self) -> float | None:
        """The number, if the formula is just a number."""
        return constant(self._tree)

    @property
    def shut(self) -> bool:
        """Whether it is the 0 of a gate that is shut (see `branch`)."""
        return isinstance(self._tree, ast.Constant) and self._tree.kind == _SHUT

    def carried(self) -> "Formula":
        """What this partial derivative makes of the `upstream` that arrives: their product.

        The product is taken in each branch: a factor of 1 is left out, a shut gate gives 0.
        """
        return Formula(_carried(self._tree))

    def given(self, constants: Mapping[str, float]) -> "Formula":
        """This formula for operands known to be constants: `b*a**(b-1)` given b=2 is `2*a`."""
        numbers = {name: ast.Constant(value) for name, value in constants.items()}
        return Formula(Fold(numbers).visit(deepcopy(self._tree))) if constants else self

    def magnitude(self) -> "Formula":
        """The sum of the absolute terms of this formula: `1 + |out|·|out|` for `1 - out*out`.

        Terms that cancel leave rounding errors of their own size behind.
        """
        return Formula(Absolute().visit(deepcopy(self._tree)))

    def branch(
        self, values: Mapping[str, float], names: Mapping[str, str] | None = None
    ) -> tuple["Formula", str]:
        """Return the formula of the branch that `values` take, and the reason.

        The reason reads `z1 > 0`, or `z1 = nan`; it is empty for a formula without branches.
        """
        tree, names = self._tree, names or {}
        tests: dict[ast.expr, bool] = {}
        while isinstance(tree, ast.IfExp):
            taken = bool(eval(_code(tree.test, {}), namespace(), dict(values)))
            tests = {tree.test: True} if taken else tests | {tree.test: False}
            tree = tree.body if taken else tree.orelse
        # Every comparison with nan fails, and so would its negation.
        compared = sorted({name for test in tests for name in Formula(test).names})
        for name in compared:
            if math.isnan(values[name]):
                return Formula(tree), f"{names.get(name, name)} = nan"
        return Formula(tree), conditions(tests, names)

    def written(self, names: Mapping[str, str] | None = None) -> str:
        """Textbook notation, with `names` (or numbers) filled in for the operands."""
        return written(self._tree, names or {})


def namespace() -> dict[str, object]:
    """Return a fresh namespace for compiled formulas: `ieee` and nothing else."""
    return dict(_NAMESPACE)


_SHUT = "shut"


def _parsed(text: str) -> ast.expr:
    """Parse a formula; `shut` becomes a marked 0, which otherwise is a 0 like any other."""
    tree = ast.parse(text, mode="eval").body
    marked: ast.expr = Given({_SHUT: ast.Constant(0, kind=_SHUT)}).visit(tree)
    return marked


def _carried(tree: ast.expr) -> ast.expr:
    upstream = ast.Name("upstream")
    match tree:
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return ast.IfExp(test, _carried(body), _carried(orelse))
        case ast.Constant(value=1) | ast.Constant(kind="shut"):
            return upstream if tree.kind is None else tree
        case ast.UnaryOp(operand=ast.Constant(value=1)):
            return ast.UnaryOp(ast.USub(), upstream)
    return ast.BinOp(upstream, ast.Mult(), tree)


_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.And: "and",
    ast.Or: "or",
    ast.Gt: ">",
    ast.Lt: "<",
    ast.GtE: ">=",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


def _code(tree: ast.expr, names: Mapping[str, str]) -> str:
    """Python source of a tree: constants are floats, and `/` and `**` the IEEE functions."""
    match tree:
        case ast.Name(id=name):
            return names.get(name, name)
        case ast.Constant(value=float() | int() as value):
            return repr(float(value))
        case ast.UnaryOp(operand=operand):
            return f"(-{_code(operand, names)})"
        case ast.Call(func=ast.Name(id=function), args=parts):
            return f"{function}({', '.join(_code(part, names) for part in parts)})"
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return f"div({_code(left, names)}, {_code(right, names)})"
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return f"pow({_code(left, names)}, {_code(right, names)})"
        case ast.IfExp(body=body, test=test, orelse=orelse):
            return f"({_code(body, names)} if {_code(test, names)} else {_code(orelse, names)})"
        case ast.BinOp(op=op, left=left, right=right):
            parts = [left, right]
        case ast.Compare(ops=[op], left=left, comparators=[right]):
            parts = [left, right]
        case ast.BoolOp(op=op, values=parts):
            pass
        case _:
            raise TypeError(f"no code for {ast.dump(tree)}")
    return f"({f' {_OPERATORS[type(op)]} '.join(_code(part, names) for part in parts)})"


def _value(tree: ast.expr, values: Mapping[str, float]) -> float:
    return eval(_code(tree, {}), namespace(), dict(values))  # type: ignore[no-any-return]
