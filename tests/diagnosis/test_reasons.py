"""Why a number is what it is: the chain of reasons for each kind of number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnosing import recorded, why
from graphs import Program, programs, run, writing_programs
from replay_runs import training, two_layer
from stepgrad import SGD, Value, record
from stepgrad.diagnosis.reasons import MOST, Of, reasons
from stepgrad.engine.tape import seed
from tries import tries

OF: Sequence[Of] = ("value", "gradient", "tangent")


def named(number: float, label: str) -> Value:
    return Value(number, label)


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
    assert first == "neuron/w is a parameter, not updated yet: it starts at 0.5"
    ((position, text),) = why(recording, "neuron/w")
    assert recording.events[position - 1].phase == "update"
    assert text.startswith("neuron/w is a parameter, set by this update: 0.5")


def test_a_parameter_is_set_by_the_latest_update_that_moved_it() -> None:
    with record() as recording:
        w = Value(1.0, "w")
        optimizer = SGD([w], learning_rate=0.5)
        for slope in (2.0, 1.0, 0.0, 0.0):
            w.grad = slope
            optimizer.step()
    moves = [i for i, e in enumerate(recording.events, 1) if e.phase == "update"]
    assert why(recording, "w") == [
        (
            moves[1],
            "w is a parameter, set by this update: 0 − 0.5·1 = −0.5; later writes do not move it",
        )
    ]


def test_a_value_is_older_than_the_update_of_what_it_is_made_of() -> None:
    recording = training(1)
    chain = why(recording, "out")
    assert "out was computed before this update" in chain[-1][1]
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


@settings(max_examples=tries(200))
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
