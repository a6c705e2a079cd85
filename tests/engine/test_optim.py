"""Optimizers: their rules, compared with hand-written loops and with PyTorch."""

from collections.abc import Callable, Sequence
from math import inf, isnan, nan, sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import all_bits, bits
from stepgrad import SGD, Adam, Recording, Value, clip_norm, record
from stepgrad.engine.optim import METHODS
from stepgrad.recording.events import SetGrad, Update

numbers = st.floats(-1e6, 1e6)
courses = st.lists(st.tuples(*[st.floats(-100, 100)] * 3), min_size=1, max_size=12)
"""The gradients of three parameters, step by step."""

STARTS = [0.5, -2.0, 3.0]

Optimizer = SGD | Adam


@given(numbers, numbers, st.floats(0, 10))
def test_sgd_is_the_loop_that_one_writes(data: float, grad: float, rate: float) -> None:
    ours, loop = Value(data), Value(data)
    ours.grad = loop.grad = grad
    SGD([ours], rate).step()
    loop.data -= rate * loop.grad
    assert bits(ours.data) == bits(loop.data)
    assert ours.grad == grad


def follow(optimizer: Callable[[list[Value]], Optimizer], course: Any) -> list[Value]:
    """Give an optimizer the gradients of a course; return the parameters it ends with."""
    parameters = [Value(start) for start in STARTS]
    ours = optimizer(parameters)
    for grads in course:
        for parameter, grad in zip(parameters, grads, strict=True):
            parameter.grad = grad
        ours.step()
    return parameters


@given(courses, st.floats(0, 1), st.floats(0, 1))
def test_momentum_is_the_loop_that_one_writes(course: Any, rate: float, momentum: float) -> None:
    ours = follow(lambda p: SGD(p, rate, momentum), course)
    for number, (parameter, data) in enumerate(zip(ours, STARTS, strict=True)):
        velocity = 0.0
        for grads in course:
            velocity = momentum * velocity + grads[number]
            data -= rate * velocity  # noqa: PLW2901
        assert bits(parameter.data) == bits(data)


@given(courses, st.floats(0, 1), st.floats(0, 0.99), st.floats(0, 0.9999))
def test_adam_is_the_algorithm_of_the_paper(
    course: Any, rate: float, beta1: float, beta2: float
) -> None:
    ours = follow(lambda p: Adam(p, rate, (beta1, beta2), 1e-6), course)
    for number, (parameter, data) in enumerate(zip(ours, STARTS, strict=True)):
        m = v = 0.0
        for t, grads in enumerate(course, 1):
            m = beta1 * m + (1 - beta1) * grads[number]
            v = beta2 * v + (1 - beta2) * grads[number] ** 2
            data -= rate * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + 1e-6)  # noqa: PLW2901
        assert parameter.data == pytest.approx(data, rel=1e-12, abs=1e-12)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@settings(deadline=None)  # PyTorch loads its optimizers when the first is made
@given(courses)
def test_pytorch_trains_the_same(torch: Any, course: Any) -> None:
    pairs: list[tuple[Callable[[list[Value]], Optimizer], Callable[[Any], Any]]] = [
        (lambda p: SGD(p, 0.1), lambda p: torch.optim.SGD(p, 0.1)),
        (lambda p: SGD(p, 0.1, 0.9), lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)),
        (Adam, torch.optim.Adam),
        (
            lambda p: Adam(p, 0.02, (0.8, 0.95), 1e-5),
            lambda p: torch.optim.Adam(p, 0.02, (0.8, 0.95), 1e-5),
        ),
    ]
    for ours, theirs in pairs:
        tensor = torch.tensor(STARTS, dtype=torch.float64, requires_grad=True)
        optimizer = theirs([tensor])
        for grads in course:
            tensor.grad = torch.tensor(grads, dtype=torch.float64)
            optimizer.step()
        got = [parameter.data for parameter in follow(ours, course)]
        assert got == pytest.approx(tensor.tolist(), rel=1e-12, abs=1e-12)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=9), st.floats(0.1, 1e4))
