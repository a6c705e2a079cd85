"""Why a gradient is what it is."""

from __future__ import annotations

from collections.abc import Callable
from math import nan

import pytest

from diagnosing import recorded, why
from replay_runs import two_layer
from stepgrad import SGD, Value, clip_norm, record
from stepgrad.diagnosis.reasons import reasons


def named(number: float, label: str) -> Value:
    return Value(number, label)


def test_an_ordinary_gradient_names_what_it_receives() -> None:
    assert why(two_layer(), "w1.grad") == [
        (25, "dL/dw1 += dL/d(w1·x) · ∂(w1·x)/∂w1 = −8 · x = −8 · 3 = −24"),
        (1, "x is given: 3"),
        (21, "dL/dh += dL/d(w2·h) · ∂(w2·h)/∂h = −4 · w2 = −4 · 2 = −8"),
        (5, "w2 is given: 2"),
        (15, "dL/d(y − t) += dL/dL · ∂L/∂(y − t) = 1 · 2·(y − t) = 1 · (−4) = −4"),
        (12, "y − t = 2 − 4 = −2"),
        (2, "t is given: 4"),
        (11, "y = w2·h + b2 = 3 + (−1) = 2"),
    ]


def test_the_root_is_where_the_pass_begins() -> None:
    assert why(two_layer(), "L.grad") == [(14, "the pass begins: dL/dL = 1")]


def test_a_gradient_that_is_still_to_come_and_one_that_is_not_complete() -> None:
    with record() as recording:
        x = named(2, "x")
        y = x * x
        y.label = "y"
        y.backward()
    text = "nothing has reached x.grad yet: this event is the next to write it"
    assert why(recording, "x.grad", 1) == [(4, text)]
    assert why(recording, "x.grad", 4)[0] == (4, "x.grad is not complete: 1 contribution to come")


def test_the_gradient_of_an_expression_has_brackets() -> None:
    with record() as recording:
        ((named(2, "x") - 1) ** 2).backward()
    node, position = 2, 4  # x − 1, after the pass has begun
    (reason,) = reasons(recording, node, position, "gradient")
    assert reason.text.startswith("nothing has reached (x − 1).grad yet")


def test_a_gradient_that_never_comes() -> None:
    recording = recorded("disconnected_parameter")
    ((position, text),) = why(recording, "w.grad")
    assert text == (
        "no backward pass reaches w: what is computed from it ends here, at h, "
        "and no pass starts there"
    )
    assert recording.events[position - 1].focus == recording.first_named("h")
    with record() as alone:
        named(2, "x")
    assert why(alone, "x.grad") == [(1, "no gradient reaches x: there is no backward pass")]


def test_a_gradient_that_is_cleared_though_none_ever_comes() -> None:
    with record() as recording:
        w, v = named(2, "w"), named(3, "v")
        sgd = SGD([w, v], 0.1)
        y = v * 2
        y.backward()
        sgd.zero_grad()
    assert why(recording, "v.grad") == [(7, "v.grad is cleared: it was 2")]
    assert why(recording, "w.grad") == [
        (6, "w.grad is cleared: it was –"),
        (1, "no backward pass reaches w: it is used nowhere, and no pass starts there"),
    ]


def test_a_constant_takes_no_gradient() -> None:
    with record() as recording:
        (named(2, "x") * 5).backward()
    assert recording.is_constant(1)
    (reason,) = reasons(recording, 1, recording.length, "gradient")
    assert reason.text == "5 is a constant: it takes no gradient"


def test_a_shut_gate_and_what_shuts_it() -> None:
    assert [text for _, text in why(recorded("dead_relu"), "w.grad")][:3] == [
        "dL/dz += dL/da · ∂a/∂z = −6 · 0 (z ≤ 0) = 0: the gate is shut",
        "z = w·x + b = 3 + (−4) = −1",
        "b is given: −4",
    ]


def test_every_gate_that_shuts_a_path_is_named() -> None:
    with record() as recording:
        w = named(-1, "w")
        total = sum((w * x).relu() for x in range(1, 7))
        assert isinstance(total, Value)
        total.backward()
    chain = [text for _, text in why(recording, "w.grad")]
    assert sum("the gate is shut" in text for text in chain) == 3
    assert chain[2].endswith(": the gate is shut; 3 more such edges")
    assert chain[-1] == "w is given: −1"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (lambda w: w * named(0, "x"), ["= 1 · x = 1 · 0 = 0", "x is given: 0"]),
        (lambda w: (w * 1e-200) * 1e-200, ["1e−200 · 1e−200 = 0: it underflows"]),
        (lambda w: w * 3 - w * 3, ["the contributions cancel to exactly 0: −3 + 3"]),
        (lambda w: (w * 20).tanh(), ["1 · 0 = 0",
                                     "tanh(w·20) = tanh(40) = 1: it saturates, "
                                     "and rounds to exactly 1", "w·20 = 2·20 = 40"]),
    ],
)  # fmt: skip
def test_a_gradient_of_0(program: Callable[[Value], Value], words: list[str]) -> None:
    with record() as recording:
        program(named(2, "w")).backward()
    chain = [text for _, text in why(recording, "w.grad")]
    for text, end in zip(chain, words, strict=False):
        assert text.endswith(end)
    assert len(chain) >= len(words)


