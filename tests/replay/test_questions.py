"""Predicting the next number: what is asked of a recording."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given

import graphs
from stepgrad import State, Value, record
from stepgrad.numbers import number, read_back
from stepgrad.recording import events
from stepgrad.replay.quiz.questions import question_at, questions
from stepgrad.scenario import record_scenario
from stepgrad.scenario.library import shipped

MOMENTUM = """\
title: Momentum
inputs: {x: 1.0}
params: {w: 0.3333333333}
graph: [loss = (w*x)**2]
train: {steps: 3, optimizer: momentum, momentum: 0.9, learning_rate: 0.1}
backward: loss
"""


def test_the_questions_of_two_paths() -> None:
    found = questions(record_scenario("sum_over_paths"), 100)
    assert [(q.kind, q.answer) for q in found[-4:]] == [
        ("contribution", 6), ("contribution", 3), ("contribution", 12), ("total", 15),
    ]  # fmt: skip
    assert found[-1].prompt == (
        "The gradient of h is 3, and 6 arrives at z1 = 2·h = 2·1.5 = 3. What does it become?"
    )


def test_a_question_shows_what_a_number_is_made_of() -> None:
    prompts = [q.prompt for q in questions(record_scenario("two_layer"), 100)]
    assert "loss = (y − target)² = (−2)² = 4. What is ∂loss/∂(y − target)?" in prompts
    assert "−4 arrives at w2·h = 2·1.5 = 3. What does h receive from it?" in prompts
    assert "h = relu(z1) = relu(1.5). What is h?" in prompts


def test_of_two_equal_operands_it_is_said_which() -> None:
    with record() as recording:
        x = Value(3.0, label="x")
        y = x * x
        y.label = "y"
        y.backward()
    first, second, total = (
        q for q in questions(recording, 10) if q.kind in ("contribution", "total")
    )
    assert "for the first x alone" in first.prompt
    assert "for the second x alone" in second.prompt
    assert (total.answer, "with the second x counted" in total.prompt) == (6, True)


def test_an_explanation_tells_no_more_than_was_asked() -> None:
    found = {
        q.kind: q for q in questions(record_scenario("reused_value"), 100) if q.position is not None
    }
    for one in questions(record_scenario("sum_over_paths"), 100):
        if one.kind == "local derivative":
            assert "+=" not in one.explanation
        if one.kind == "contribution":
            assert ".grad" not in one.explanation
    assert ".grad" in found["total"].explanation


@given(graphs.programs())
def test_the_answer_is_what_comes_next(program: graphs.Program) -> None:
    with record() as recording:
        graphs.run(program, [Value(0.5), Value(1.5)])
    for position in range(recording.length):
        question = question_at(recording, position)
        event, after = recording.events[position], State(recording, position + 1)
        if question is None:
            unknown = isinstance(event, events.Op) and not event.op.known
            assert unknown or not isinstance(event, events.Op | events.Accumulate)
            continue
        assert event.focus is not None
        if question.kind == "value":
            wanted = after.value(event.focus)
        else:
            assert isinstance(event, events.Accumulate)
            wanted = event.after if question.kind == "total" else event.contribution
        assert repr(question.answer) == repr(wanted)


@given(graphs.programs())
def test_who_adds_up_the_numbers_that_are_shown_is_right(program: graphs.Program) -> None:
    with record() as recording:
        graphs.run(program, [Value(1 / 3), Value(-2 / 3)])
    for position in range(recording.length):
        question, event = question_at(recording, position), recording.events[position]
        if question is not None and question.kind == "total":
            assert isinstance(event, events.Accumulate)
            assert event.before is not None
            # A contribution may be rounded before it is added.
            total = read_back(event.before) + read_back(event.contribution)
            assert question.holds(repr(total))


def test_sums_that_all_but_cancel_are_asked_as_they_are_shown() -> None:
    with record() as recording:
        a, b = Value(1.23456789, label="a"), Value(1.23451234, label="b")
        _ = a - b
    question = question_at(recording, 2)
    assert question is not None
    assert "1.23457 − 1.23451" in question.prompt
    assert question.holds("0.00006")
    assert question.holds("0.00005555")
    assert not question.holds("0.00007")


@pytest.mark.parametrize("name", shipped())
def test_no_question_tells_its_answer_in_other_words(name: str) -> None:
    recording = record_scenario(name)
    for question in questions(recording, 1000):
        assert question.position is not None
        assert question.explanation
        assert question.prompt.endswith("?")
        assert len(question.prompt) < 210
        assert question.holds(number(question.answer))


def test_of_many_questions_those_are_left_out_that_are_most_alike() -> None:
    recording = record_scenario("xor_tanh")
    every, few = questions(recording, 100_000), questions(recording, 30)
    assert len(few) == 30
    assert [q for q in every if q in few] == few
    kinds = Counter((q.kind, q.about, q.answer == 0) for q in every)
    picked = Counter((q.kind, q.about, q.answer == 0) for q in few)
    assert picked.keys() == kinds.keys()
    assert max(picked.values()) <= 2


def test_of_a_training_the_first_and_the_last_step_that_goes_back_are_asked_about() -> None:
    recording = record_scenario("forgotten_zero_grad")
    steps = recording.steps
    positions = [q.position for q in questions(recording, 100_000)]
    asked = {bisect_right(steps, position or 0) for position in positions}
    assert asked == {1, len(steps) - 1}


def test_forward_mode_is_asked_for_tangents() -> None:
    recording = record_scenario("dual_numbers")
    found = [q for q in questions(recording, 100) if q.kind in ("value", "tangent")][:4]
    assert [(q.kind, round(q.answer, 6)) for q in found] == [
        ("value", 4), ("tangent", 4), ("value", -0.756802), ("tangent", -2.614574),
    ]  # fmt: skip
    assert found[3].prompt == "y = sin(a) = sin(4) = −0.756802, and da = 4. What is dy?"
    assert "da" not in found[0].explanation
    assert found[3].holds("-2.614574")
    assert found[3].holds("-2.61458")  # −0.653644 · 4
    assert found[3].position is not None
    assert question_at(recording, found[3].position) == found[3]


def test_all_passes_in_one_mode_and_the_other_are_asked_about() -> None:
    kinds = {q.kind for q in questions(record_scenario("forward_and_reverse"), 100)}
    assert kinds == {"value", "tangent", "local derivative", "contribution"}


def test_an_update_is_asked_with_what_it_is_made_of(tmp_path: Path) -> None:
    update = next(q for q in questions(record_scenario("xor_tanh"), 10_000) if q.kind == "update")
    assert update.about == "sgd"
    assert update.prompt == (
        "layer1/neuron1: w1 ← w1 − lr·w1.grad, with w1 = 0.278854, w1.grad = 0.012194, "
        "lr = 0.05. What is w1 then?"
    )
    path = tmp_path / "momentum.yaml"
    path.write_text(MOMENTUM)
    recording = record_scenario(path)
    asked = [question_at(recording, at) for at in range(recording.length)]
    *_, last = (q for q in asked if q is not None and q.kind == "update")
    assert "v ← μ·v + w.grad, then w ← w − lr·v, with w = " in last.prompt
    assert "μ = 0.9, v = " in last.prompt
