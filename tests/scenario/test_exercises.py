"""The form of exercises: what each kind takes, and what is wrong with those that lack it."""

import re
from pathlib import Path

import pytest

from scenario.samples import GRAPH, NETWORK, parse, problems
from stepgrad.engine.ops import FUNCTIONS
from stepgrad.errors import ScenarioError
from stepgrad.scenario.build import record_file
from stepgrad.scenario.exercises.trying import check_exercises
from stepgrad.scenario.load import ScenarioFile, parse_scenario
from stepgrad.scenario.text import Source


def test_an_exercise_of_each_kind() -> None:
    exercises = parse(
        GRAPH
        + """\
exercises:
  - {asks: value, of: z1, hints: Multiply first., vary: {x: [1, 5], w1: [0.5, 1.5]}}
  - {asks: gradient, of: w1}
  - {asks: local derivative, of: [h, z1]}
  - {asks: gate, of: h}
  - asks: verdict
  - {asks: edit, of: b1, goal: {h: [0, 0]}, prompt: Shut the gate.}
"""
    ).model.exercises
    assert [each.asks for each in exercises] == [
        "value", "gradient", "local derivative", "gate", "verdict", "edit",
    ]  # fmt: skip
    assert exercises[0].of == ("z1",)
    assert exercises[0].hints == ("Multiply first.",)
    assert exercises[0].vary == {"x": (1.0, 5.0), "w1": (0.5, 1.5)}
    assert exercises[5].goal == {"h": (0.0, 0.0)}


@pytest.mark.parametrize(
    ("exercise", "expected"),
    [
        ("{asks: gradients, of: w1}", "expected `value`, `gradient`, `local derivative`, `gate`"),
        ("{of: w1}", "`asks` is missing"),
        ("{asks: gradient}", "`asks: gradient` takes the name of a node, in `of`"),
        ("{asks: value, of: [z1, h]}", "`asks: value` takes the name of a node, in `of`"),
        ("{asks: local derivative, of: h}", "takes two names: a node and one of its operands"),
        ("{asks: verdict, of: h}", "takes no name"),
        ("{asks: value, of: z2}", "unknown name `z2`; did you mean `z1`?"),
        ("{asks: value, of: h, vary: {q: [1, 2]}}", "unknown name `q`"),
        ("{asks: value, of: h, vary: {z1: [1, 2]}}", "`z1` is computed; only inputs and param"),
        ("{asks: value, of: h, vary: {x: [2, 1]}}", "the lower end 2 is above the upper end 1"),
        ("{asks: edit, of: z1, goal: {h: [1, 2]}}", "`z1` is computed; only inputs and param"),
        ("{asks: edit, of: x}", "`asks: edit` needs a `goal`, such as `goal: {h: [1, 2]}`"),
        ("{asks: value, of: h, goal: {h: [1, 2]}}", "a `goal` is for `asks: edit`"),
    ],
)
def test_what_is_wrong_with_an_exercise(exercise: str, expected: str) -> None:
    [found] = problems(f"{GRAPH}exercises:\n  - {exercise}\n")
    assert expected in found


def test_a_gradient_needs_a_backward_pass() -> None:
    graph = "title: x\ninputs: {x: 1}\ngraph: [y = 2*x]\nexercises: [{asks: gradient, of: x}]\n"
    [found] = problems(graph)
    assert "a gradient cannot be asked for without `backward`" in found


def test_the_numbers_of_a_network_do_not_vary() -> None:
    exercise = "exercises: [{asks: verdict, vary: {w1: [1, 2]}}]\n"
    [found] = problems(NETWORK + exercise)
    assert "the numbers of a network cannot vary" in found


@pytest.mark.parametrize(
    ("exercise", "expected"),
    [
        ("{asks: value, of: y, vary: {x: [0, 5]}}", "at x = 0, log(x − w) is nan"),
        ("{asks: gradient, of: w, vary: {x: [0.0, 0.9]}}", "at x = 0, log(x − w) is nan"),
        (
            "{asks: value, of: y, vary: {x: [1, 3], w: [0, 1]}}",
            "w = 1, log(x − w) is −inf",
        ),
        ("{asks: value, of: z, vary: {z0: [0, 1]}}", "at z0 = 0, z0.grad is inf"),
        ("{asks: value, of: y, vary: {p: [0, 5]}}", "at p = 0, q is inf"),
        ("{asks: local derivative, of: [y, p]}", "`p` is not an operand of `y`"),
    ],
)
def test_an_exercise_that_some_students_cannot_answer(exercise: str, expected: str) -> None:
    file = logarithm(exercise)
    with pytest.raises(ScenarioError, match=re.escape(expected)):
        check_exercises(file, record_file(file))


def test_zero_is_not_drawn_from_the_middle_of_an_interval() -> None:
    file = logarithm("{asks: value, of: y, vary: {p: [-5, 5]}}")
    check_exercises(file, record_file(file))


def logarithm(exercise: str) -> ScenarioFile:
    """A scenario that is not defined everywhere, with an exercise."""
    graph = """\
title: A logarithm
inputs: {x: 2, z0: 1, p: 3}
params: {w: 1}
graph:
  - z = z0 ** 0.5
  - q = 1 / (p * p)
  - y = log(x - w) + z + q
backward: y
"""
    text = f"{graph}exercises:\n  - {exercise}\n"
    return parse_scenario(Source(Path("s.yaml"), text), FUNCTIONS)
