"""The op table: each partial derivative, against numbers and against PyTorch."""

from __future__ import annotations

import ast
import cmath
import math
import operator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from graphs import ODD_NUMBERS, OPERATIONS, apply
from stepgrad import Value
from stepgrad.checking.pytorch import torch_function
from stepgrad.engine.continuation import COMPLEX
from stepgrad.engine.ops import BY_NAME, FUNCTIONS, OPS, Op
from stepgrad.engine.value import constant

SMOOTH_POINTS = (0.3, 0.7, 1.4, 2.6)
KINKED = {"abs", "max", "min", "relu", "leaky_relu"}

every_op = pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)


def test_codes_are_places_in_the_table_and_fit_a_byte() -> None:
    assert [op.code for op in OPS] == list(range(len(OPS)))
    assert all(op.code < 256 for op in OPS)
    assert [BY_NAME[op.name] for op in OPS] == OPS


def test_what_an_expression_may_call() -> None:
    assert FUNCTIONS["max"] == 2
    assert FUNCTIONS["relu"] == 1
    assert FUNCTIONS.keys().isdisjoint({"add", "pow", "leaf", "constant"})
    assert all(callable(getattr(Value, name)) for name in FUNCTIONS)


@every_op
def test_a_partial_is_the_complex_step_derivative(op: Op) -> None:
    if op.name in KINKED:
        pytest.skip("not analytic")
    step = 1e-30
    source = op.forward.python({})
    functions = {**COMPLEX, **vars(cmath), "pow": operator.pow}
    for point in product(SMOOTH_POINTS, repeat=len(op.partials)):
        out = op.value(*point)
        for slot, local in enumerate(op.local):
            nudged = {
                name: complex(x, step * (i == slot))
                for i, (name, x) in enumerate(zip(op.operands, point, strict=True))
            }
            derivative = eval(source, functions, nudged).imag / step
            assert local(*point, out) == pytest.approx(derivative, rel=1e-13), (op, point, slot)


@every_op
@pytest.mark.parametrize("sign", [1, -1])
def test_a_partial_is_the_slope(op: Op, sign: int) -> None:
    step = 1e-6
    for point in product(SMOOTH_POINTS, repeat=len(op.partials)):
        if len(set(point)) < len(point):  # where max and min have their kink
            continue
        at = [sign * x for x in point]
        for slot, local in enumerate(op.local):
            up, down = list(at), list(at)
            up[slot] += step
            down[slot] -= step
            slope = (op.value(*up) - op.value(*down)) / (up[slot] - down[slot])
            if math.isnan(slope):  # log and sqrt below zero, and powers of negative numbers
                continue
            assert local(*at, op.value(*at)) == pytest.approx(slope, rel=1e-8, abs=1e-9), (
                op,
                at,
                slot,
            )


@pytest.mark.parametrize(
    ("name", "operands", "gradients"),
    [
        ("relu", [0.0], [0.0]),
        ("relu", [-0.0], [0.0]),
        ("leaky_relu", [0.0], [0.01]),
        ("abs", [0.0], [0.0]),
        ("max", [1.0, 1.0], [0.5, 0.5]),
        ("min", [1.0, 1.0], [0.5, 0.5]),
        ("pow", [0.0, 0.0], [0.0, 0.0]),
        ("pow", [0.0, 2.0], [0.0, 0.0]),
        ("sqrt", [0.0], [math.inf]),
        ("log", [0.0], [math.inf]),
        ("max", [math.nan, 1.0], [1.0, 1.0]),
        ("log1p", [-1.0], [math.inf]),
    ],
)
def test_conventions_at_kinks_and_poles(
    name: str, operands: list[float], gradients: list[float]
) -> None:
    values = [Value(x) for x in operands]
    apply(BY_NAME[name], *values).backward()
    assert [value.grad for value in values] == gradients


@pytest.mark.parametrize(
    ("name", "names", "written"),
    [
        ("mul", {"a": "w", "b": "x"}, "w·x"),
        ("relu", {"a": "z"}, "relu(z)"),
        ("leaky_relu", {"a": "z"}, "leaky_relu(z)"),
        ("sigmoid", {"a": "z"}, "sigmoid(z)"),
        ("max", {"a": "x", "b": "−1"}, "max(x, −1)"),
        ("neg", {"a": "x"}, "−x"),
        ("abs", {"a": "x"}, "abs(x)"),
        ("pow", {"a": "x", "b": "3"}, "x³"),
    ],
)
def test_an_operation_is_written_as_in_a_textbook(
    name: str, names: dict[str, str], written: str
) -> None:
    assert BY_NAME[name].written(names) == written


@every_op
def test_formulas_use_no_other_names_than_operands_and_out(op: Op) -> None:
    for formula in (op.forward, *op.partials):
        tree = ast.parse(formula.python({}))
        called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call)}  # type: ignore[attr-defined]
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert names - called <= {*op.operands, "out", "π"}


