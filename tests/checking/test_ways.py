"""Gradients compared with other ways to compute them, and wrong ones caught."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given

import graphs
from stepgrad import Value, binary_cross_entropy, record
from stepgrad.checking import ways as module
from stepgrad.checking.chosen import passes
from stepgrad.checking.comparison import Comparison
from stepgrad.checking.result import judge
from stepgrad.checking.ways import verify
from stepgrad.engine.formula import Formula
from stepgrad.engine.ops import TANH, Op
from stepgrad.progress import watching
from stepgrad.recording.recording import Recording
from stepgrad.scenario import record_scenario


def by_way(recording: Recording) -> dict[str, Comparison]:
    return {comparison.way: comparison for comparison in verify(recording)}


@given(graphs.programs())
def test_whatever_a_program_does_its_recorded_gradients_agree(program: graphs.Program) -> None:
    with record() as recording:
        graphs.run(program, [Value(0.5), Value(1.5)])
    comparisons = verify(recording)
    changed = any("before the backward pass" in each.first for each in comparisons)
    for comparison in comparisons:
        # Where 0 meets ∞ on the way back, it may not in another way.
        assert comparison.ok or changed or comparison.worst == math.inf, comparison


def ok(recording: Recording) -> bool:
    return all(comparison.ok for comparison in verify(recording))


@pytest.mark.parametrize("faint", [1e-300, 0.0])
def test_what_is_too_faint_to_be_compared_is_no_difference(faint: float) -> None:
    with record() as recording:
        x, y = Value(1.5, label="x"), Value(0.0, label="y")
        (x**faint + (y * 0).log() * 0 * x).backward()
    assert ok(recording)


def test_what_is_nowhere_finite_is_counted() -> None:
    with record() as recording:
        x = Value(0.5, label="x")
        (x * 0 + math.inf).log().backward()
    assert [(each.compared, each.skipped) for each in verify(recording)][:2] == [(1, 0), (1, 0)]
    with record() as recording:
        (x.log() * 0 + math.nan * x).backward()
    assert [(each.compared, each.skipped) for each in verify(recording)][:2] == [(0, 1), (0, 1)]


@pytest.mark.parametrize("shut", [4.85, 8.0, 15.0, 20.0, 40.0])
def test_gates_that_are_all_but_shut_agree(shut: float) -> None:
    with record() as recording:
        x = Value(shut)
        (x.tanh() * 3 + binary_cross_entropy(x.sigmoid(), 1.0)).backward()
    assert ok(recording)


def test_a_value_that_is_changed_before_the_backward_pass_is_named() -> None:
    with record() as recording:
        w, x, v = (
            Value(number, label=name) for number, name in ((3.0, "w"), (2.0, "x"), (5.0, "v"))
        )
        h = w * x
        h.label = "h"
        y = v * h
        y.label = "y"
        v.data -= 1
        y.backward()
    found = by_way(recording)
    assert w.grad == 8.0  # 5·2 it should be
    assert not found["saved values"].ok
    assert not found["forward mode"].ok
    assert found["saved values"].first == (
        "∂y/∂h is 4, but 5 with the numbers that y (event 5) was made of: "
        "v was changed (event 6) before the backward pass"
    )


def test_a_result_that_is_changed_before_the_backward_pass_is_named() -> None:
    with record() as recording:
        h = Value(0.5, label="x").tanh()
        h.label = "h"
        h.data = 0.9
        h.backward()
    assert "∂h/∂x is 0.19, but 0.786448 with" in by_way(recording)["saved values"].first


@pytest.mark.parametrize(("spoilt", "wrong"), [(None, False), (7, True), (22, True)])
def test_a_pass_among_many_that_uses_changed_numbers_is_found(
    spoilt: int | None, wrong: bool
) -> None:
    with record() as recording:
        w = Value(3.0, label="w")
        for step in range(40):
            loss = w * w
            if step == spoilt:
                w.data += 1.0
            loss.backward()
            w.grad = 0.0
    assert by_way(recording)["saved values"].ok is not wrong


def test_a_pass_among_many_that_is_not_finite_is_found() -> None:
    with record() as recording:
        w = Value(3.0, label="w")
        for step in range(40):
            w.data = math.inf if step == 6 else 3.0
            (w * w).backward()
            w.grad = 0.0
    assert by_way(recording)["saved values"].compared == 3
    assert judge("w", recording).broken.startswith("1 gradient is not finite")


def test_a_change_that_no_derivative_depends_on_does_no_harm() -> None:
    with record() as recording:
        x = Value(0.5)
        y = (x * 2).tanh() + x
        x.data = 1.0
        y.backward()
        x.data = 2.0
        (x * x).backward()
    assert by_way(recording)["saved values"].worst == 0


@pytest.fixture
def wrong_tanh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant the derivative 1 − out, for 1 − out²."""
    wrong = Op("tanh", "tanh", TANH.forward, (Formula("1 - out"),), TANH.code)
    for cached in ("local", "carry", "vjp"):
        monkeypatch.setitem(TANH.__dict__, cached, getattr(wrong, cached))


