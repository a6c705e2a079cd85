"""Predict mode, as a function from a session to a session."""

from __future__ import annotations

import pytest

from stepgrad.recording import events
from stepgrad.replay.commands.predicting import NOTHING_LEFT, ask, predict
from stepgrad.replay.commands.script import replay
from stepgrad.replay.commands.table import BY_NAME
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.lesson.following import Lesson
from stepgrad.replay.quiz.answers import AnswerError, Score
from stepgrad.replay.session import Session
from stepgrad.scenario import open_scenario, record_scenario
from stepgrad.scenario.build import record_file
from stepgrad.scenario.rerun import session_on

TWO_LAYER = record_scenario("two_layer")


def at(position: int) -> Session:
    return Session.open(Cursor(TWO_LAYER, position))


def test_a_prediction_is_checked_counted_and_shown() -> None:
    session = predict(at(20), "-8")
    assert (session.cursor.position, session.said) == (21, "right: −8 · score 1/1")
    session = predict(session, "6")
    assert (session.cursor.position, session.said) == (22, "not 6: it is −8 · score 1/2")
    session = predict(session, "?")
    assert (session.cursor.position, session.said) == (23, "it is −8 · score 1/2")


def test_events_without_a_question_are_stepped_over() -> None:
    session, question = ask(at(0))
    assert (session.cursor.position, session.said) == (6, "skipped 6 events")
    assert question == "What is w1·x = 0.5·3?"
    assert ask(session) == (session, question)
    assert ask(at(13))[0].said == "skipped 1 event"
    assert predict(at(0), "1.5").cursor.position == 7


def test_what_would_tell_the_answer_is_a_secret_until_it_has_come() -> None:
    session, _ = ask(at(20))
    event = TWO_LAYER.events[20]
    assert isinstance(event, events.Accumulate)
    assert session.secret == event.out
    assert predict(session, "?").secret is None
    assert session.go(session.cursor.step()).secret is None
    assert ask(at(7))[0].secret is None


def test_who_has_predicted_nothing_has_no_score() -> None:
    assert replay(at(0), ["p?"]).said == "it is 1.5"


def test_at_the_start_the_score_starts_anew() -> None:
    session = replay(at(0), ["p1.5", "p1", "g", "p1.5"])
    assert session.said == "right: 1.5 · score 1/1"
    assert ask(replay(session, ["g"]))[0].score == Score()


def test_at_the_end_there_is_nothing_to_predict() -> None:
    end = at(TWO_LAYER.length)
    session, question = ask(end)
    assert (session.said, question) == (NOTHING_LEFT, "")
    assert predict(end, "1") == session


def test_what_is_no_number_changes_nothing() -> None:
    with pytest.raises(AnswerError, match="`eight` is not a number"):
        predict(at(20), "eight")


def test_a_script_of_keys_predicts() -> None:
    session = replay(at(0), ["p1.5", "p1", "p?", ":20", "p-8"])
    assert (session.cursor.position, session.said) == (21, "right: −8 · score 2/3")


def test_at_the_start_the_exercises_come_first() -> None:
    file = open_scenario("gears")
    session = session_on(record_file(file), file)
    session, question = ask(session)
    assert question.startswith("exercise 1/2: crank = 1; axle = 3*crank; wheel = 2*axle. What is")
    session = predict(session, "hint")
    assert session.said == "hint: Start at the wheel with 1. (⟦predict⟧ again)"
    session = predict(session, "-6")
    assert "the sign is wrong" in session.said
    session = predict(session, "6")
    assert session.said.startswith("right: 6")
    session = predict(session, "3")
    assert session.said == "right: 3 (mark 1.5/2)"
    assert session.cursor.position == 0
    assert ask(session)[1] == "axle = 3·crank = 3·1. What is axle?"


def test_what_to_type_is_in_the_words_of_the_exercise() -> None:
    file = open_scenario("relu_gate")
    session = session_on(record_file(file), file)
    command = BY_NAME["predict"]
    forms = []
    for _ in range(3):
        session, _ = ask(session)
        forms.append(command.typed(session))
        session = predict(session, "?")
    number = "a number, such as 0.25, 2e-3 or 1/3; ? shows it"
    assert forms == [number, "open or shut; ? shows the answer", number]


def test_an_exercise_reads_no_step_of_the_lesson() -> None:
    file = open_scenario("relu_gate")
    session = session_on(record_file(file), file)
    lesson = Lesson.of(file.lesson, session.recording)
    answered = predict(session, "3")
    assert lesson.after("predict", answered).ticked == lesson.ticked
    moved = session_on(session.recording)  # without a scenario there are no exercises
    assert lesson.after("predict", predict(moved, "6")).ticked == lesson.ticked + 1
