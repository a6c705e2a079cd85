"""Expectations compared with a recording, at its end and on the way there."""

from math import inf, nan

import pytest

from scenario.runs import read
from stepgrad import Recording
from stepgrad.recording.events import Op
from stepgrad.scenario.build import record_file
from stepgrad.scenario.expect import Check, checks, expectations
from stepgrad.scenario.load import ScenarioFile

NEURON = """\
title: t
inputs: {x: 2.0}
params: {w: 3.0}
graph:
  - z = w*x
  - L = z**2
backward: L
"""
EXPECT = """\
expect:
  values:
    z: 6
    L: 36
  grads: {w: 25}
"""
TRAINED = """\
title: t
params: {w: 1.0}
graph: [L = w*w]
backward: L
train: {steps: 2, learning_rate: 0.25}
expect: {values: {w: 0.25, L: 0.0625}, grads: {w: 1}, loss: {0: 1, 1: 0.25, 2: 0.0625}}
"""
NETWORK = """\
title: t
network: {sizes: [1, 2], activation: linear, weights: [[[1, 2]]], biases: [[0, 0]]}
data: {inputs: [1, 3], targets: [[1, 1], [3, 3]]}
loss: sum_squared_error
expect: {loss: {0: 10}, predictions: [[1, 2], [3, 6]]}
"""


def played(text: str) -> tuple[ScenarioFile, Recording]:
    file = read(text)
    return file, record_file(file)


def verdict(text: str) -> Check:
    (check,) = checks(*played(text))
    return check


def test_a_check_says_what_where_and_how_it_stands() -> None:
    held = checks(*played(NEURON + EXPECT))
    assert [(check.name, check.expected, check.got, check.ok, check.line) for check in held] == [
        ("z", 6, 6, True, 10),
        ("L", 36, 36, True, 11),
        ("w.grad", 25, 24, False, 12),
    ]


def test_a_check_says_how_its_number_came_about() -> None:
    file, recording = played(NEURON + EXPECT)
    told = {check.name: list(check.why(recording)) for check in checks(file, recording)}
    assert told["z"] == ["z = w·x = 3·2 = 6"]
    assert told["w.grad"] == [
        "dL/dw += dL/dz · ∂z/∂w = 12 · x = 12 · 2 = 24   [w.grad – → 24, contribution 1 of 1]"
    ]


@pytest.mark.parametrize("text", [NEURON, NEURON + "expect: {}\n"])
def test_nothing_promised_is_nothing_to_check(text: str) -> None:
    assert checks(*played(text)) == []


@pytest.mark.parametrize(
    ("got", "expected", "ok"),
    [
        ("1", "1", True), ("1", "1.0000000009", True), ("1", "1.000000002", False),
        ("1e12", "1_000_000_000_500", True), ("1e12", "1_000_000_002_000", False),
        ("1e-12", "0", True), ("-1", "1", False),
        ("1e999", ".inf", True), ("-1e999", ".inf", False), ("-1e999", "-.inf", True),
        ("1e300", ".inf", False), ("1e999", "1e300", False), ("1e999", ".nan", False),
        ("log", ".nan", True), ("log", "0", False), ("log", ".inf", False),
    ],
)  # fmt: skip
def test_near_is_near_and_the_infinite_is_itself(got: str, expected: str, ok: bool) -> None:
    computed = {"log": "log(-a)", "1e999": "1e300*a*1e300", "-1e999": "-1e300*a*1e300"}
    text = f"title: t\ninputs: {{a: 1.0}}\ngraph: ['y = {computed.get(got, got)}']\n"
    assert verdict(f"{text}expect: {{values: {{y: {expected}}}}}\n").ok is ok


@pytest.mark.parametrize(("tolerance", "ok"), [("0.11", True), ("0.09", False), ("0", False)])
@pytest.mark.parametrize(("value", "expected"), [(0.5, 0.6), (500, 555), (-500, -555)])
def test_the_tolerance_is_absolute_or_relative(
    tolerance: str, ok: bool, value: float, expected: float
) -> None:
    text = f"title: t\ngraph: [y = {value}]\n"
    assert (
        verdict(f"{text}expect: {{values: {{y: {expected}}}, tolerance: {tolerance}}}\n").ok is ok
    )


