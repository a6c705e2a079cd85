"""IEEE arithmetic: it equals Python's where Python has an answer, and never raises."""

import math
from collections.abc import Callable
from math import inf, nan

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference import bits
from stepgrad.engine import ieee

UNARY = {
    name: getattr(ieee, name)
    for name in (
        "atan", "cos", "cosh", "erf", "exp", "expm1", "log", "log1p", "sin", "sinh", "sqrt", "tanh"
    )
}  # fmt: skip
BINARY: dict[str, tuple[Callable[..., float], Callable[..., float]]] = {
    "div": (ieee.div, lambda a, b: a / b),
    "pow": (ieee.pow, math.pow),
}


def test_every_function_is_tested_here() -> None:
    assert {*UNARY, *BINARY, "softplus"} == {*ieee.__all__}


@pytest.mark.parametrize("name", UNARY)
@given(a=st.floats())
def test_unary_never_raises_and_agrees_with_math(name: str, a: float) -> None:
    ours = UNARY[name](a)
    try:
        expected = getattr(math, name)(a)
    except (ValueError, OverflowError):
        assert not math.isfinite(ours)
    else:
        assert bits(ours) == bits(expected)


@pytest.mark.parametrize("name", BINARY)
@given(a=st.floats(), b=st.floats() | st.integers(-5, 5).map(float))
def test_binary_never_raises_and_agrees_with_math(name: str, a: float, b: float) -> None:
    ours, theirs = BINARY[name]
    try:
        expected = theirs(a, b)
    except (ValueError, OverflowError, ZeroDivisionError):
        assert not math.isfinite(ours(a, b))
    else:
        assert bits(ours(a, b)) == bits(expected)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (ieee.div(1.0, 0.0), inf),
        (ieee.div(1.0, -0.0), -inf),
        (ieee.div(-1.0, 0.0), -inf),
        (ieee.div(inf, 0.0), inf),
        (ieee.div(0.0, 0.0), nan),
        (ieee.div(nan, 0.0), nan),
        (ieee.pow(0.0, 0.0), 1.0),
        (ieee.pow(nan, 0.0), 1.0),
        (ieee.pow(-8.0, 1 / 3), nan),
        (ieee.pow(0.0, -1.0), inf),
        (ieee.pow(-0.0, -1.0), -inf),
        (ieee.pow(-0.0, -2.0), inf),
        (ieee.pow(-0.0, -0.5), inf),
        (ieee.pow(-1e200, 3.0), -inf),
        (ieee.pow(-1e200, 2.0), inf),
        (ieee.exp(710.0), inf),
        (ieee.log(0.0), -inf),
        (ieee.log(-0.0), -inf),
        (ieee.log(-1.0), nan),
        (ieee.sqrt(-1.0), nan),
        (ieee.sqrt(-0.0), -0.0),
        (ieee.sin(inf), nan),
        (ieee.cos(-inf), nan),
        (ieee.log1p(-1.0), -inf),
        (ieee.log1p(-1.5), nan),
        (ieee.log1p(-0.0), -0.0),
        (ieee.expm1(710.0), inf),
        (ieee.sinh(711.0), inf),
        (ieee.sinh(-711.0), -inf),
        (ieee.cosh(-711.0), inf),
        (ieee.softplus(inf), inf),
        (ieee.softplus(-inf), 0.0),
        (ieee.softplus(nan), nan),
    ],
)
def test_where_python_raises(got: float, expected: float) -> None:
    assert bits(got) == bits(expected)


def test_a_power_of_negative_zero_is_negative_for_odd_exponents_only() -> None:
    assert ieee.pow(-0.0, -1.0) == -inf
    assert ieee.pow(-0.0, -3.0) == -inf
    assert ieee.pow(-0.0, math.nextafter(-1.0, 0.0)) == inf  # nearly odd


@given(a=st.floats(-700, 1e300))
def test_softplus_has_all_its_digits_at_both_ends(a: float) -> None:
    with mpmath.workdps(50):
        exact = float(mpmath.log1p(mpmath.exp(a)) if a < 1e3 else mpmath.mpf(a))
    assert ieee.softplus(a) == pytest.approx(exact, rel=1e-15)