@pytest.mark.usefixtures("wrong_tanh")
def test_a_planted_wrong_derivative_is_caught_and_its_node_is_named() -> None:
    with record() as recording:
        x = Value(0.5, label="x")
        y = (3 * x).tanh()
        y.label = "y"
        (y * y).backward()
    found = by_way(recording)
    assert found["forward mode"].ok  # the same wrong rule, in the other order
    assert not found["complex steps"].ok
    assert found["complex steps"].where == "x"
    assert found["complex steps"].first == (
        "∂y/∂(3·x) is 0.0948517 by the rule of `tanh`, "
        "but 0.180707 by a complex step, at y (event 3)"
    )
    assert found["central differences"].worst > 0.01


def test_a_backward_pass_that_goes_wrong_where_the_rule_is_right_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = Op("tanh", "tanh", TANH.forward, (Formula("1 - out"),), TANH.code)
    monkeypatch.setitem(TANH.__dict__, "vjp", wrong.vjp)
    with record() as recording:
        x = Value(0.5, label="x")
        x.tanh().backward()
    for comparison in verify(recording)[:2]:
        assert not comparison.ok
        assert (
            comparison.first
            == "the gradient of x (event 1) is 0.537883; its contributions sum to 0.786448"
        )


@pytest.mark.usefixtures("wrong_tanh")
def test_a_slightly_wrong_derivative_is_not_lost_in_a_sum_of_large_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WORK", 10)
    with record() as recording:
        large, small = Value(1.0), Value(0.5)
        (large * 1e12 + (small * 1e-3).tanh() * 1e-3).backward()
    assert not by_way(recording)["complex steps"].ok


def test_a_kink_is_named_and_taken_as_the_rules_do() -> None:
    with record() as recording:
        x = Value(0.0, label="x")
        gate = x.relu()
        gate.label = "gate"
        (gate + x).backward()
    found = by_way(recording)
    assert found["complex steps"].ok
    assert found["complex steps"].note == "at kinks and domain boundaries, by the rule: gate"


def test_what_is_not_finite_is_counted() -> None:
    with record() as recording:
        x, y = Value(0.0, label="x"), Value(2.0, label="y")
        (x.log() * 0 + y).backward()  # 0·∞
    found = by_way(recording)
    assert (found["forward mode"].skipped, found["forward mode"].compared) == (1, 1)


def test_a_gradient_that_is_not_finite_is_wrong_where_another_way_has_one() -> None:
    with record() as recording:
        x = Value(2.0, label="x")
        (x * 0 * 1e200 * 1e200).backward()  # 1e200·1e200·0 on the way back
    found = by_way(recording)
    assert found["saved values"].ok
    assert (found["forward mode"].worst, found["forward mode"].ok) == (math.inf, False)


def test_what_overflows_in_another_way_only_is_not_wrong() -> None:
    with record() as recording:
        x = Value(1e-300, label="x")
        (x * 1e200 * 1e200 * 1e-200).backward()
    assert x.grad == 1e200
    assert (by_way(recording)["forward mode"].skipped, ok(recording)) == (1, True)


def test_a_constant_is_not_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Op("tanh", "tanh", TANH.forward, (Formula("1 - out"),), TANH.code)
    monkeypatch.setitem(TANH.__dict__, "vjp", wrong.vjp)
    with record() as recording:
        x = Value(0.5, label="x")
        (x.tanh() * 2 + 1).backward()
    first = by_way(recording)["saved values"].first
    assert first.startswith("the gradient of x (event 1) is ")


def test_gradients_that_pile_up_are_compared_pass_by_pass() -> None:
    with record() as recording:
        w = Value(3.0)
        for _ in range(5):
            (w * w).backward()
    assert len(passes(recording)) == 3
    assert all(comparison.ok and comparison.compared == 3 for comparison in verify(recording))


def test_many_leaves_are_compared_in_random_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    by_leaves = by_way(record_scenario("xor_tanh"))
    monkeypatch.setattr(module, "WORK", 10)
    found = by_way(record_scenario("xor_tanh"))
    for way in ("forward mode", "complex steps"):
        assert found[way].where == "a random sum of all"
        assert found[way].ok
        assert found[way].compared == by_leaves[way].compared


def test_a_sum_that_overflows_on_the_way_is_not_held_against_a_gradient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WORK", 1)
    with record() as recording:
        x, y = Value(1e-300), Value(2.0)
        (x * 1e200 * 1e200 * 1e-300 * 1e-200 + y * y).backward()
    found = by_way(recording)
    for way in ("forward mode", "complex steps"):
        assert found[way].ok
        assert found[way].compared == 0