def test_what_has_not_come_yet_is_none() -> None:
    file, recording = played(NEURON + EXPECT)
    made = {"z": 3, "L": 4, "w.grad": 7}
    for position in range(recording.length + 1):
        for check in checks(file, recording, position):
            assert (check.got is None) == (position < made[check.name]), (position, check)
            assert check.ok is (check.got == check.expected)


def test_a_gradient_that_never_comes_is_not_zero() -> None:
    text = "title: t\nparams: {a: 1.0, b: 2.0}\ngraph: [L = 2*a]\nbackward: L\n"
    check = verdict(text + "expect: {grads: {b: 0}}\n")
    assert (check.got, check.ok) == (None, False)


def test_training_is_held_against_its_last_passes() -> None:
    file, recording = played(TRAINED)
    assert all(check.ok for check in checks(file, recording))


def test_a_loss_is_there_once_its_step_has_computed_it_and_stays() -> None:
    file, recording = played(TRAINED)
    computed = [n for n, event in enumerate(recording.events, 1) if isinstance(event, Op)]
    for position in range(recording.length + 1):
        got = [c.got for c in checks(file, recording, position) if c.name.startswith("loss")]
        there = sum(made <= position for made in computed)
        assert got == [1, 0.25, 0.0625][:there] + [None] * (3 - there)


def test_between_two_backward_passes_the_gradient_is_that_of_the_last() -> None:
    file, recording = played(TRAINED)

    def gradient(position: int) -> float | None:
        return next(c.got for c in checks(file, recording, position) if c.name == "w.grad")

    first, second, third = recording.steps
    assert gradient(first) is None
    assert gradient(second) == gradient(second + 2) == 2
    assert gradient(third) == gradient(recording.length) == 1


def test_predictions_and_their_names() -> None:
    file, recording = played(NETWORK)
    assert [(c.name, c.got, c.line) for c in checks(file, recording)] == [
        ("loss at step 0", 10, 5),
        ("prediction row1/y1", 1, 5),
        ("prediction row1/y2", 2, 5),
        ("prediction row2/y1", 3, 5),
        ("prediction row2/y2", 6, 5),
    ]
    assert all(check.got is None for check in checks(file, recording, recording.length - 1)[1:])


@pytest.mark.parametrize("expected", [inf, -inf, nan])
def test_what_has_not_come_is_not_even_nan(expected: float) -> None:
    word = {inf: ".inf", -inf: "-.inf"}.get(expected, ".nan")
    file, recording = played(NEURON + f"expect: {{values: {{L: {word}}}}}\n")
    assert [check.ok for check in checks(file, recording, 0)] == [False]


@pytest.mark.parametrize("text", [NEURON, NEURON + EXPECT, TRAINED, NETWORK])
def test_what_is_expected_is_known_before_anything_runs(text: str) -> None:
    file, recording = played(text)
    assert [(each.name, each.number, each.line) for each in expectations(file)] == [
        (check.name, check.expected, check.line) for check in checks(file, recording)
    ]


@pytest.mark.parametrize(
    ("promised", "tolerance", "ok"),
    [
        ("0", "", True),
        ("0", "1.0e-36", False),
        ("1.0e-30", "1.0e-36", True),
        ("2.0e-30", "1.0e-36", False),
    ],
)
def test_small_numbers_need_a_smaller_tolerance(promised: str, tolerance: str, ok: bool) -> None:
    small = "title: t\ninputs: {x: 1.0e-30}\ngraph: [y = 2*x]\n"
    line = f"  tolerance: {tolerance}\n" if tolerance else ""
    assert verdict(f"{small}expect:\n{line}  values: {{x: {promised}}}\n").ok == ok


def test_what_a_recording_that_ends_early_does_not_come_to() -> None:
    file = read(TRAINED.replace("steps: 2", "steps: 1000").replace("2: 0.0625", "900: 0"))
    recording = record_file(file, memory=20_000)
    assert recording.spent
    held = {check.name: (check.ok, check.got) for check in checks(file, recording)}
    assert held == {
        "w": (False, None), "L": (False, None), "w.grad": (False, None),
        "loss at step 0": (True, 1), "loss at step 1": (True, 0.25),
        "loss at step 900": (False, None),
    }  # fmt: skip
