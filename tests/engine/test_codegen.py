"""Generated code: it computes what the rows say."""

import cProfile
import inspect
import pstats
from collections.abc import Callable

import pytest
from hypothesis import given

from graphs import OPERATIONS, apply, wild
from reference import all_bits, bits
from stepgrad import SGD, Value
from stepgrad.engine import backward
from stepgrad.engine.ops import MUL, Op
from stepgrad.engine.value import constant

every_op = pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)


@every_op
@given(a=wild, b=wild, upstream=wild)
def test_method_and_vjp_follow_the_row(op: Op, a: float, b: float, upstream: float) -> None:
    numbers = [a, b][: len(op.partials)]
    operands = [Value(x) for x in numbers]
    node = apply(op, *operands)
    assert bits(node.data) == bits(op.value(*numbers))

    node.grad = upstream
    contributions = [0.0 + carry(*numbers, node.data, upstream) for carry in op.carry]
    op.vjp(node)
    assert all_bits(operand.grad for operand in operands) == all_bits(contributions)

    for operand in operands:
        operand.grad = 0.0
    backward._hand_on([node])
    assert all_bits(operand.grad for operand in operands) == all_bits(contributions)


@every_op
@given(a=wild, b=wild, upstream=wild)
def test_what_is_handed_on_is_the_product_or_nothing(
    op: Op, a: float, b: float, upstream: float
) -> None:
    numbers = [a, b][: len(op.partials)]
    out = op.value(*numbers)
    values = dict(zip(op.operands, numbers, strict=True)) | {"out": out}
    for partial, local, carry in zip(op.partials, op.local, op.carry, strict=True):
        shut = partial.branch(values)[0].shut
        assert not shut or local(*numbers, out) == 0
        product = 0.0 if shut else upstream * local(*numbers, out)
        assert bits(carry(*numbers, out, upstream)) == bits(product)


@pytest.mark.parametrize(
    ("method", "doc"),
    [
        (Value.tanh, "tanh(a). ∂/∂a = 1 − out²."),
        (Value.__mul__, "a·b. ∂/∂a = b, ∂/∂b = a."),
    ],
)
def test_a_method_documents_its_derivatives(method: object, doc: str) -> None:
    assert method.__doc__ == doc


@pytest.mark.parametrize(
    ("method", "line"),
    [
        (Value.__mul__, "node._data = self._data * other._data"),
        (Value.__rpow__, "node._data = pow(other._data, self._data)"),
        (type(constant(1.0)).__mul__, "node._data = self._data * other._data"),
        (Value.tanh, "node._data = tanh(self._data)"),
        (MUL.vjp, "a._grad += upstream * b._data"),
        (backward._hand_on, "if operation is mul:"),
        (MUL.beside(0).vjp, "b._grad += upstream * a._data"),
    ],
)
def test_the_source_of_generated_code_is_at_hand(method: Callable[..., object], line: str) -> None:
    assert line in inspect.getsource(method)


def test_different_code_is_in_different_files() -> None:
    functions = [op.vjp for row in OPERATIONS for op in (row, row.beside(0), row.beside(1))]
    functions += [value for value in vars(Value).values() if hasattr(value, "__code__")]
    codes = {function.__code__ for function in functions}
    generated = [(code.co_filename, code.co_code, code.co_names) for code in codes]
    ours = {each for each in generated if each[0].startswith("<stepgrad ")}
    assert len({file for file, _, _ in ours}) == len(ours) > 2 * len(OPERATIONS)


def test_a_profiler_tells_operations_and_optimizers_apart() -> None:
    with cProfile.Profile() as profile:
        w = Value(2.0)
        (w * w.tanh()).backward()
        SGD([w], 0.1).step()
    files = {file for file, _, _ in pstats.Stats(profile).stats}  # type: ignore[attr-defined]
    expected = {"mul", "tanh", "tanh vjp", "backward", "sgd"}
    assert {f"<stepgrad {each}>" for each in expected} <= files
