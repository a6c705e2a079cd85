# ruff: noqa: ARG005, PLW0108 - what backward takes is found in its signature
"""Exercises in plain numbers: what `check_backward` accepts, and what it says of the others."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from math import nan
from typing import Any

import pytest

from plugin_runs import run_pytest
from stepgrad.testing import check_backward


def forward(x: Any, w: Any, b: Any) -> Any:
    return (w * x + b) ** 2


def backward(x: float, w: float, b: float) -> tuple[float, float, float]:
    d = 2 * (w * x + b)
    return d * w, d * x, d


def failure(forward: Callable[..., Any], backward: Callable[..., Any], **inputs: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        check_backward(forward, backward, **inputs)
    return str(caught.value)


class Array:
    """What numpy and PyTorch return gradients in."""

    def tolist(self) -> list[float]:
        return [3.0, 2.0]


@pytest.mark.parametrize(
    "backward",
    [
        backward,
        lambda x, w, b: [*backward(x, w, b)],
        lambda b, w, x: dict(zip("xwb", backward(x, w, b), strict=True)),
        lambda x, w, b: dict(zip(("dx", "dw", "db"), backward(x, w, b), strict=True)),
        lambda grad, **inputs: [grad * each for each in backward(**inputs)],
        lambda x, w, b, upstream: [upstream * each for each in backward(x, w, b)],
        lambda x, w, b, grad=1.0: [grad * each for each in backward(x, w, b)],
    ],
)
def test_a_right_one_passes_in_any_form(backward: Callable[..., Any]) -> None:
    check_backward(forward, backward, b=1, x=2.0, w=3)


def test_it_is_called_with_floats_in_the_shape_of_the_inputs() -> None:
    given: dict[str, Any] = {}

    def backward(w: Any, x: Any) -> Any:
        given.update(w=w, x=x)
        return [[2 * x, 0], [0, 0]], 2 * w[0][0]

    check_backward(lambda w, x: w[0][0] * 2 * x, backward, w=[[1, 2], [3, 4]], x=5)
    assert repr(given) == "{'w': [[1.0, 2.0], [3.0, 4.0]], 'x': 5.0}"


def test_the_first_that_differs_is_named_with_its_chain() -> None:
    assert failure(forward, lambda x, w, b: (42, 14, 28), x=2, w=3, b=1) == (
        "backward returns 14 for w; right is 28\n"
        "    w and b are swapped\n"
        "    ∂out/∂(w·x + b) · ∂(w·x + b)/∂(w·x) · ∂(w·x)/∂w = 14 · 1 · 2 = 28\n"
        "also wrong: b"
    )


def test_each_path_has_a_line() -> None:
    told = failure(lambda a: a.exp() + 3 * a, lambda a: 3, a=0)
    assert told.splitlines()[1:] == [
        "    that is only what comes back through 3·a: add the other paths",
        "    ∂out/∂(3·a) · ∂(3·a)/∂a = 1 · 3 = 3",
        "    ∂out/∂exp(a) · ∂exp(a)/∂a = 1 · 1 = 1",
    ]


def test_a_node_that_uses_a_value_twice_is_one_path() -> None:
    told = failure(lambda a: a * a + a, lambda a: 2 * a, a=3)
    assert told.splitlines()[1] == (
        "    that is only what comes back through a·a: add the other paths"
    )
    told = failure(lambda a: a * a, lambda a: a, a=3)
    assert told.splitlines()[1] == (
        "    that is only one operand of out: add what comes back through each"
    )


def test_many_paths_are_counted_and_long_ones_cut() -> None:
    def tower(x: Any) -> Any:
        for _ in range(8):
            x = x * x
        return x.tanh().exp().tanh().sin().cos()

    lines = failure(tower, lambda x: 7.0, x=1.01).splitlines()
    assert len(lines) == 3
    assert lines[1].endswith(" = −7.77508e−12   (3 times)")
    assert lines[2].startswith("    253 more paths, together ")
    assert lines[1].count("…") == 2
    assert max(map(len, lines)) < 160


def test_an_upstream_gradient_that_is_forgotten_is_noticed() -> None:
    told = failure(lambda x: x * 5, lambda x, grad: 5, x=2.0)
    assert told == (
        "backward returns 5 for x; right is 3.5\n"
        "    it is not multiplied by grad = 0.7\n"
        "    grad · ∂out/∂x = 0.7 · 5 = 3.5"
    )


@pytest.mark.parametrize(
    ("returned", "why"),
    [
        ((42, -28, 14), "the sign is wrong"),
        ((28, 42, 14), "x and w are swapped"),
        ((42, 42, 14), "that is the gradient of x"),
        ((42, 14, 14), "that is the derivative without the factor ∂(w·x)/∂w"),
        ((42, 2, 14), "that is the derivative without the factor ∂out/∂(w·x + b)"),
        ((42, 28, 7), "that is 1/2 of it"),
        ((126, 28, 14), "that is 3 times as much"),
        ((42, 27, 14), ""),
        ((42, 0, 14), ""),
    ],
)
def test_a_mistake_that_the_number_shows_is_named(returned: Any, why: str) -> None:
    _, line, *_ = failure(forward, lambda **_: returned, x=2, w=3, b=1).splitlines()
    assert (line.strip() if " = " not in line else "") == why


def test_the_mistakes_of_several_results_are_named() -> None:
    told = failure(lambda x: [x * 5, x * 3], lambda x, grad: -7.4, x=2.0)
    assert told.startswith("backward returns −7.4 for x; right is 7.4\n    the sign is wrong\n")


def test_a_result_may_be_a_list() -> None:
    def forward(x: Any) -> Any:
        return [x[0] * x[1], x[1]]

    def backward(x: Any, grad: Any) -> Any:
        return [grad[0] * x[1], grad[0] * x[0] + grad[1]]

    check_backward(forward, backward, x=[2, 3])
    told = failure(forward, lambda x, grad: [grad[0] * x[1], grad[0] * x[0]], x=[2, 3])
    assert told == (
        "backward returns 1.4 for x[1]; right is 2.7\n"
        "    grad[0] · ∂out/∂x[1] = 0.7 · 2 = 1.4\n"
        "    grad[1] = 1.3"
    )


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ((1, 2), "backward returns 2 gradients for 3 inputs: x, w, b"),
        (None, "backward returns None for 3 inputs: x, w, b"),
        ((42, None, 14), "backward returns no gradient for w; right is 28"),
        ({"x": 42, "b": 14}, "backward returns no gradient for w; right is 28"),
        ({"x": 42, "W": 28, "b": 14}, "backward returns no gradient for w, but one for W"),
        ((42, [28], 14), "backward returns a list of 1 for w, which is a number"),
        ((42, "28", 14), "backward returns '28' for w, which is a number"),
        ((42, 28j, 14), "backward returns 28j for w, which is a number"),
        (
            (each for each in (42, 28, 14)),
            "backward returns a generator for 3 inputs: x, w, b; end",
        ),
        (
            {42, 28, 14},
            "backward returns a set for 3 inputs: x, w, b; end it with `return dx, dw, ",
        ),
        ((nan, 28, 14), "backward returns nan for x; right is 42"),
        ((42.001, 28, 14), "backward returns 42.001 for x; right is 42"),
    ],
)
def test_what_is_missing_is_wrong(returned: Any, told: str) -> None:
    assert failure(forward, lambda **_: returned, x=2, w=3, b=1).startswith(told)


@pytest.mark.parametrize(
    ("x", "returned", "told"),
    [
        ([2, 3], [3.0], "backward returns 3.0 for x, which is a list of 2"),
        ([2, 3], [3.0, 2.0, 1.0], "backward returns a list of 3 for x, which is a list of 2"),
        ([[2, 3]], [3.0, 2.0], "backward returns a list of 2 for x, which is a list of 1 lists"),
        ([[2, 3]], [[3.0]], "backward returns 3.0 for x[0], which is a list of 2"),
        (2, "6", "backward returns '6' for x, which is a number"),
        (2, [], "backward returns a list of 0 for x, which is a number"),
        (2, (each for each in [4.0]), "backward returns a generator for x, which is a number"),
    ],
)
def test_a_gradient_of_another_shape(x: Any, returned: Any, told: str) -> None:
    assert failure(_square_of_first, lambda x: returned, x=x) == told


def _square_of_first(x: Any) -> Any:
    return _square_of_first(x[0]) if isinstance(x, list) else x * x


def test_an_input_that_nothing_uses_has_the_gradient_0() -> None:
    check_backward(lambda x, y: x.exp(), lambda x, y: (1.0, 0), x=0, y=1)
    told = failure(lambda x, y: x.exp(), lambda x, y: (1.0, 1), x=0, y=1)
    assert told == "backward returns 1 for y; right is 0\n    no path leads from y to the result"


def test_terms_that_cancel_are_compared_by_their_size() -> None:
    check_backward(lambda x: x * 1e6 - x * 1e6, lambda x: 1e-10, x=3)


def test_a_gradient_may_be_an_array() -> None:
    check_backward(lambda x: x[0] * x[1], lambda x: Array(), x=[2, 3])
    check_backward(lambda x: x[0] * x[1], lambda x: {"x": Array()}, x=(2, 3))


@pytest.mark.parametrize(
    ("forward", "backward", "inputs", "told"),
    [
        (forward, backward, {"x": "a", "w": 1, "b": 1}, "x is 'a', but an input is a number"),
        (forward, backward, {"x": [1, None], "w": 1, "b": 1}, "x[1] is None, but an input is a"),
        (forward, backward, {"x": Array(), "w": 1, "b": 1}, "x is an Array, but an input is a"),
        (forward, backward, {"x": 1}, "no number is given for w and b: check_backward(forward, "),
        (forward, backward, {}, "no number is given for x and w and b: check_backward(forward, "),
        (lambda x: x, lambda x: 1, {"x": 1, "xs": 1}, "forward takes no argument called xs; did"),
        (lambda *x: x, lambda x: 1, {"x": 1}, "forward takes no argument called x"),
        (lambda: 1, lambda: 1, {}, "forward takes no inputs, so it has no gradients to check"),
        (3, backward, {"x": 1}, "forward is 3, not a function"),
        (lambda x: x, 3, {"x": 1}, "backward is 3, not a function"),
        (lambda x: [x], lambda x: 1, {"x": 1}, "forward returns a list, so backward needs one"),
        (lambda x: "x", lambda x: 1, {"x": 1}, "forward returns 'x', not a Value"),
        (lambda x: {"y": x}, lambda x: 1, {"x": 1}, "forward returns a dict, not a Value"),
        (lambda x: x.data, lambda x: 1, {"x": 1}, "forward returns 1.0, which no Value went into"),
        (lambda x: [], lambda x, grad: 1, {"x": 1}, "forward returns a list of 0, which no Value"),
        (lambda x: x, lambda x, up, more: 1, {"x": 1}, "backward takes up and more, which are not"),
    ],
)
def test_what_does_not_fit(
    forward: Callable[..., Any], backward: Callable[..., Any], inputs: dict[str, Any], told: str
) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(told)}"):
        check_backward(forward, backward, **inputs)


def test_functions_are_methods() -> None:
    check_backward(lambda z: z.exp(), lambda z: math.exp(z), z=0.5)
    with pytest.raises(TypeError, match=r"v\.exp\(\) for math\.exp\(v\)"):
        check_backward(lambda z: math.exp(z), lambda z: math.exp(z), z=0.5)


def test_other_arguments_are_bound_first() -> None:
    def power(x: Any, n: int) -> Any:
        return x**n

    def slope(x: float, n: int) -> float:
        return n * x ** (n - 1)

    check_backward(partial(power, n=3), partial(slope, n=3), x=2)


def test_pytest_shows_the_line_of_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "from stepgrad.testing import check_backward\n"
        "def test_it():\n    check_backward(lambda x: x * x, lambda x: x, x=2)"
    )
    told = run_pytest(pytester).stdout.str()
    assert ">       check_backward(lambda x: x * x" in told
    assert "E       AssertionError: backward returns 2 for x; right is 4" in told
    assert "testing.py" not in told
