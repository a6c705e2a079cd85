"""Predict mode: the next number is asked before it is shown."""

from __future__ import annotations

from dataclasses import replace

from stepgrad.recording import events
from stepgrad.replay.quiz.answers import UNKNOWN, Question, Score, reply
from stepgrad.replay.quiz.questions import question_at
from stepgrad.replay.session import Session

NOTHING_LEFT = "nothing is left to predict here: g goes to the start"


def ask(session: Session) -> tuple[Session, str]:
    """Go to where the next number comes, and return what to ask there; nothing at the end.

    What would tell the answer is kept secret from then on.
    """
    there, question = _next(session)
    return there, question.prompt if question else ""


def predict(session: Session, text: str) -> Session:
    """Check what was predicted for the next number, count it, and go on to where it has come.

    Who asks to be shown it has not predicted: that does not count.

    Raises:
        AnswerError: it is no number.
    """
    there, question = _next(session)
    if question is None:
        return there
    answered = reply(question, text)
    score = there.score
    if text.strip() != UNKNOWN:
        score = score.plus(question, answered)
    told = f"{answered.text} · {score}" if score.asked else answered.text
    shown = there.go(there.cursor.step(), told)
    return replace(shown, score=score)


def _next(session: Session) -> tuple[Session, Question | None]:
    """Step over the events without a question; who begins anew, is counted anew."""
    recording, here = session.recording, session.cursor.position
    if here == 0:
        session = replace(session, score=Score())
    for position in range(here, recording.length):
        question = question_at(recording, position)
        if question is not None:
            event, skipped = recording.events[position], position - here
            said = f"{skipped} event{'s' * (skipped > 1)} stepped over" if skipped else session.said
            there = session.go(session.cursor.seek(position), said)
            secret = event.out if isinstance(event, events.Accumulate) else None
            return replace(there, secret=secret), question
    return session.say(NOTHING_LEFT), None
