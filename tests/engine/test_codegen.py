"""Generated code: it computes what the rows say."""

import pytest
from hypothesis import given

from graphs import OPERATIONS, apply, wild
from reference import all_bits, bits
from stepgrad import Value
from stepgrad.engine.ops import Op

every_op = pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)


@every_op
@given(a=wild, b=wild, upstream=wild)
def test_method_and_vjp_follow_the_row(op: Op, a: float, b: float, upstream: float) -> None:
    numbers = [a, b][: len(op.partials)]
    operands = [Value(x) for x in numbers]
    node = apply(op, *operands)
    assert bits(node.data) == bits(op.value(*numbers))

    node.grad = upstream
    op.vjp(node)
    contributions = [0.0 + carry(*numbers, node.data, upstream) for carry in op.carry]
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
