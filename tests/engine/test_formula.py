"""Formulas: the notation, and that it says what the number is."""

import math
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import OPERATIONS
from stepgrad import Value
from stepgrad.engine import ieee
from stepgrad.engine.formula import Formula
from stepgrad.engine.ops import BY_NAME, Op

H = {"a": "z1", "out": "h"}
MINUS = str.maketrans("-", "−")


@pytest.mark.parametrize(
    ("text", "names", "written"),
    [
        ("1 - out*out", {"out": "h"}, "1 − h²"),
        ("1 - out*out", {"out": "0.4621"}, "1 − 0.4621²"),
        ("1 - out*out", {"out": "−0.46"}, "1 − (−0.46)²"),
        ("a * b", {"a": "w", "b": "x"}, "w·x"),
        ("a * b", {"a": "−4", "b": "−2"}, "−4·(−2)"),
        ("a * b", {"a": "z + 1", "b": "z − 1"}, "(z + 1)·(z − 1)"),
        ("a - b", {"a": "x", "b": "−1"}, "x − (−1)"),
        ("a - b", {"a": "x", "b": "−1·y"}, "x − (−1·y)"),
        ("a ** b", {"a": "x²", "b": "2"}, "(x²)²"),
        ("a * b", {"a": "max(x, 2)", "b": "3"}, "max(x, 2)·3"),
        ("a + b", {"a": "x", "b": "−1"}, "x + (−1)"),
        ("a - b", {"a": "x", "b": "y + z"}, "x − (y + z)"),
        ("a - b", {"a": "x + y", "b": "z"}, "x + y − z"),
        ("a / b", {"a": "1", "b": "x·y"}, "1 / (x·y)"),
        ("a ** b", {"a": "x", "b": "−0.5"}, "x^(−0.5)"),
        ("a ** b", {"a": "−2", "b": "2"}, "(−2)²"),
        ("a ** b", {"a": "x", "b": "−12"}, "x⁻¹²"),
        ("a ** b", {"a": "2", "b": "n"}, "2^n"),
        ("-a", {"a": "−3"}, "−(−3)"),
        ("-a", {"a": "x + 1"}, "−(x + 1)"),
        ("-out / b", {"out": "q", "b": "y"}, "−q / y"),
        ("1 / (2*out)", {"out": "r"}, "1 / (2·r)"),
        ("1 / (1 + exp(-a))", {"a": "z"}, "1 / (1 + exp(−z))"),
        ("out * log(a)", {"out": "y", "a": "2"}, "y·log(2)"),
        ("1 if a > 0 else 0", {"a": "z1"}, "1 if z1 > 0 else 0"),
    ],
)
def test_notation(text: str, names: dict[str, str], written: str) -> None:
    assert Formula(text).written(names) == written


@pytest.mark.parametrize(
    ("constants", "written"),
    [
        ({"b": 2.0}, "2·z1"),
        ({"b": 3.0}, "3·z1²"),
        ({"b": -1.0}, "−1·z1⁻²"),
        ({"b": 0.5}, "0.5·z1^(−0.5)"),
        ({"b": 2.0, "a": 3.0}, "6"),
        ({}, "b·z1^(b − 1)"),
    ],
)
def test_constants_are_folded(constants: dict[str, float], written: str) -> None:
    assert Formula("b * a**(b - 1)").given(constants).written(H) == written


@pytest.mark.parametrize(
    "constants",
    [
        {"b": 2.0},
        {"a": -2.0},
        {"a": -2.0, "b": 2.0},
        {"a": math.nan},
        {"a": math.inf},
    ],
)
def test_folding_constants_keeps_the_number(constants: dict[str, float]) -> None:
    values = {"a": 3.0, "b": 2.0} | constants
    folded = Formula("a ** b").given(constants).function("a", "b")(**values)
    assert repr(folded) == repr(ieee.pow(**values))


@pytest.mark.parametrize(
    ("a", "taken", "because"),
    [
        (2.0, "1", "z1 > 0"),
        (-2.0, "-1", "z1 < 0"),
        (0.0, "0", "z1 = 0"),
        (math.nan, "0", "z1 = nan"),
    ],
)
def test_a_branch_says_why(a: float, taken: str, because: str) -> None:
    formula, reason = Formula("1 if a > 0 else -1 if a < 0 else 0").branch({"a": a}, H)
    assert (formula.constant, reason) == (float(taken), because)


