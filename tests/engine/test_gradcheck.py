"""Reverse mode, forward mode, complex step and central differences: four ways to one number."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import graphs
from stepgrad import Value
from stepgrad.checking.comparison import GATE
from stepgrad.engine.closeness import relative
from stepgrad.engine.continuation import COMPLEX
from stepgrad.engine.dual import gradients, magnitudes, tangents
from stepgrad.engine.formula import Formula
from stepgrad.engine.gradcheck import (
    central_difference,
    complex_local,
    complex_or_rule,
    rounding,
)
from stepgrad.engine.graph import Carry, Edges, Graph
from stepgrad.engine.ops import BY_NAME, Op


def close(a: float, b: float, relative: float = 1e-10) -> bool:
    return math.isclose(a, b, rel_tol=relative, abs_tol=relative)


def kinks(graph: Graph) -> list[int]:
    return [
        place
        for place, op in enumerate(graph.ops)
        if op.partials and op.at_kink(graph.inputs(place))
    ]


def step(graph: Graph, place: int, slot: int) -> float | None:
    return complex_local(graph.ops[place], graph.inputs(place), slot)


def stepped(graph: Graph) -> Edges:
    """Edges by complex steps, or by the rules where no step can be taken."""

    def local(place: int, slot: int) -> Carry:
        return complex_or_rule(graph.ops[place], graph.inputs(place), graph.values[place], slot)

    return local


@given(graphs.graphs())
def test_forward_mode_is_reverse_mode_is_the_complex_step(random: graphs.Graph) -> None:
    values = random.build()
    graph = graphs.computation(values[-1])
    values[-1].backward()
    backward = gradients(graph)
    sizes = magnitudes(graph)
    for leaf in graph.leaves:
        for found in (tangents(graph, {leaf: 1.0}), tangents(graph, {leaf: 1.0}, stepped(graph))):
            # What overflows one way may not the other way, nor need it meet the same shut gates.
            finite = math.isfinite(backward[leaf]) and math.isfinite(found[-1])
            assert not finite or relative(found[-1], backward[leaf], sizes[leaf]) <= GATE


@given(graphs.graphs(graphs.tame))
def test_the_graph_of_a_value_has_its_numbers_and_its_gradients(random: graphs.Graph) -> None:
    values = random.build()
    root = values[-1]
    root.backward()
    graph = graphs.computation(root)
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
    graph = graphs.computation(a.sin())
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
    assert op.at_kink(inputs)
    assert not op.at_kink([1.5, -2.0][: len(inputs)])
    values = [Value(x) for x in inputs]
    out = graphs.apply(op, *values)
    out.backward()
    graph = graphs.computation(out)
    for slot, leaf in enumerate(graph.leaves):
        assert step(graph, len(graph) - 1, slot) is None
        assert tangents(graph, {leaf: 1.0})[-1] == values[slot].grad


@pytest.mark.parametrize("name", ["pow", "mul", "sqrt", "log"])
def test_a_formula_of_one_piece_has_no_kink(name: str) -> None:
    op = BY_NAME[name]
    assert not op.at_kink([0.0] * len(op.partials))


def test_a_tangent_of_what_the_seed_does_not_reach_is_0_even_beside_an_infinite_slope() -> None:
    x, zero = Value(3.0), Value(0.0)
    graph = graphs.computation(x * 2 + zero.sqrt() * 0)
    [of_x, of_zero] = graph.leaves
    assert tangents(graph, {of_x: 1.0})[-1] == 2.0
    assert math.isnan(tangents(graph, {of_zero: 1.0})[-1])


def test_the_textbook_check_of_tanh() -> None:
    x = Value(0.5)
    graph = graphs.computation((x**3 + 2 * x + 1).tanh())
    [leaf] = [place for place in graph.leaves if graph.values[place] == 0.5]
    slope = central_difference(graph, leaf, rounding(graph))
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
    graph = graphs.computation(function(Value(x)))
    [leaf] = graph.leaves
    found = gradients(graph)
    slope, exact = central_difference(graph, leaf, rounding(graph)), found[leaf]
    assert abs(slope.value - exact) <= 2 * slope.error
    assert slope.error <= 1e-4 * max(abs(exact), abs(graph.values[-1]))


def test_a_planted_wrong_derivative_is_caught() -> None:
    tanh = BY_NAME["tanh"]
    wrong = Op("tanh", "tanh", tanh.forward, (Formula("1 - out"),), tanh.code)
    x = Value(0.5)
    graph = graphs.computation((x * 2).tanh())
    planted = Graph([wrong if op is tanh else op for op in graph.ops], graph.operands, graph.values)
    place = planted.ops.index(wrong)
    assert step(graph, place, 0) == pytest.approx(graph.edge(place, 0)(1.0))
    assert step(planted, place, 0) != pytest.approx(planted.edge(place, 0)(1.0), rel=1e-3)


def test_beyond_the_largest_number_there_is_no_complex_step() -> None:
    graph = graphs.computation(Value(800.0).exp())
    assert step(graph, 1, 0) is None


def test_numbers_put_in_are_computed_through() -> None:
    x = Value(3.0)
    graph = graphs.computation(x * x + 1)
    assert graph.given({graph.leaves[0]: 4.0}).values[-1] == 17.0
    assert central_difference(graph, graph.leaves[0], 0.0).value == pytest.approx(6.0)


@pytest.mark.parametrize("function", [Value.log, Value.sqrt, lambda x: x**0.5])
def test_below_the_domain_there_is_no_complex_step(function: Callable[[Value], Value]) -> None:
    graph = graphs.computation(function(Value(-1.0)))
    assert step(graph, len(graph) - 1, 0) is None


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.tanh(), lambda x: x.sigmoid(), lambda x: (1 + x) - x, lambda x: x.exp() / x,
        lambda x: x**101, lambda x: (-x) ** 1000, lambda x: (-x) ** -3, lambda x: x**1.5,
        lambda x: x.log().relu(), lambda x: abs(x.log()), lambda x: x.log().max(x.log()),
        lambda x: x.sin(), lambda x: x.atan(), lambda x: x.sinh(), lambda x: x.cosh(),
        lambda x: x.expm1(), lambda x: x.log1p(), lambda x: (-x).expm1(), lambda x: (-x).log1p(),
        lambda x: x.softplus(), lambda x: (-x).softplus(), lambda x: x.erf(), lambda x: (-x).erf(),
        lambda x: x.gelu(), lambda x: (-x).gelu(),
    ],
)  # fmt: skip
def test_complex_steps_agree_where_digits_are_lost(function: Callable[[Value], Value]) -> None:
    for x in (1e-12, 0.5, 1.0, 1.01, 4.85, 8.0, 20.0, 40.0, 700.0, 1e40):
        graph = graphs.computation(function(Value(x)))
        [leaf] = graph.leaves
        ours, other = gradients(graph)[leaf], gradients(graph, stepped(graph))[leaf]
        assert not relative(ours, other, magnitudes(graph)[leaf]) > GATE, x


def test_what_cancels_in_a_local_derivative_is_a_size_of_its_own() -> None:
    open_, shut = (graphs.computation(Value(x).tanh()) for x in (0.0, 20.0))
    assert magnitudes(open_)[0] == 1.0
    assert magnitudes(shut)[0] == pytest.approx(2.0)
    # What is lost once is not lost again at every layer.
    deep = Value(0.5)
    for _ in range(30):
        deep = deep.sigmoid()
    graph = graphs.computation(deep)
    assert magnitudes(graph)[0] < 200 * gradients(graph)[0]


@pytest.mark.parametrize(("base", "edge"), [(0.0, True), (-2.0, True), (2.0, False)])
def test_a_power_has_a_derivative_by_its_exponent_above_0_only(base: float, edge: bool) -> None:
    graph = graphs.computation(Value(base) ** Value(3.0))
    assert (step(graph, len(graph) - 1, 1) is None) is edge
    assert step(graph, len(graph) - 1, 0) == pytest.approx(3 * base**2)


def test_the_rounding_of_a_root_is_that_of_all_its_parts() -> None:
    x = Value(1e8)
    graph = graphs.computation((x * x + 1) - x * x)  # 1e16 + 1 − 1e16
    slope = central_difference(graph, graph.leaves[0], rounding(graph))
    assert abs(slope.value) <= slope.error


@pytest.mark.parametrize("name", ["atan", "cosh", "erf", "expm1", "log1p", "sinh"])
@given(x=st.floats(-6, 6), y=st.sampled_from([0.0, 1e-20, 1e-8, 0.1, -0.5]))
def test_the_complex_functions_are_mpmaths(name: str, x: float, y: float) -> None:
    assume(name != "log1p" or x > -0.99)
    with mpmath.workdps(40):
        exact = complex(getattr(mpmath, name)(mpmath.mpc(x, y)))
    found = COMPLEX[name](complex(x, y))
    assert found.real == pytest.approx(exact.real, rel=1e-13, abs=1e-15)
    assert found.imag == pytest.approx(exact.imag, rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("x", [0.1, 1.9, 2.1, 5.0, 17.0, 24.0])
def test_a_complex_step_finds_the_slope_of_erf_far_out(x: float) -> None:
    slope = complex_local(BY_NAME["erf"], [x], 0)
    assert slope == pytest.approx(2 / math.sqrt(math.pi) * math.exp(-x * x), rel=1e-12)


def test_where_the_effect_of_a_step_underflows_the_rule_counts() -> None:
    x, erf = 26.0, BY_NAME["erf"]
    assert complex_or_rule(erf, [x], 1.0, 0)(1.0) == erf.local[0](x, 1.0) > 0
