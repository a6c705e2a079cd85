"""Predicting the next number: what is asked, and which answers are right."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import graphs
from stepgrad import State, Value, record
from stepgrad.recording import events
from stepgrad.replay.numbers import number
from stepgrad.replay.quiz import (
    AnswerError,
    Question,
    Score,
    question_at,
    questions,
    rules,
)
from stepgrad.scenario import record_scenario
from stepgrad.scenario.library import shipped

Q = Question("value", "add", "?", 0.4621171572600098, "")


@pytest.mark.parametrize(
    ("answer", "text", "right"),
    [
        (0.4621171572600098, "0.46", True),
        (0.4621171572600098, "0.462", True),
        (0.4621171572600098, "0.5", False),  # too rough
        (0.4621171572600098, "0.47", False),
        (0.4621171572600098, "0.4622", False),
        (-8.0, "-8", True),
        (-8.0, "−8.0", True),
        (-8.0, "8", False),
        (0.0, "0", True),
        (0.0, "0.001", False),
        (1 / 3, "1/3", True),
        (9.094947017729282e-13, "9.1e-13", True),
        (9.094947017729282e-13, "0", False),
        (math.nan, "nan", True),
        (math.nan, "0", False),
        (math.inf, "inf", True),
        (-math.inf, "inf", False),
        (1234567.0, "1234567", True),
        (2.0, "nan", False),
    ],
)
def test_an_answer_is_checked_to_the_digits_it_gives(answer: float, text: str, right: bool) -> None:
    assert replace(Q, answer=answer).holds(text) is right


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_the_screen_shows_it_is_right(x: float) -> None:
    assert replace(Q, answer=x).holds(number(x))


@pytest.mark.parametrize("text", ["", "w1", "0.5.1", "1/0", "1/x", "--3", "2e", "½x"])
def test_what_is_no_number_is_told(text: str) -> None:
    with pytest.raises(AnswerError, match="is no number"):
        Q.holds(text)


@given(st.from_regex(r"-?[0-9]{1,30}(\.[0-9]{1,400})?(e-?[0-9]{1,12})?", fullmatch=True))
def test_whatever_number_is_typed_has_an_answer(text: str) -> None:
    assert Q.holds(text) in (True, False)


def test_the_questions_of_two_paths() -> None:
    found = questions(record_scenario("sum_over_paths"), 100)
    assert [(q.kind, q.answer) for q in found[-4:]] == [
        ("contribution", 6),
        ("contribution", 3),
        ("contribution", 12),
        ("total", 15),
    ]
    assert "h has 3 already, and 6 arrives at z1" in found[-1].prompt


@given(graphs.programs())
def test_the_answer_is_what_comes_next(program: graphs.Program) -> None:
    with record() as recording:
        graphs.run(program, [Value(0.5), Value(1.5)])
    for position in range(recording.length):
        question = question_at(recording, position)
        event, after = recording.events[position], State(recording, position + 1)
        if question is None:
            assert not isinstance(event, events.Op | events.Accumulate)
            continue
        assert event.focus is not None
        if question.kind == "value":
            wanted = after.value(event.focus)
        else:
            assert isinstance(event, events.Accumulate)
            wanted = event.after if question.kind == "total" else event.contribution
        assert repr(question.answer) == repr(wanted)


@pytest.mark.parametrize("name", shipped())
def test_no_question_tells_its_answer_in_other_words(name: str) -> None:
    recording = record_scenario(name)
    for question in questions(recording, 1000):
        assert question.position is not None
        assert question.explanation
        assert question.prompt.endswith("?")
        assert len(question.prompt) < 200


def test_of_many_questions_some_are_left_out_evenly() -> None:
    recording = record_scenario("xor_tanh")
    every, few = questions(recording, 100_000), questions(recording, 12)
    assert len(few) == 12
    assert {q.kind for q in every} == {
        "value", "local derivative", "contribution", "total", "update",
    }  # fmt: skip
    assert [every.index(q) for q in few] == [i * len(every) // 12 for i in range(12)]
    assert max(q.position or 0 for q in every) < recording.steps[1]


def test_an_update_is_asked_with_what_it_is_made_of() -> None:
    recording = record_scenario("xor_tanh")
    question = next(q for q in questions(recording, 10_000) if q.kind == "update")
    assert "learning rate 0.05" in question.prompt
    assert question.about == "sgd"


def test_the_rules_come_from_the_op_table() -> None:
    found = {question.prompt: question.answer for question in rules()}
    assert found["5 arrives at 3 + 4. What is handed on to the 3?"] == 5
    assert found["2 arrives at 3·4. What is handed on to the 3?"] == 8
    assert found["7 arrives at relu(−1). What is handed on to the −1?"] == 0
    assert found["1 arrives at 3². What is handed on to the 3?"] == 6
    assert len(found) == len(rules())


def test_the_score_says_what_to_look_at_again() -> None:
    score = Score()
    found = questions(record_scenario("two_layer"), 100)
    for question in found:
        score.asked.append((question, question.about != "relu"))
    assert score.right == len(found) - 3
    assert [line.partition(":")[0] for line in score.again()] == [
        "relu (value)", "relu (local derivative)", "relu (contribution)",
    ]  # fmt: skip
    assert "event" in score.again()[0]