def test_pytorch_clips_the_same(torch: Any, grads: list[float], limit: float) -> None:
    tensor = torch.zeros(len(grads), dtype=torch.float64, requires_grad=True)
    tensor.grad = torch.tensor(grads, dtype=torch.float64)
    norm = torch.nn.utils.clip_grad_norm_([tensor], limit).item()
    ours = with_gradients(grads)
    assert clip_norm(ours, limit) == pytest.approx(norm)
    # At the limit itself PyTorch takes off its epsilon already.
    assert [p.grad for p in ours] == pytest.approx(tensor.grad.tolist(), rel=2e-5)


def with_gradients(grads: Sequence[float]) -> list[Value]:
    parameters = [Value(0.0) for _ in grads]
    for parameter, grad in zip(parameters, grads, strict=True):
        parameter.grad = grad
    return parameters


def test_clipping_keeps_the_direction() -> None:
    parameters = with_gradients([3.0, -4.0])
    assert clip_norm((p for p in parameters), 1.0) == 5.0
    assert [p.grad for p in parameters] == pytest.approx([0.6, -0.8], rel=1e-6)


def test_what_is_short_enough_is_not_written() -> None:
    with record() as recording:
        parameters = with_gradients([3.0, -4.0])
        before = len(recording.events)
        assert clip_norm(parameters, 5.0) == 5.0
        assert len(recording.events) == before
    assert clip_norm([], 1.0) == 0.0


def test_clipping_what_is_not_finite() -> None:
    parameters = with_gradients([nan, 1.0])
    assert isnan(clip_norm(parameters, 1.0))
    assert all(isnan(p.grad) for p in parameters)
    parameters = with_gradients([-inf, 1.0])
    assert clip_norm(parameters, 1.0) == inf
    assert isnan(parameters[0].grad)
    assert parameters[1].grad == 0.0


