"""Predict mode: the next number is asked for before it is shown."""

from __future__ import annotations

from dataclasses import replace

from stepgrad.recording import events
from stepgrad.replay.commands.hints import key
from stepgrad.replay.quiz.answers import UNKNOWN, Question, Score, reply
from stepgrad.replay.quiz.questions import question_at
from stepgrad.replay.session import Session

NOTHING_LEFT = f"nothing is left to predict: {key('start')} goes to the start"


def ask(session: Session) -> tuple[Session, str]:
    """Go to the event of the next number, and return what to ask; nothing at the end.

    From there on, whatever would give the answer away is hidden.
    """
    there, question = _next(session)
    return there, question.prompt if question else ""


def predict(session: Session, text: str) -> Session:
    """Check the prediction of the next number, score it, and go to the event.

    Asking to see the number does not score.

    Raises:
        AnswerError: it is not a number.
    """
    there, question = _next(session)
    if question is None:
        return there
    answered = reply(question, text)
    score = there.score
    if text.strip() != UNKNOWN:
        score = score.plus(question, answered)
    counted = f" · score {score.right}/{len(score.asked)}" if score.asked else ""
    shown = there.go(there.cursor.step(), answered.text + counted)
    return replace(shown, score=score)


def _next(session: Session) -> tuple[Session, Question | None]:
    """Skip the events without a question; starting over resets the score."""
    recording, here = session.recording, session.cursor.position
    if here == 0:
        session = replace(session, score=Score())
    for position in range(here, recording.length):
        question = question_at(recording, position)
        if question is not None:
            event, skipped = recording.events[position], position - here
            said = f"skipped {skipped} event{'s' * (skipped > 1)}" if skipped else session.said
            there = session.go(session.cursor.seek(position), said)
            secret = event.out if isinstance(event, events.Accumulate) else None
            return replace(there, secret=secret), question
    return session.say(NOTHING_LEFT), None
