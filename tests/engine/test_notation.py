"""Notation keeps the tree: what is written can be read back, bracket for bracket."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import OPERATIONS
from stepgrad import Value, record
from stepgrad.engine.formula import Formula
from stepgrad.engine.notation import atom
from stepgrad.engine.ops import Op
from stepgrad.numbers import number
from stepgrad.replay.telling.titles import title

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def read(notation: str) -> ast.expr:
    """Parse notation: with Python's own precedence, which is that of a textbook."""
    text = re.sub(
        r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda raised: f"**({raised[0].translate(_SUPERSCRIPTS)})", notation
    )
    for sign, python in (("·", "*"), ("−", "-"), ("^", "**")):
        text = text.replace(sign, python)
    return ast.parse(text, mode="eval").body


Written = tuple[str, str]
"""An expression in notation, and in Python with every bracket."""

leaves = st.sampled_from(["a", "b", "w1"]).map(lambda name: (name, name))
constants = st.sampled_from([2.0, 3.0, 0.5, -1.0, -2.5, 1e-7, 1e300, -2e-9]).map(
    lambda x: (number(x), f"({number(x).replace('−', '-')})")
)


def applied(parts: tuple[Op, Written, Written]) -> Written:
    """Write an operation in the notation of its operands, as titles are written."""
    op, *operands = parts
    operands = operands[: len(op.partials)]
    names, python = ([each[k] for each in operands] for k in (0, 1))
    notation = op.written(dict(zip(op.operands, names, strict=True)))
    operators = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}
    if op.name in operators:
        return notation, f"({python[0]} {operators[op.name]} {python[1]})"
    return notation, f"(-{python[0]})" if op.name == "neg" else f"{op.symbol}({', '.join(python)})"


operations = st.sampled_from(OPERATIONS)
expressions = st.recursive(
    leaves | constants, lambda inner: st.tuples(operations, inner, inner).map(applied), max_leaves=8
)


@given(expressions)
def test_what_is_written_can_be_read_back(written: Written) -> None:
    notation, python = written
    assert ast.dump(read(notation)) == ast.dump(ast.parse(python, mode="eval").body)


def test_a_power_in_an_exponent_is_not_a_digit() -> None:
    assert Formula("a ** (2 ** 2)").written() == "a^(2²)"


arithmetic = st.recursive(
    st.sampled_from(["a", "b", "out"]),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        )
        | inner.map(lambda part: f"(-{part})")
    ),
    max_leaves=8,
)


class Squares(ast.NodeTransformer):
    """Read a·a as a², as it is written in a formula."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        self.generic_visit(node)
        same = isinstance(node.left, ast.Name) and ast.dump(node.left) == ast.dump(node.right)
        if isinstance(node.op, ast.Mult) and same:
            return ast.BinOp(node.left, ast.Pow(), ast.Constant(2))
        return node


@given(arithmetic)
def test_a_formula_can_be_read_back(python: str) -> None:
    tree = Squares().visit(ast.parse(python, mode="eval").body)
    assert ast.dump(read(Formula(python).written())) == ast.dump(tree)


@pytest.mark.parametrize(
    ("python", "notation"),
    [
        ("a + (b + c)", "a + (b + c)"),
        ("a + b + c", "a + b + c"),
        ("a + (b - c)", "a + (b − c)"),
        ("a + b*c", "a + b·c"),
        ("a + b/c", "a + b / c"),
        ("a * (b * c)", "a·(b·c)"),
        ("a / b * c", "(a / b)·c"),
        ("a * b / c", "a·b / c"),
        ("a / (b * c)", "a / (b·c)"),
        ("a - (b - c)", "a − (b − c)"),
        ("c1 + (1 + c1 + (-a))", "c1 + (1 + c1 + (−a))"),
    ],
)
def test_brackets(python: str, notation: str) -> None:
    assert Formula(python).written() == notation


def test_a_small_number_in_a_power_or_a_derivative_stands_in_brackets() -> None:
    assert Formula("a**2").written({"a": "1e−7"}) == "(1e−7)²"
    assert atom("−2e−9") == "(−2e−9)"


def test_a_label_of_several_words_stands_in_brackets() -> None:
    assert Formula("a**2").written({"a": "my loss"}) == "(my loss)²"
    assert (atom("my loss"), atom("max(a, b)")) == ("(my loss)", "max(a, b)")


def test_the_title_of_an_unnamed_node_keeps_the_tree() -> None:
    with record() as recording:
        a, c = Value(-4.0, label="a"), Value(-1.0, label="c1")
        _ = c + (1 + c + (-a))
        _ = c + 1 + c + (-a)
    told = [title(recording, n) for n in range(recording.size)]
    assert "c1 + (1 + c1 + (−a))" in told
    assert "c1 + 1 + c1 + (−a)" in told
