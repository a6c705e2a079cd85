"""Optimizers: the rule they follow."""

from hypothesis import given
from hypothesis import strategies as st

from reference import all_bits, bits
from stepgrad import SGD, Value

numbers = st.floats(-1e6, 1e6)


@given(numbers, numbers, st.floats(0, 10))
def test_sgd_is_the_loop_that_one_writes(data: float, grad: float, rate: float) -> None:
    ours, loop = Value(data), Value(data)
    ours.grad = loop.grad = grad
    SGD([ours], rate).step()
    loop.data -= rate * loop.grad
    assert bits(ours.data) == bits(loop.data)
    assert ours.grad == grad


def test_zero_grad_clears_every_parameter() -> None:
    parameters = [Value(1.0), Value(2.0)]
    for p in parameters:
        p.grad = float("nan")
    SGD((p for p in parameters), 0.1).zero_grad()
    assert all_bits(p.grad for p in parameters) == all_bits([0.0, 0.0])


def test_training_goes_downhill() -> None:
    w = Value(0.0)
    sgd = SGD([w], 0.1)
    for _ in range(50):
        sgd.zero_grad()
        ((w - 3) ** 2).backward()
        sgd.step()
    assert abs(w.data - 3) < 1e-4


def test_a_parameter_given_twice_moves_once() -> None:
    w = Value(1.0)
    w.grad = 1.0
    SGD([w, w], 0.25).step()
    assert w.data == 0.75
