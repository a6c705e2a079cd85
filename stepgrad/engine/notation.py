"""Notation, as in a textbook: `1 − h²` for the tree of `1 - out*out`.

Names that are put in may be expressions themselves. Brackets keep the tree: floating-point sums
and products are not associative, so a + (b + c) and a + b + c are two things.
"""

import ast
import re
from collections.abc import Mapping

from stepgrad.numbers import number

_BRACKETS = re.compile(r"\([^()]*\)")
_SCIENTIFIC = re.compile(r"[\d.]+e−?\d+")  # 1e−7² would be read as a power of 10
_RAISED = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUPERSCRIPTS = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")
_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {  # as written, and its negation
    ast.Gt: (">", "≤"),
    ast.Lt: ("<", "≥"),
    ast.GtE: ("≥", "<"),
    ast.LtE: ("≤", ">"),
    ast.Eq: ("=", "≠"),
    ast.NotEq: ("≠", "="),
}
_ORDERS = {each: frozenset(each) for each in "<=>"} | {
    "≤": frozenset("<="),
    "≥": frozenset(">="),
    "≠": frozenset("<>"),
}
"""Which orders of two numbers each comparison allows."""

_SUM, _QUOTIENT, _PRODUCT, _SIGN, _POWER = range(1, 6)  # how tightly each binds


def written(tree: ast.expr, names: Mapping[str, str]) -> str:
    """Write a tree, with `names` put in for the operands (names or numbers)."""
    return _write(tree, names)[0]


def atom(text: str) -> str:
    """Put brackets around an expression, none around a name, a number or a call: `∂L/∂(w·x)`."""
    return text if _binding(text) > _POWER else f"({text})"


def product(text: str) -> str:
    """Put brackets around what would be misread as a factor: `(1 − h²)`, `(1 / z)`, not `2·z`."""
    plain = _binding(text) >= _PRODUCT and not text.startswith("−")
    return text if plain else f"({text})"


def power(base: str, exponent: int) -> str:
    """Write a power of something that needs no brackets: `0.25¹⁰`; the first power is the base."""
    return base if exponent == 1 else f"{base}{str(exponent).translate(_SUPERSCRIPTS)}"


def conditions(tests: Mapping[ast.expr, bool], names: Mapping[str, str]) -> str:
    """Write tests that hold or fail together, those of the same two numbers as one.

    `a > b` where not a < b and not a = b.
    """
    orders: dict[tuple[str, str], frozenset[str]] = {}
    others = []
    for test, holds in tests.items():
        if isinstance(test, ast.Compare):
            left, symbol, right = _comparison(test, holds, names)
            orders[left, right] = orders.get((left, right), _ORDERS[symbol]) & _ORDERS[symbol]
        else:
            others.append(condition(test, holds, names))
    symbols = {allowed: symbol for symbol, allowed in _ORDERS.items()}
    compared = (f"{left} {symbols[allowed]} {right}" for (left, right), allowed in orders.items())
    return " and ".join((*compared, *others))


def condition(test: ast.expr, holds: bool, names: Mapping[str, str]) -> str:
    """Write a comparison, or several joined by and/or; one that fails is written negated."""
    match test:
        case ast.BoolOp(op=joint, values=tests):
            word = " and " if isinstance(joint, ast.And) is holds else " or "
            return word.join(condition(each, holds, names) for each in tests)
        case ast.Compare():
            return " ".join(_comparison(test, holds, names))
    raise TypeError(f"no notation for {ast.dump(test)}")


def _comparison(test: ast.Compare, holds: bool, names: Mapping[str, str]) -> tuple[str, str, str]:
    [comparison], [right] = test.ops, test.comparators
    symbol = _COMPARISONS[type(comparison)][0 if holds else 1]
    return _write(test.left, names)[0], symbol, _write(right, names)[0]


def _write(tree: ast.expr, names: Mapping[str, str]) -> tuple[str, int]:
    """The notation of a tree, and how tightly its outermost operator binds."""
    match tree:
        case ast.Name(id=name):
            text = names.get(name, name)
            return text, _binding(text)
        case ast.Constant(value=float() | int() as value):
            text = number(value)
            return text, _binding(text)
        case ast.Call(func=ast.Name(id=function), args=arguments):
            inside = ", ".join(_write(argument, names)[0] for argument in arguments)
            return f"{function}({inside})", _POWER + 1
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return f"−{_within(operand, names, _POWER)}", _SIGN
        case ast.BinOp(left=ast.Name(id=left), op=ast.Mult(), right=ast.Name(id=right)) if (
            left == right
        ):
            return f"{_within(tree.left, names, _POWER + 1)}²", _POWER
        case ast.BinOp():
            return _write_binary(tree, names)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            when = condition(test, True, names)
            return f"{_write(body, names)[0]} if {when} else {_write(orelse, names)[0]}", 0
    raise TypeError(f"no notation for {ast.dump(tree)}")


def _write_binary(tree: ast.BinOp, names: Mapping[str, str]) -> tuple[str, int]:
    left, right = tree.left, tree.right
    match tree.op:
        case ast.Add():
            return f"{_within(left, names, 0)} + {_second(right, names)}", _SUM
        case ast.Sub():
            return f"{_within(left, names, 0)} − {_second(right, names)}", _SUM
        case ast.Mult():  # a / b·c would be read as a / (b·c)
            factors = _within(left, names, _PRODUCT), _within(right, names, _POWER)
            return "·".join(factors), _PRODUCT
        case ast.Div():
            parts = _within(left, names, _QUOTIENT), _within(right, names, _POWER)
            return " / ".join(parts), _QUOTIENT
        case ast.Pow():
            base, exponent = _within(left, names, _POWER + 1), _write(right, names)[0]
            if exponent.lstrip("−").isdecimal():  # "2²" is not
                return f"{base}{exponent.translate(_SUPERSCRIPTS)}", _POWER
            return f"{base}^{_within(right, names, _POWER + 1)}", _POWER
    raise TypeError(f"no notation for {ast.dump(tree)}")


def _within(tree: ast.expr, names: Mapping[str, str], binding: int) -> str:
    """Write `tree` as a part of something that binds as tightly as `binding`."""
    text, own = _write(tree, names)
    return f"({text})" if own < binding else text


def _second(tree: ast.expr, names: Mapping[str, str]) -> str:
    """Write what follows + or −: a second sign needs brackets, `y − (−1)`."""
    signed = _write(tree, names)[0].startswith("−")
    return _within(tree, names, _POWER + 2 if signed else _QUOTIENT)


def _binding(text: str) -> int:
    """How tightly a text that was put in binds: names may be expressions themselves."""
    while (bare := _BRACKETS.sub("", text)) != text:
        text = bare
    if " + " in text or " − " in text:
        return _SUM
    if " / " in text:
        return _QUOTIENT
    if "·" in text:
        return _PRODUCT
    if text.startswith("−"):
        return _SIGN
    raised = text[-1:] in _RAISED or "^" in text or _SCIENTIFIC.fullmatch(text)
    return _POWER if raised or " " in text else _POWER + 1  # a label may have several words
