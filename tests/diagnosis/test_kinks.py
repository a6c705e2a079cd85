"""Gates that rounding decides, against fractions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ulp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepgrad import Recording, Value, record
from stepgrad.diagnosis.numbers.exact import rounding
from stepgrad.diagnosis.numbers.kinks import knife_edge, near_kinks
from stepgrad.diagnosis.survey import survey
from stepgrad.engine.ops import BY_NAME

tenths = st.integers(-10, 10).map(lambda n: n / 10)


def gate(terms: list[tuple[float, float]]) -> tuple[Recording, Value]:
    """A relu of a sum of products, and its argument."""
    with record() as recording:
        products = [Value(a) * Value(b) for a, b in terms]
        total = products[0]
        for product in products[1:]:
            total = total + product
        total.relu().backward()
    return recording, total


@given(st.lists(st.tuples(tenths, tenths), min_size=1, max_size=6))
def test_what_is_reported_may_be_on_the_other_side(terms: list[tuple[float, float]]) -> None:
    recording, total = gate(terms)
    exact = sum((Fraction(a) * Fraction(b) for a, b in terms), Fraction(0))
    found = [*near_kinks(survey(recording))]
    if (exact > 0) != (total.data > 0):
        assert found
    for edge in found:
        assert edge.argument == total.data
        assert abs(Fraction(total.data) - exact) <= edge.error
        assert 0 < edge.error < 1e-14


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=6))
def test_what_is_exact_is_not_on_an_edge(terms: list[tuple[float, float]]) -> None:
    recording, _ = gate(terms)
    assert not [*near_kinks(survey(recording))]


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda a, b: (a + b - 0.3).relu(), 1),
        (lambda a, b: (a + b - 0.3).abs(), 1),
        (lambda a, b: (a + b - 0.3).leaky_relu(), 1),
        (lambda a, b: (a + b).max(0.3), 1),
        (lambda a, b: (a + b).min(0.3), 1),
        (lambda a, b: (a * 3 + b).min(b + a + a + a), 1),
        (lambda a, b: (a + b - 0.4).relu(), 0),  # far away
        (lambda a, b: (a - 0.1 + (b - 0.2)).abs(), 0),  # exact, whatever the order
        (lambda a, b: (a * 3 + b).max(b + 3 * a), 0),  # the same, rounded alike
        (lambda a, b: (a * b - (-a) * (-b)).relu(), 0),
        (lambda a, b: (a * b + (-a) * b).relu(), 0),
        (lambda a, b: ((a - b) * 3 + (b - a) * 3).relu(), 0),
        (lambda a, b: (a.exp() - a.exp()).abs() + b, 0),
        (lambda a, b: (a * b * 0.0).relu(), 0),
        (lambda a, b: a.max(b), 0),
    ],
)
def test_a_gate_is_on_the_edge_where_roundings_do_not_cancel(
    write: Callable[[Value, Value], Value], expected: int
) -> None:
    with record() as recording:
        write(Value(0.1), Value(0.2)).backward()
    assert len([*knife_edge(survey(recording))]) == expected


def test_a_gate_at_its_kink_is_said_to_be_there() -> None:
    with record() as recording:
        (Value(0.1) + Value(0.2) + Value(0.3) - Value(0.6000000000000001)).relu().backward()
    [verdict] = knife_edge(survey(recording))
    assert "it is exactly at its kink, and the numbers before it are rounded by" in verdict.text


def test_a_gate_that_no_gradient_arrives_at_does_not_matter() -> None:
    with record() as recording:
        a, b = Value(0.1), Value(0.2)
        (0.0 * (a + b - 0.3).relu() + a).backward()
    assert not [*knife_edge(survey(recording))]


def test_a_gate_that_is_reached_in_later_passes_only_does_not_matter() -> None:
    with record() as recording:
        a, b = Value(0.1, label="a"), Value(0.3, label="b")
        for _ in range(3):
            h = (a + b - 0.3).relu()
            a.grad = b.grad = 0
            (h * h).backward()
            b.data = 0.2
    assert not [*knife_edge(survey(recording))]


@pytest.mark.parametrize(
    ("name", "inputs", "exact"),
    [
        ("add", (1.0, 2.0), True),
        ("add", (0.1, 0.2), False),
        ("sub", (0.3, 0.1), True),
        ("mul", (0.1, 3.0), False),
        ("div", (1.0, 4.0), True),
        ("div", (1.0, 3.0), False),
        ("pow", (3.0, 2.0), True),
        ("pow", (0.1, 2.0), False),
        ("pow", (4.0, 0.5), False),  # it is exact, but that takes a root
        ("sqrt", (9.0,), True),
        ("sqrt", (2.0,), False),
        ("tanh", (0.0,), True),
        ("sigmoid", (0.0,), True),
        ("exp", (-800.0,), False),
        ("log", (1.0,), True),
        ("relu", (-0.1,), True),
        ("leaky_relu", (-0.1,), False),
        ("max", (0.1, 0.2), True),
    ],
)
def test_what_an_operation_rounds(name: str, inputs: tuple[float, ...], exact: bool) -> None:
    op = BY_NAME[name]
    out = op.value(*inputs)
    assert rounding(op, inputs, out) == (0 if exact else ulp(out))
