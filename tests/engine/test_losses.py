"""Losses: their numbers and slopes, at ease and at the ends of what a float can hold."""

from collections.abc import Sequence
from math import exp, inf, isfinite, isnan, log
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepgrad import (
    Value,
    binary_cross_entropy,
    record,
    softmax,
    softmax_cross_entropy,
    squared_error,
)

logits = st.lists(st.floats(-30, 30), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


def one_hot(size: int, place: int) -> list[float]:
    return [float(i == place % size) for i in range(size)]


def test_squared_error() -> None:
    output = Value(2.0)
    loss = squared_error(output, 5.0)
    loss.backward()
    assert (loss.data, output.grad) == (9.0, -6.0)


@given(st.floats(-30, 30), st.sampled_from([0.0, 1.0, 0.25]))
def test_binary_cross_entropy_of_a_sigmoid(logit: float, target: float) -> None:
    z = Value(logit)
    loss = binary_cross_entropy(z.sigmoid(), target)
    loss.backward()
    p = 1 / (1 + exp(-logit))
    plain = -(target * log(p) + (1 - target) * log(1 - p))
    assert loss.data == pytest.approx(plain, rel=1e-12, abs=1e-15)
    assert z.grad == pytest.approx(p - target, rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("logit", [-1000.0, -800.0, -50.0, 37.0, 50.0, 1000.0])
@pytest.mark.parametrize("target", [0.0, 1.0])
def test_a_sure_answer_is_finite_right_or_wrong(logit: float, target: float) -> None:
    z = Value(logit)
    loss = binary_cross_entropy(z.sigmoid(), target)
    loss.backward()
    right = (logit > 0) == (target == 1)
    assert loss.data == pytest.approx(0, abs=1e-12) if right else 36 < loss.data <= 100
    assert isfinite(z.grad)
    assert abs(z.grad) <= 1


@given(logits, st.integers(0, 5))
def test_softmax_cross_entropy(numbers: list[float], right: int) -> None:
    ours = [Value(number) for number in numbers]
    targets = one_hot(len(numbers), right)
    loss = softmax_cross_entropy(ours, targets)
    loss.backward()
    total = sum(map(exp, numbers))
    chances = [exp(number) / total for number in numbers]
    plain = -sum(t * log(p) for t, p in zip(targets, chances, strict=True))
    assert loss.data == pytest.approx(plain, abs=1e-12)
    slopes = [p - t for t, p in zip(targets, chances, strict=True)]
    assert [z.grad for z in ours] == pytest.approx(slopes, abs=1e-12)
    assert [p.data for p in softmax(ours)] == pytest.approx(chances)


@pytest.mark.parametrize("far", [800.0, 1e6, 1e300])
def test_logits_far_apart_are_no_trouble(far: float) -> None:
    ours = [Value(far), Value(0.0), Value(-far)]
    loss = softmax_cross_entropy(ours, [0, 1, 0])
    loss.backward()
    assert loss.data == far
    assert [z.grad for z in ours] == [1, -1, 0]
    assert [p.data for p in softmax(ours)] == [1, 0, 0]


def test_a_target_for_each_logit() -> None:
    logits = [Value(1.0), Value(2.0)]
    with record() as recording:
        with pytest.raises(ValueError, match="2 logits, 1 targets"):
            softmax_cross_entropy(logits, [1.0])
        with pytest.raises(TypeError, match="no class index"):
            softmax_cross_entropy(logits, 1)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="at least one logit"):
            softmax([])
    assert not recording.size


def names(make: Any, count: int) -> list[str]:
    with record() as recording:
        make([Value(float(i)) for i in range(count)])
    return list(recording.names(recording.length))


def test_the_nodes_have_names() -> None:
    loss_names = names(lambda z: softmax_cross_entropy(z, one_hot(len(z), 0)), 3)
    assert loss_names == [
        "softmax/max",
        *(f"softmax/exp{i}" for i in (1, 2, 3)),
        "softmax/sum",
        "softmax/log_sum",
        *(f"softmax/log_p{i}" for i in (1, 2, 3)),
    ]
    assert names(softmax, 2)[-2:] == ["softmax/p1", "softmax/p2"]
    assert names(softmax, 1) == ["softmax/exp1", "softmax/p1"]


def gradients(torch: Any, loss: Any, numbers: Sequence[float]) -> tuple[float, list[float]]:
    tensor = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
    result = loss(tensor)
    result.backward()
    return result.item(), tensor.grad.tolist()


@settings(deadline=None)
@given(st.one_of(logits, st.lists(st.floats(-800, 800), min_size=1, max_size=4)), st.integers(0, 5))
def test_pytorch_says_the_same(torch: Any, numbers: list[float], right: int) -> None:
    functional, targets = torch.nn.functional, one_hot(len(numbers), right)
    ours = [Value(number) for number in numbers]
    softmax_cross_entropy(ours, targets).backward()
    theirs = gradients(
        torch,
        lambda z: functional.cross_entropy(z[None], torch.tensor([right % len(numbers)])),
        numbers,
    )
    assert softmax_cross_entropy(ours, targets).data == pytest.approx(theirs[0], abs=1e-12)
    assert [z.grad for z in ours] == pytest.approx(theirs[1], abs=1e-12)

    limited = [max(min(number, 20), -20) for number in numbers]  # beyond, it bounds 1 / p·(1 − p)
    zs = [Value(number) for number in limited]
    errors = [
        binary_cross_entropy(z.sigmoid(), target) for z, target in zip(zs, targets, strict=True)
    ]
    sum(errors, start=Value(0.0)).backward()
    theirs = gradients(
        torch,
        lambda z: functional.binary_cross_entropy(
            z.sigmoid(), torch.tensor(targets, dtype=torch.float64), reduction="sum"
        ),
        limited,
    )
    assert sum(error.data for error in errors) == pytest.approx(theirs[0], rel=1e-12, abs=1e-12)
    assert [z.grad for z in zs] == pytest.approx(theirs[1], rel=1e-6, abs=1e-12)


def test_what_is_infinite_shows() -> None:
    assert isnan(softmax_cross_entropy([Value(inf), Value(0.0)], [1, 0]).data)