OPTIMIZERS: list[Callable[[list[Value]], Optimizer]] = [
    lambda p: SGD(p, 0.1),
    lambda p: SGD(p, 0.1, momentum=0.9),
    lambda p: Adam(p, 0.1),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_goes_downhill(optimizer: Callable[[list[Value]], Optimizer]) -> None:
    w = Value(0.0)
    ours = optimizer([w])
    for _ in range(150):
        ours.zero_grad()
        ((w - 3) ** 2).backward()
        ours.step()
    assert abs(w.data - 3) < 0.05


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_write_can_be_worked_out_from_its_event(
    optimizer: Callable[[list[Value]], Optimizer],
) -> None:
    """Also where the recording begins in the middle of training."""
    parameters = [Value(start) for start in STARTS]
    ours = optimizer(parameters)
    train(ours, steps=2)
    with record() as recording:
        train(ours, steps=3)
    assert worked_out(recording) == 2 * 3 * len(STARTS)


def train(optimizer: Optimizer, steps: int) -> None:
    for step in range(steps):
        optimizer.zero_grad()
        a, b, c = optimizer.parameters
        ((a * b - c * step) ** 2 + a.tanh()).backward()
        clip_norm(optimizer.parameters, 0.5)
        optimizer.step()


def worked_out(recording: Recording) -> int:
    """Hold every write by a rule against the rule's formulas; return how many there are."""
    written = 0
    for index, event in enumerate(recording.events):
        if isinstance(event, Update | SetGrad) and event.rule is not None:
            known = {
                **event.rule.numbers,
                "data": recording.history.value(event.node, index),
                "grad": recording.history.grad(event.node, index),
            }
            for name, formula in METHODS[event.rule.method].formulas.items():
                known[name] = result = formula.function(*known)(**known)
            assert bits(event.after) == bits(result)
            written += 1
    return written


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_without_parameters_there_is_nothing_to_do(
    optimizer: Callable[[list[Value]], Optimizer],
) -> None:
    with record() as recording:
        optimizer([]).step()
    assert len(recording.events) == 0


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_only_values_can_be_trained(optimizer: Callable[[list[Any]], Optimizer]) -> None:
    with pytest.raises(TypeError, match="a parameter is a Value, not float"):
        optimizer([Value(1.0), 2.0])


@pytest.mark.parametrize("limit", [-1.0, nan])
def test_no_norm_is_below_zero(limit: float) -> None:
    w = Value(1.0)
    w.grad = 2.0
    with pytest.raises(ValueError, match=f"not {limit}"):
        clip_norm([w], limit)
    assert w.grad == 2.0


def test_zero_grad_clears_every_parameter() -> None:
    parameters = [Value(1.0), Value(2.0)]
    for p in parameters:
        p.grad = nan
    SGD((p for p in parameters), 0.1).zero_grad()
    assert all_bits(p.grad for p in parameters) == all_bits([0.0, 0.0])


def test_a_parameter_that_is_listed_twice_moves_twice() -> None:
    w, v = Value(1.0), Value(5.0)
    w.grad = 1.0
    SGD([w, v, w], 0.25).step()
    assert (w.data, v.data) == (0.5, 5.0)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_both_updates_of_a_parameter_can_be_worked_out(
    optimizer: Callable[[list[Value]], Optimizer],
) -> None:
    a, b = Value(0.5, label="a"), Value(-2.0, label="b")
    ours = optimizer([a, b, a])
    with record() as recording:
        for step in range(3):
            ours.zero_grad()
            ((a * b - step) ** 2 + a.tanh()).backward()
            clip_norm(ours.parameters, 0.5)
            ours.step()
    assert worked_out(recording) == 3 * (3 + 3)
    end = recording.length
    for node, value in ((0, a), (1, b)):
        assert bits(recording.history.value(node, end)) == bits(value.data)
        assert bits(recording.history.grad(node, end)) == bits(value.grad)


@pytest.mark.filterwarnings("ignore:optimizer contains a parameter group with duplicate")
@given(courses)
def test_pytorch_moves_it_twice_and_scales_it_twice(torch: Any, course: Any) -> None:
    w, tensor = Value(0.5), torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    ours, theirs = SGD([w, w], 0.1), torch.optim.SGD([tensor, tensor], 0.1)
    for grad, *_ in course:
        w.grad, tensor.grad = grad, torch.tensor(grad, dtype=torch.float64)
        assert clip_norm([w, w], 1.0) == pytest.approx(
            torch.nn.utils.clip_grad_norm_([tensor, tensor], 1.0, foreach=False).item()
        )
        ours.step()
        theirs.step()
        assert w.grad == pytest.approx(tensor.grad.item(), rel=1e-12, abs=1e-12)
        assert w.data == pytest.approx(tensor.item(), rel=1e-12, abs=1e-12)


def test_the_learning_rate_may_change_on_the_way() -> None:
    w = Value(1.0)
    w.grad = 1.0
    sgd = SGD([w], 0.25)
    sgd.learning_rate = 0.5
    sgd.step()
    assert w.data == 0.5


SWITCHES = st.lists(st.tuples(st.sampled_from([0.0, 0.5, 0.9]), st.floats(0, 1)), min_size=12)
"""What a schedule sets before each step: momentum and learning rate."""


@given(courses, SWITCHES)
def test_what_is_set_between_steps_holds_from_the_next(course: Any, switches: Any) -> None:
    parameters = [Value(start) for start in STARTS]
    optimizer = SGD(parameters, 1.0)
    data, velocity = [*STARTS], [0.0] * len(STARTS)
    for grads, (momentum, rate) in zip(course, switches, strict=False):
        optimizer.momentum, optimizer.learning_rate = momentum, rate
        for number, grad in enumerate(grads):
            parameters[number].grad = grad
            if momentum:
                velocity[number] = momentum * velocity[number] + grad
            data[number] -= rate * (velocity[number] if momentum else grad)
        optimizer.step()
    assert all_bits([p.data for p in parameters]) == all_bits(data)


def test_a_recording_says_which_momentum_a_step_had() -> None:
    w = Value(1.0, label="w")
    with record() as recording:
        optimizer = SGD([w], 0.5)
        for momentum in (0.0, 0.9, 0.0):
            optimizer.momentum = momentum
            w.grad = 1.0
            optimizer.step()
    rules = [event.rule for event in recording.events if isinstance(event, Update)]
    assert [(rule.method, rule.numbers.get("momentum")) for rule in rules if rule] == [
        ("sgd", None), ("momentum", 0.9), ("sgd", None),
    ]  # fmt: skip


def test_they_are_shown_in_a_line() -> None:
    parameters = [Value(1.0), Value(2.0)]
    assert repr(SGD(parameters, 0.1)) == "<SGD: 2 parameters, learning_rate=0.1>"
    assert repr(SGD(parameters, 0.1, 0.9)) == "<SGD: 2 parameters, learning_rate=0.1, momentum=0.9>"
    adam = Adam(parameters)
    adam.step()
    settings = "learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-08, step=1"
    assert repr(adam) == f"<Adam: 2 parameters, {settings}>"
