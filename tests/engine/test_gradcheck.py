"""Reverse mode, forward mode, complex step and central differences: four ways to one number."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphs
from stepgrad import Value
from stepgrad.engine import gradcheck
from stepgrad.engine.dual import gradients, tangents
from stepgrad.engine.formula import Formula
from stepgrad.engine.gradcheck import at_kink, central_difference, complex_local, complex_tangents
from stepgrad.engine.graph import Graph
from stepgrad.engine.ops import BY_NAME, Op


def close(a: float, b: float, relative: float = 1e-10) -> bool:
    return math.isclose(a, b, rel_tol=relative, abs_tol=relative)


def kinks(graph: Graph) -> list[int]:
    return [
        place
        for place, op in enumerate(graph.ops)
        if op.partials and at_kink(op, graph.inputs(place))
    ]


@given(graphs.graphs(graphs.tame))
def test_forward_mode_is_reverse_mode_is_the_complex_step(random: graphs.Graph) -> None:
    values = random.build()
    graph = Graph.of(values[-1])
    values[-1].backward()
    backward = gradients(graph)
    if not all(map(math.isfinite, [*graph.values, *backward])):
        return
    largest = max(map(abs, [*graph.values, *backward]), default=1.0)
    if largest > 1e6:
        return  # the digits are spent on other terms of the sum
    for leaf in graph.leaves:
        forward = tangents(graph, {leaf: 1.0})
        assert close(forward[-1], backward[leaf])
        assert close(complex_tangents(graph, {leaf: 1.0})[-1], backward[leaf])


@given(graphs.graphs(graphs.tame))
def test_the_graph_of_a_value_has_its_numbers_and_its_gradients(random: graphs.Graph) -> None:
    values = random.build()
    root = values[-1]
    root.backward()
    graph = Graph.of(root)
    leaves = [value for value in values if not value._operands and value in reached(root)]
    assert repr(graph.values[-1]) == repr(root.data)
    assert [graph.values[leaf] for leaf in graph.leaves] == [value.data for value in leaves]
    found = gradients(graph)
    for place, value in zip(graph.leaves, leaves, strict=True):
        assert close(found[place], value.grad) or not math.isfinite(value.grad)


def reached(root: Value) -> set[Value]:
    found, stack = {root}, [root]
    while stack:
        for operand in stack.pop()._operands:
            if operand not in found:
                found.add(operand)
                stack.append(operand)
    return found


def test_a_dual_number_of_the_sine_of_a_square() -> None:
    x = Value(2.0)
    a = x**2
    graph = Graph.of(a.sin())
    pairs = list(zip(graph.values, tangents(graph, {graph.leaves[0]: 1.0}), strict=True))
    assert pairs[0] == (2.0, 1.0)
    assert (4.0, 4.0) in pairs
    assert pairs[-1] == pytest.approx((-0.756802, -2.614574), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [("relu", [0.0]), ("leaky_relu", [-0.0]), ("abs", [0.0]), ("max", [2.0, 2.0]), ("min", [1, 1])],
)
def test_a_kink_is_known_and_follows_the_convention(name: str, inputs: list[float]) -> None:
    op = BY_NAME[name]
    assert at_kink(op, inputs)
    assert not at_kink(op, [1.5, -2.0][: len(inputs)])
    values = [Value(x) for x in inputs]
    out = graphs.apply(op, *values)
    out.backward()
    graph = Graph.of(out)
    for leaf, value in zip(graph.leaves, values, strict=True):
        assert complex_tangents(graph, {leaf: 1.0})[-1] == pytest.approx(value.grad)


@pytest.mark.parametrize("name", ["pow", "mul", "sqrt", "log"])
def test_a_formula_of_one_piece_has_no_kink(name: str) -> None:
    op = BY_NAME[name]
    assert not at_kink(op, [0.0] * len(op.partials))


def test_a_tangent_of_what_the_seed_does_not_reach_is_0_even_beside_an_infinite_slope() -> None:
    x, zero = Value(3.0), Value(0.0)
    graph = Graph.of(x * 2 + zero.sqrt() * 0)
    [of_x, of_zero] = graph.leaves
    assert tangents(graph, {of_x: 1.0})[-1] == 2.0
    assert math.isnan(tangents(graph, {of_zero: 1.0})[-1])


def test_the_textbook_check_of_tanh() -> None:
    x = Value(0.5)
    graph = Graph.of((x**3 + 2 * x + 1).tanh())
    [leaf] = [place for place in graph.leaves if graph.values[place] == 0.5]
    slope = central_difference(graph, leaf)
    exact = gradients(graph)[leaf]
    assert exact == pytest.approx(0.15252426, abs=1e-8)
    assert abs(slope.value - exact) <= slope.error < 1e-8


SMOOTH: list[Callable[[Value], Value]] = [
    lambda x: (x**3 + 2 * x + 1).tanh(),
    lambda x: (x * x).sin() / x,
    lambda x: (x.log() + x.sqrt()).exp(),
    lambda x: (3 * x).sigmoid() ** 2.5,
    lambda x: 1e6 * (x - 0.1).cos() + 1e-6 * x,
]


@given(st.sampled_from(SMOOTH), st.floats(0.3, 2.0))
def test_the_error_of_a_difference_is_told(function: Callable[[Value], Value], x: float) -> None:
    graph = Graph.of(function(Value(x)))
    [leaf] = graph.leaves
    slope, exact = central_difference(graph, leaf), gradients(graph)[leaf]
    assert abs(slope.value - exact) <= 2 * slope.error
    assert slope.error <= 1e-4 * max(abs(exact), abs(graph.values[-1]))


def test_a_planted_wrong_derivative_is_caught() -> None:
    tanh = BY_NAME["tanh"]
    wrong = Op("tanh", "tanh", tanh.forward, (Formula("1 - out"),), tanh.code)
    x = Value(0.5)
    graph = Graph.of((x * 2).tanh())
    planted = Graph([wrong if op is tanh else op for op in graph.ops], graph.operands, graph.values)
    place = planted.ops.index(wrong)
    assert close(complex_local(graph, place, 0), graph.local(place, 0))
    assert not close(complex_local(planted, place, 0), planted.local(place, 0), 1e-3)


def test_beyond_the_largest_number_there_is_no_complex_step() -> None:
    graph = Graph.of(Value(800.0).exp())
    assert math.isnan(complex_tangents(graph, {0: 1.0})[-1])


def test_numbers_put_in_are_computed_through() -> None:
    x = Value(3.0)
    graph = Graph.of(x * x + 1)
    assert graph.given({graph.leaves[0]: 4.0}).values[-1] == 17.0
    assert gradcheck.central_difference(graph, graph.leaves[0]).value == pytest.approx(6.0)


@pytest.mark.parametrize("function", [Value.log, Value.sqrt, lambda x: x**0.5])
def test_below_the_domain_there_is_no_complex_step(function: Callable[[Value], Value]) -> None:
    graph = Graph.of(function(Value(-1.0)))
    assert math.isnan(complex_tangents(graph, {graph.leaves[0]: 1.0})[-1])
