"""Which answers are right, what is said to them, and the score."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepgrad.numbers import number
from stepgrad.replay.quiz.answers import AnswerError, Question, Score, reply
from stepgrad.replay.quiz.questions import questions
from stepgrad.replay.quiz.rules import rules
from stepgrad.scenario import record_scenario

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
    assert Q._replace(answer=answer).holds(text) is right


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_as_the_screen_shows_it_is_right(x: float) -> None:
    assert Q._replace(answer=x).holds(number(x))


@pytest.mark.parametrize("text", ["w1", "snan", "0.5.1", "1/0", "1/x", "--3", "2e", "½x"])
def test_what_is_no_number_is_told(text: str) -> None:
    with pytest.raises(AnswerError, match="is not a number"):
        Q.holds(text)


def test_what_would_be_a_number_is_told() -> None:
    with pytest.raises(AnswerError, match=r"write a decimal point, as in 0\.25"):
        Q.holds("0,46")
    with pytest.raises(AnswerError, match=r"^write a number"):  # Enter may be a slip
        Q.holds(" ")


@given(st.from_regex(r"-?[0-9]{1,30}(\.[0-9]{1,400})?(e-?[0-9]{1,12})?", fullmatch=True))
def test_whatever_number_is_typed_has_an_answer(text: str) -> None:
    assert Q.holds(text) in (True, False)


@pytest.mark.parametrize(
    ("text", "right", "said"),
    [
        ("-8", True, "right: −8"), (" -8.0 ", True, "right: −8"), ("-7", False, "not −7: it is −8"),
        ("6", False, "not 6: it is −8"),
        (" ? ", False, "it is −8"),
        ("9" * 400, False, f"not {'9' * 19}…: it is −8"),
    ],
)  # fmt: skip
def test_what_is_said_to_an_answer(text: str, right: bool, said: str) -> None:
    answered = reply(Q._replace(answer=-8.0), text)
    assert (answered.right, answered.text) == (right, said)


def test_an_answer_of_too_few_digits_is_told_from_a_wrong_one() -> None:
    told = reply(Q._replace(answer=-0.756802), "-0.8")
    assert (told.right, told.text) == (False, "−0.8 has too few digits: it is −0.756802")
    assert reply(Q._replace(answer=-0.756802), "-0.76").right


def test_slack_is_for_numbers_that_were_rounded() -> None:
    exact = Q._replace(answer=0.030361638933261298)
    assert not exact.holds("0.0303625")
    assert exact._replace(slack=1e-6).holds("0.0303625")
    assert not exact._replace(slack=1e-6).holds("0.0305")


def test_the_score_gathers_what_was_missed() -> None:
    score = Score()
    found = questions(record_scenario("two_layer"), 100)
    for question in found:
        score = score.plus(question, reply(question, "?" if question.about == "relu" else "-4"))
    missed = score.again()
    assert str(score) == f"score {score.right}/{len(found)}"
    assert sum(map(len, missed)) == len(found) - score.right
    assert [len(each) for each in missed] == sorted(map(len, missed), reverse=True)
    assert all(len({(q.about, q.kind) for q in each}) == 1 for each in missed)
    assert [each[0].about for each in missed if each[0].about == "relu"] == ["relu"] * 3


def test_rules_come_from_the_op_table() -> None:
    found = {question.prompt: question.answer for question in rules()}
    assert found["5 arrives at 3 + 4. What gradient does the 3 receive?"] == 5
    assert found["2 arrives at 3·4. What gradient does the 3 receive?"] == 8
    assert found["7 arrives at relu(−1). What gradient does the −1 receive?"] == 0
    assert found["1 arrives at 3². What gradient does the 3 receive?"] == 6
    assert len(found) == len(rules())


def test_a_shut_gate_selects_and_does_not_multiply() -> None:
    told = {question.prompt.partition(". ")[0]: question.explanation for question in rules()}
    assert told["7 arrives at relu(0.5)"].endswith("7·1 = 7.")
    for prompt in ("7 arrives at relu(−1)", "4 arrives at max(2, 5)"):
        assert told[prompt].endswith("A shut gate sends back 0, whatever arrives.")
