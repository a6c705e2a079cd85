"""Why a number is what it is: the chain of reasons for each kind of number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnosing import recorded
from graphs import Program, programs, run, writing_programs
from replay_runs import training, two_layer
from stepgrad import SGD, Recording, Value, clip_norm, record
from stepgrad.diagnosis.reasons import MOST, Of, reasons
from stepgrad.engine.tape import seed

OF: Sequence[Of] = ("value", "gradient", "tangent")


def named(number: float, label: str) -> Value:
    return Value(number, label)


def why(recording: Recording, name: str, position: int | None = None) -> list[tuple[int, str]]:
    """The reasons for `w` or `w.grad`, each with its event."""
    label, _, end = name.partition(".")
    of: Of = "gradient" if end == "grad" else "tangent" if end == "tangent" else "value"
    at = recording.length if position is None else position
    names = recording.names(recording.length) | recording.names(at)
    return [(each.position, each.text) for each in reasons(recording, names[label], at, of)]


def of_program(program: Callable[[], object]) -> Recording:
    with record() as recording:
        program()
    return recording


# --- values


def test_an_ordinary_value_is_made_by_an_operation_from_numbers_that_are_given() -> None:
    assert why(two_layer(), "z1") == [
        (8, "z1 = w1·x + b1 = 1.5 + 0 = 1.5"),
        (4, "b1 is given: 0"),
        (7, "w1·x = 0.5·3 = 1.5"),
        (1, "x is given: 3"),
        (3, "w1 is given: 0.5"),
    ]


def test_a_value_that_is_still_to_come() -> None:
    assert why(two_layer(), "z1", 3) == [(8, "z1 is not computed yet: this event makes it")]


def test_a_parameter_is_set_by_the_latest_update() -> None:
    recording = training(2)
    ((_, first),) = why(recording, "neuron/w", 2)
    assert first == "neuron/w is a parameter, not updated yet: it begins with 0.5"
    ((position, text),) = why(recording, "neuron/w")
    assert recording.events[position - 1].phase == "update"
    assert text.startswith("neuron/w is a parameter, set by this update: 0.5")


def test_a_value_is_older_than_the_update_of_what_it_is_made_of() -> None:
    recording = training(1)
    chain = why(recording, "out")
    assert "out is older than this update" in chain[-1][1]
    updated = [i for i, e in enumerate(recording.events, 1) if e.phase == "update"]
    assert chain[-1][0] in updated
    assert "older" not in why(recording, "out", updated[0] - 1)[-1][1]


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (lambda: named(-800, "b").exp(), ["y = exp(b) = exp(−800) = 0: it underflows",
                                          "b is given: −800"]),
        (lambda: named(1e-200, "b") * 1e-200, ["y = b·1e−200 = 1e−200·1e−200 = 0: it underflows",
                                               "b is given: 1e−200"]),
        (lambda: 1 * (named(-1, "b") * 2).relu(), ["y = 1·relu(b·2) = 1·0 = 0",
                                                   "relu(b·2) = relu(−2) = 0: the gate is shut",
                                               "b·2 = −1·2 = −2", "b is given: −1"]),
        (lambda: named(0, "b") * 5 / 3, ["y = b·5 / 3 = 0 / 3 = 0", "b is given: 0"]),
        (lambda: 1 - named(40, "b").sigmoid(),
         ["y = 1 − sigmoid(b) = 1 − 1 = 0: equal numbers cancel",
          "sigmoid(b) = sigmoid(40) = 1: it saturates, and rounds to exactly 1",
          "b is given: 40"]),
        (lambda: (1 + (-named(40, "b")).exp()) - 1,
         ["y = 1 + exp(−b) − 1 = 1 − 1 = 0: equal numbers cancel",
          "1 + exp(−b) = 1 + 4.24835e−18 = 1: it swallows 4.24835e−18",
          "exp(−b) = exp(−40) = 4.24835e−18", "−b = −40", "b is given: 40"]),
        (lambda: 2 * (1 + (-named(40, "b")).exp()).log(),
         ["y = 2·#5 = 2·0 = 0", "log(1 + exp(−b)) = log(1) = 0: the logarithm of exactly 1",
          "1 + exp(−b) = 1 + 4.24835e−18 = 1: it swallows 4.24835e−18",
          "exp(−b) = exp(−40) = 4.24835e−18", "−b = −40", "b is given: 40"]),
        (lambda: (-named(-2, "b")) ** 2 + (named(-3, "c") * 2).log() * 4,
         ["y = (−b)² + log(c·2)·4 = 4 + nan = nan",
          "log(c·2) = log(−6) = nan: a logarithm is undefined below 0",
          "c·2 = −3·2 = −6", "c is given: −3"]),
        (lambda: 1 / (named(3, "b") - 3), ["y = 1 / (b − 3) = 1 / 0 = inf: a division by 0",
                                           "b − 3 = 3 − 3 = 0: equal numbers cancel",
                                           "b is given: 3"]),
        (lambda: named(inf, "b") - named(inf, "c"), ["y = b − c = inf − inf = nan",
                                                     "b is given: inf", "c is given: inf"]),
        (lambda: named(1, "b") + named(7, "c") + named(2, "d") + 1,
         ["y = 11: c = 7 is the largest of 4 addends", "c is given: 7"]),
        (lambda: named(800, "b").exp() * 0, ["y = exp(b)·0 = inf·0 = nan",
                                             "exp(b) = exp(800) = inf: it overflows",
                                             "b is given: 800"]),
        (lambda: named(1, "b") / named(inf, "c"), ["y = b / c = 1 / inf = 0", "c is given: inf"]),
    ],
)  # fmt: skip
def test_a_value_goes_back_to_what_made_it_so(
    program: Callable[[], Value], words: list[str]
) -> None:
    with record() as recording:
        y = program()
        y.label = "y"
    assert [text for _, text in why(recording, "y")] == words


# --- gradients


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
        (lambda w: w * 3 - w * 3, ["what arrives cancels to exactly 0: −3 + 3"]),
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
        (1, "x is given: 0"),
    ]
    births = [each.birth for each in reasons(recording, 0, recording.length, "gradient")]
    assert births == [False, True, False]


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
        "w1.grad is 6.32 decades below 1, over 30 edges from L; 10 of them, of sigmoid, carry 6.02"
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
    assert (position, text) == (5, "w.grad is older than this update: w ← w − lr·w.grad = "
                                   "3 − 0.1·2 = 2.8")  # fmt: skip


# --- tangents


def test_a_tangent_goes_back_to_the_infinite_slope() -> None:
    with record() as recording:
        x = named(0, "x")
        seed(x, 1.0)
        y = x.sqrt() * 0
        y.label = "y"
    (last, _), (first, text), *_ = why(recording, "y.tangent")
    assert (last, first) == (3, 2)
    assert "inf" in text
    births = [each.birth for each in reasons(recording, recording.first_named("y"), 3, "tangent")]
    assert births[1]


def test_a_tangent_begins_where_forward_mode_does() -> None:
    assert [text for _, text in why(recorded("dual_numbers"), "x.tangent", 4)] == [
        "x = 2, dx = 1: forward mode starts here"
    ]


# --- all of them


@settings(max_examples=200)
@given(programs() | writing_programs(), st.data())
def test_there_is_a_reason_for_every_number(program: Program, data: st.DataObject) -> None:
    with record() as recording:
        run(program, [Value(1.5), Value(-2.0)])
    node = data.draw(st.integers(0, recording.size - 1))
    position = data.draw(st.integers(0, recording.length))
    for of in OF:
        found = reasons(recording, node, position, of)
        assert 1 <= len(found) <= MOST
        assert len(set(found)) == len(found)
        for each in found:
            assert 0 < each.position <= recording.length
            assert 0 <= each.node < recording.size
            assert each.text.isprintable()
            assert not each.text.endswith(": ")


def test_an_unknown_node() -> None:
    with pytest.raises(IndexError):
        reasons(two_layer(), 99, 1)
