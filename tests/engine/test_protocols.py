"""A Value as Python and numpy see it."""

import gc
import math
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from stepgrad import Value, record


@pytest.mark.parametrize(
    "made",
    ["np.float64(2)", "np.float32(2)", "np.int64(2)", "np.array(2.0)", "np.array(2)", "np.bool(1)"],
)
def test_numpy_scalars_may_stand_on_either_side(made: str) -> None:
    number = eval(made, {"np": pytest.importorskip("numpy")})
    x, two = Value(3.0), float(number)
    for result in (number * x, x * number, number + x, x - number, number - x, number / x):
        assert type(result) is Value
    assert [(number * x).data, (x / number).data] == [3 * two, 3 / two]
    (number * x + x * number).backward()
    assert x.grad == 2 * two
    assert Value(number).data == two


def test_numpy_arrays_are_arrays_of_values() -> None:
    np = pytest.importorskip("numpy")
    x, numbers = Value(3.0), np.array([[1.0, 2.0], [3.0, 4.0]])
    for result in (numbers * x, x * numbers):
        assert result.shape == (2, 2)
        assert [type(each) for each in result.flat] == [Value] * 4
        assert [each.data for each in result.flat] == [3.0, 6.0, 9.0, 12.0]
    weights = np.array([Value(0.5), Value(-1.0)])
    total = np.exp(numbers @ weights).sum() - weights[0] ** 2 + np.tanh(weights).mean()
    total.backward()
    exponentials = [math.exp(1 * 0.5 - 2), math.exp(3 * 0.5 - 4)]
    expected = exponentials[0] + 3 * exponentials[1] - 1 + (1 - math.tanh(0.5) ** 2) / 2
    assert weights[0].grad == pytest.approx(expected)
    assert np.maximum(weights, 0)[0] is weights[0]
    assert (weights < 0).tolist() == [False, True]


def test_numpy_computes_a_variance() -> None:
    np = pytest.importorskip("numpy")
    xs = np.array([Value(1.0), Value(2.0), Value(6.0)])
    assert xs.var().data == pytest.approx(14 / 3)
    xs.std().backward()
    assert [x.grad for x in xs] == pytest.approx([(x.data - 3) / 3 / 14**0.5 * 3**0.5 for x in xs])


def test_numbers_compare_and_values_equal_only_themselves() -> None:
    two, also, nan = Value(2.0), Value(2.0), Value(math.nan)
    assert two < 3
    assert 3 > two >= also
    assert not two < also
    assert [nan < two, nan >= two, two <= nan] == [False] * 3
    assert two != also
    assert len({two, also, two}) == 2
    assert also not in [two]
    with pytest.raises(TypeError):
        two < "3"  # noqa: B015
    with record() as recording:
        w, x = Value(1.0), Value(5.0)
        assert max(w, x, 3.0) is x
        assert sorted([x, w]) == [w, x]
    assert recording.length == 2  # nothing but the two


@pytest.mark.parametrize(
    "refused", [
        float, int, round, lambda v: round(v, 2), math.exp, math.floor, math.ceil, math.trunc,
        "%f".__mod__,
    ],
)  # fmt: skip
def test_what_would_lose_the_gradient_is_refused(refused: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match=r"v\.exp\(\) for math\.exp\(v\), and v\.data"):
        refused(Value(2.0))


def test_values_are_formatted_by_their_numbers() -> None:
    x = Value(2 / 3)
    assert [f"{x:.3f}", f"{x:>8.2e}|", f"{x}"] == ["0.667", "6.67e-01|", repr(x)]


def test_weak_references_die_with_their_values() -> None:
    x = Value(1.0)
    reference = weakref.ref(x)
    assert reference() is x
    del x
    gc.collect()
    assert reference() is None