def _agree(op: Op, ours: float, theirs: float) -> bool:
    """Equal up to the last bits; infinities and nan exactly; a zero is a zero."""
    if math.isnan(ours) or math.isnan(theirs):
        return math.isnan(ours) and math.isnan(theirs)
    # 1 - out*out loses digits near 1, and PyTorch computes it fused.
    return math.isclose(ours, theirs, rel_tol=1e-14, abs_tol=1e-16 * (op.name == "tanh"))


@pytest.mark.parametrize(
    ("op", "with_nan"),
    [pytest.param(op, False, id=op.name) for op in OPERATIONS]
    + [pytest.param(op, True, id=f"{op.name}-nan") for op in OPERATIONS],
)
def test_values_and_gradients_are_pytorchs(op: Op, with_nan: bool) -> None:
    torch = pytest.importorskip("torch")
    function = torch_function(op)
    differences = []
    for point in product(ODD_NUMBERS, repeat=len(op.partials)):
        if any(map(math.isnan, point)) is not with_nan:
            continue
        ours = [Value(x) for x in point]
        theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in point]
        our_out, their_out = apply(op, *ours), function(*theirs)
        our_out.backward()
        their_out.backward()
        pairs = [(our_out.data, their_out.item())]
        pairs += [(a.grad, b.grad.item()) for a, b in zip(ours, theirs, strict=True)]
        if not all(_agree(op, *pair) for pair in pairs):
            differences.append(f"{op.name}{point}: (ours, torch's) value, gradients: {pairs}")
    assert not differences, "\n".join(differences)


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_what_is_handed_on_is_pytorchs_whatever_arrives(op: Op) -> None:
    torch = pytest.importorskip("torch")
    function = torch_function(op)
    differences = []
    points = product(ODD_NUMBERS, repeat=len(op.partials))
    for point, upstream in product(points, (1.0, -2.0, math.inf, -math.inf, math.nan)):
        theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in point]
        out = function(*theirs)
        out.backward(torch.tensor(upstream, dtype=torch.float64))
        for carry, their in zip(op.carry, theirs, strict=True):
            pair = carry(*point, out.item(), upstream), their.grad.item()
            if not _agree(op, *pair):
                differences.append(f"{op.name}{point}, {upstream} arrives: {pair}")
    assert not differences, "\n".join(differences)


@pytest.mark.parametrize(
    ("name", "operands", "slot"),
    [("relu", [-1.0], 0), ("max", [1.0, 2.0], 0), ("min", [1.0, 2.0], 1), ("pow", [3.0, 0.0], 0)],
)
@pytest.mark.parametrize("upstream", [1.0, math.inf, math.nan])
def test_a_shut_gate_lets_nothing_pass(
    name: str, operands: list[float], slot: int, upstream: float
) -> None:
    values = [Value(x) for x in operands]
    node = apply(BY_NAME[name], *values)
    node.grad = upstream
    BY_NAME[name].vjp(node)
    assert values[slot].grad == 0.0


def test_the_zero_of_abs_multiplies() -> None:
    x = Value(0.0)
    x.abs().log().backward()
    assert math.isnan(x.grad)


@pytest.mark.parametrize(
    ("name", "operands", "sign"),
    [
        ("relu", [-0.0], -1), ("relu", [0.0], 1), ("max", [0.0, -0.0], 1), ("max", [-0.0, 0.0], -1),
        ("min", [0.0, -0.0], 1), ("min", [-0.0, 0.0], -1),
    ],
)  # fmt: skip
def test_zeros_keep_their_sign(name: str, operands: list[float], sign: int) -> None:
    assert math.copysign(1.0, BY_NAME[name].value(*operands)) == sign


@pytest.mark.parametrize("op", [op for op in OPERATIONS if len(op.partials) == 2], ids=repr)
@pytest.mark.parametrize("side", [0, 1])
def test_a_plain_number_takes_no_gradient(op: Op, side: int) -> None:
    numbers: list[Any] = [Value(-3.0), Value(-3.0)]
    numbers[side] = constant(2.0)
    node = apply(op, *numbers)
    node.backward()
    assert numbers[side].grad == 0.0
    both = apply(op, constant(2.0), constant(3.0)) + Value(1.0)
    both.backward()
    assert [each.grad for each in both._prev[0]._prev] == [0.0, 0.0]


def test_a_slice_of_the_stress_against_pytorch() -> None:
    pytest.importorskip("torch")
    from stress_torch import stress  # noqa: PLC0415 - it needs PyTorch

    counts, wrong = stress(range(400))
    assert wrong == [], "\n".join(str(program) for program, _ in wrong[:1])
    assert counts["the same"] > 350


def test_the_difference_that_the_page_on_the_api_tells_of() -> None:
    text = (Path(__file__).parents[2] / "stepgrad" / "pages" / "api.md").read_text(encoding="utf-8")
    assert "`(x.log() * 0).backward()` at `x = Value(1e-310)` gives `nan`" in " ".join(text.split())
    x = Value(1e-310)
    (x.log() * 0).backward()
    assert math.isnan(x.grad)