def test_what_is_not_finite_spoils_no_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORK", 1)
    with record() as recording:
        x, y, z = Value(0.0), Value(2.0), Value(3.0)
        (x.log() * 0 + y * z).backward()
    assert by_way(recording)["forward mode"].compared == 2
    assert by_way(recording)["forward mode"].skipped == 1


def test_without_a_backward_pass_there_is_nothing_to_compare() -> None:
    with record() as recording:
        Value(1.0) + 1
    assert verify(recording) == []


def test_it_says_how_far_it_is() -> None:
    told: list[float] = []
    recording = record_scenario("two_layer")
    with watching(told.append):
        verify(recording)
    assert told == sorted(told)
    assert told[0] == 0.0


def test_central_differences_fail_a_gradient_where_no_other_way_knows_better(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = Op("tanh", "tanh", TANH.forward, (Formula("2 - out"),), TANH.code)
    for cached in ("local", "carry", "vjp"):
        monkeypatch.setitem(TANH.__dict__, cached, getattr(wrong, cached))
    monkeypatch.setattr(module, "has_torch", lambda: False)
    with record() as recording:
        x = Value(1e-150, label="x")  # too faint for a complex step
        x.tanh().backward()
    found = by_way(recording)
    assert found["complex steps"].ok
    assert not found["central differences"].ok
    assert found["central differences"].odds == "x has the slope 1, not 2"


@pytest.mark.parametrize(
    ("function", "at"),
    [
        (lambda x: 1 / x, 1e-7), (lambda x: (x * 1e8).sin(), 0.3), (lambda x: (x**2).sqrt(), 1e-9),
        (lambda x: x.relu(), 1e-9), (lambda x: abs(x - 1), 1 + 1e-12), (lambda x: x**1.5, 1e-8),
        (lambda x: ((x - 1) ** 2).sqrt(), 1 + 1e-12), (lambda x: x.log(), 1e-12),
        (lambda x: (x * 1e3).exp(), 0.5), (lambda x: (x - 1e8) * 1e-8, 1e8 + 1),
    ],
)  # fmt: skip
def test_central_differences_raise_no_false_alarm(
    function: Callable[[Value], Value], at: float
) -> None:
    with record() as recording:
        function(Value(at, label="x")).backward()
    assert by_way(recording)["central differences"].ok


@pytest.mark.parametrize("steps", [50, 100, 200, 400, 1000])
@pytest.mark.parametrize("activation", [lambda x: x, Value.tanh, Value.sigmoid])
def test_a_gradient_where_training_has_converged_is_not_held_against_rounding(
    activation: Callable[[Value], Value], steps: int
) -> None:
    w, b = Value(0.3), Value(0.0)
    targets = [(x, activation(Value(0.7 * x + 0.1)).data) for x in (-1.0, 0.5, 2.0)]
    for _ in range(steps):
        w.grad = b.grad = 0
        with record() as recording:
            losses = [(activation(w * x + b) - target) ** 2 for x, target in targets]
            sum(losses[1:], losses[0]).backward()
        w.data -= 0.15 * w.grad
        b.data -= 0.15 * b.grad
    assert by_way(recording)["central differences"].ok


def test_a_slope_where_there_is_no_gradient_is_told() -> None:
    with record() as recording:
        x = Value(0.0, label="x")
        (3 * (0 * x).sqrt() + 1).backward()
    assert by_way(recording)["central differences"].note == "x has the slope 0, not nan"
    result = judge("a.py", recording)
    assert result.failed
    assert "1 gradient is not finite" in result.broken


def test_a_finite_gradient_of_pytorch_is_told_where_ours_is_not() -> None:
    pytest.importorskip("torch")
    with record() as recording:
        (Value(1e-310, label="x").log() * 0).backward()
    found = by_way(recording)["PyTorch"]
    assert not found.ok
    assert found.note == "x is nan here, but 0 there"


def test_a_nan_of_the_backward_pass_is_told_with_the_line_of_its_operation() -> None:
    with record(lines=True) as recording:
        x = Value(0.0, label="x")
        root = (0 * x).sqrt()
        (3 * root).backward()
    assert root.data == 0
    broken = judge("a.py", recording).broken
    assert "in the backward step of" in broken
    assert "test_ways.py:" in broken.rpartition("in the backward step of")[2]


def test_an_infinite_gradient_is_compared_only_with_a_slope() -> None:
    with record() as recording:
        x, y = Value(1.0), Value(1.0)
        (x / (x - y)).backward()  # a pole: no slope
    found = by_way(recording)["central differences"]
    assert (found.compared, found.skipped) == (0, 2)
    with record() as recording:
        x = Value(0.0)
        ((x * x) ** 0.5).backward()
    found = by_way(recording)["central differences"]
    assert found.compared == 1
    assert found.note.endswith("has the slope 0, not nan")