@pytest.mark.parametrize(
    ("a", "b", "because"),
    [(1.0, 2.0, "z1 < b"), (2.0, 2.0, "z1 = b"), (3.0, 2.0, "z1 > b"), (3.0, math.nan, "b = nan")],
)
def test_what_a_number_is_not_is_written_as_what_it_is(a: float, b: float, because: str) -> None:
    formula = Formula("shut if a < b else 0.5 if a == b else 1")
    assert formula.branch({"a": a, "b": b}, H)[1] == because


@pytest.mark.parametrize(
    ("a", "b", "because"),
    [(0.0, 1.0, "z1 = 0 and b ≥ 0"), (1.0, 1.0, "z1 ≠ 0 or b < 0")],
)
def test_a_joint_condition_is_negated_as_a_whole(a: float, b: float, because: str) -> None:
    _, reason = Formula("0 if a == 0 and b >= 0 else 1").branch({"a": a, "b": b}, H)
    assert reason == because


def test_a_formula_without_branches_has_no_reason() -> None:
    formula, reason = Formula("1 / a").branch({"a": 2.0})
    assert (formula.written(), reason) == ("1 / a", "")


@pytest.mark.parametrize(
    ("text", "constant"), [("2", 2.0), ("-1", -1.0), ("-(-1)", 1.0), ("a", None), ("-a", None)]
)
def test_constant(text: str, constant: float | None) -> None:
    assert Formula(text).constant == constant


def test_python_is_source_with_names_put_in() -> None:
    source = Formula("-a * (1 - b) / a").python({"a": "x._data", "b": "y"})
    assert eval(source, {"div": ieee.div, "x": Value(4.0), "y": 3.0}) == 2.0


@pytest.mark.parametrize("way", [Formula.columnwise, Formula.continued])
def test_a_function_in_c_may_import(way: Callable[..., Callable[..., Any]]) -> None:
    parsed = way(Formula("f(a, b)"), {"f": time.strptime}, "ab")("1970", "%Y")
    assert parsed.tm_year == 1970


@pytest.mark.parametrize("way", [Formula.columnwise, Formula.continued])
def test_only_the_functions_that_are_given_are_there(way: Callable[..., Any]) -> None:
    with pytest.raises(NameError):
        way(Formula("abs(a)"), {}, "a")(-1.0)


def test_repr() -> None:
    assert repr(Formula("1 - out*out")) == "Formula('1 - out * out')"


# The notation is read back by the rules of mathematics, and must give the number.

_SUPERSCRIPT = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_DIGITS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_PYTHON = {"−": "-", "·": "*", "^": "**", "≤": "<=", "≥": ">=", "≠": "!=", " = ": " == "}
_FUNCTIONS = {name: getattr(ieee, name) for name in ieee.__all__}
_FUNCTIONS |= {"abs": abs, "inf": math.inf, "nan": math.nan, "π": math.pi}

ordinary = st.floats(0.01, 50) | st.floats(-50, -0.01) | st.integers(-3, 3).map(float)


def read(notation: str) -> float:
    source = _SUPERSCRIPT.sub(lambda m: f"**({m[0].translate(_DIGITS)})", notation)
    for sign, python in _PYTHON.items():
        source = source.replace(sign, python)
    return float(eval(source, {"__builtins__": {}} | _FUNCTIONS))


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
@given(a=ordinary, b=ordinary)
def test_the_notation_evaluates_to_the_number(op: Op, a: float, b: float) -> None:
    numbers = {"a": a, "b": b}
    operands = [numbers[name] for name in op.operands]
    out = op.value(*operands)
    texts = {name: repr(x).translate(MINUS) for name, x in (numbers | {"out": out}).items()}
    for formula, function in (
        (op.forward, lambda *abc: op.value(*abc[:-1])),
        *zip(op.partials, op.local, strict=True),
    ):
        try:
            read_back = read(formula.written(texts))
        except ZeroDivisionError:
            continue  # Python's own division and power stop where ours go on
        except TypeError:
            continue  # and Python's power of a negative number is complex
        assert read_back == pytest.approx(function(*operands, out), rel=1e-12, nan_ok=True)


@given(a=ordinary, b=st.integers(-3, 4).map(float))
def test_given_constants_the_notation_still_evaluates_to_the_number(a: float, b: float) -> None:
    partial = BY_NAME["pow"].partials[0]
    written = (
        partial.branch({"a": a, "b": b})[0].given({"b": b}).written({"a": repr(a).translate(MINUS)})
    )
    if a:
        assert read(written) == pytest.approx(BY_NAME["pow"].local[0](a, b, a**b), rel=1e-5)