def test_the_zero_nearest_to_the_root_is_named() -> None:
    with record() as recording:
        w, v = named(2, "w"), named(-1, "v")
        ((w * 0).tanh() * 5 + v).relu().backward()
    first, *_ = why(recording, "w.grad")
    assert first[1].endswith("= 1 · 0 (… + v ≤ 0) = 0: the gate is shut")
    assert "v is given: −1" in [text for _, text in why(recording, "w.grad")]


def test_a_loss_that_is_learned() -> None:
    with record() as recording:
        w = named(2, "w")
        ((w * 2 - 4) ** 2).backward()
    assert [text for _, text in why(recording, "w.grad")][1:] == [
        "w·2 − 4 = 4 − 4 = 0: equal numbers cancel", "w·2 = 2·2 = 4", "w is given: 2",
    ]  # fmt: skip


def test_what_is_left_of_a_sum_that_cancels() -> None:
    with record() as recording:
        w = named(1, "w")
        (w * 1e10 - w * (1e10 - 1e-5)).backward()
    chain = [text for _, text in why(recording, "w.grad")]
    assert "they cancel: " in chain[1]


def test_what_is_written_by_hand_or_clipped() -> None:
    with record() as recording:
        w = named(2, "w")
        w.grad = 7.0
        clip_norm([w], 1.0)
        w.data = 5.0
    assert why(recording, "w.grad", 2) == [(2, "w.grad is written by hand: – → 7")]
    clipped, by_hand = why(recording, "w.grad")
    assert clipped[1].startswith("w.grad is clipped: 7·(1 / (7 + 0.000001)) = 1")
    assert by_hand == (2, "w.grad is written by hand: – → 7")
    assert why(recording, "w") == [(4, "w is written by hand: 2 → 5")]


def test_one_gradient_that_is_nan_makes_all_that_are_clipped_with_it_nan() -> None:
    with record() as recording:
        w, v = named(2, "w"), named(2, "v")
        w.grad, v.grad = 1.0, nan
        clip_norm([w, v], 1.0)
    assert [position for position, _ in why(recording, "w.grad")] == [5, 4]


def test_a_gradient_that_is_nan_goes_back_to_the_infinite_slope() -> None:
    with record() as recording:
        x = named(0, "x")
        s = x * x
        n = s.sqrt()
        s.label, n.label = "s", "n"
        n.backward()
    assert why(recording, "x.grad") == [
        (6, "dn/dx += dn/ds · ∂₁s/∂x = inf · x = inf · 0 = nan"),
        (5, "dn/ds += dn/dn · ∂n/∂s = 1 · (1 / (2·n)) = 1 · inf = inf"),
        (3, "n = sqrt(s) = sqrt(0) = 0"),
        (1, "x is given: 0"),
    ]
    births = [each.birth for each in reasons(recording, 0, recording.length, "gradient")]
    assert births == [False, True, False, False]


def test_a_sum_that_overflows() -> None:
    with record() as recording:
        w = named(1, "w")
        (w * 1e308 + w * 1e308).backward()
    (position, text), *_ = why(recording, "w.grad")
    assert position == recording.length
    assert text.endswith("the sum of the contributions overflows")


def test_a_tiny_gradient_names_the_edges_that_carry_the_decades() -> None:
    chain = [text for _, text in why(recorded("vanishing_gradient"), "w1.grad")]
    assert chain[0] == (
        "w1.grad is 6.32 decades below 1, over 30 edges from L; "
        "10 of them, through sigmoid, carry 6.02"
    )
    for text in chain[1:4]:
        assert text.endswith("= 0.25: 0.602 decades down")


def test_what_was_left_over_is_said() -> None:
    with record() as recording:
        x = named(3, "x")
        for _ in range(2):
            (x * 2).backward()
    assert why(recording, "x.grad")[0] == (6, "x.grad is 2 before this pass, which adds to it")


def test_all_of_it_may_be_left_over() -> None:
    with record() as recording:
        w = named(1, "w")
        w.grad = 5.0
        (w * 0).backward()
    assert why(recording, "w.grad") == [
        (4, "w.grad is 5 before this pass, which adds to it"),
        (5, "d(w·0)/dw += d(w·0)/d(w·0) · ∂(w·0)/∂w = 1 · 0 = 0"),
        (2, "w.grad is written by hand: – → 5"),
    ]


def test_a_nan_that_was_left_over_goes_back_to_where_it_was_written() -> None:
    with record() as recording:
        w = named(1, "w")
        w.grad = nan
        (w * 2).backward()
        (w * 3).backward()
    assert why(recording, "w.grad") == [
        (7, "w.grad is nan before this pass, which adds to it"),
        (2, "w.grad is written by hand: – → nan"),
    ]


def test_a_gradient_is_older_than_the_update() -> None:
    with record() as recording:
        w = named(3, "w")
        sgd = SGD([w], 0.1)
        (w * 2).backward()
        sgd.step()
    position, text = why(recording, "w.grad")[-1]
    assert (position, text) == (5, "w.grad was computed before this update: w ← w − lr·w.grad = "
                                   "3 − 0.1·2 = 2.8")  # fmt: skip
