"""Predict mode: the next number is asked for before it is shown.

At the start, the exercises of a scenario come first.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from stepgrad.errors import StepgradError
from stepgrad.numbers import number
from stepgrad.recording import events
from stepgrad.replay.commands.hints import key
from stepgrad.replay.quiz.answers import UNKNOWN, Question, Score, reply
from stepgrad.replay.quiz.questions import question_at
from stepgrad.replay.quiz.tasks import OFFERED, Sitting, Task
from stepgrad.replay.session import Session

NOTHING_LEFT = f"nothing is left to predict: {key('start')} goes to the start"

NUMBER = "a number, such as 0.25, 2e-3 or 1/3; ? shows it"
"""What to type for a number."""


def ask(session: Session) -> tuple[Session, str]:
    """Go to the event of the next number, and return what to ask; nothing at the end.

    From there on, whatever would give the answer away is hidden.
    """
    session = _seated(session)
    if sitting := _open(session):
        task = sitting.task
        place = f"exercise {sitting.place + 1}/{len(sitting.tasks)}: "
        more = f" ({OFFERED})" if task.hints else ""
        return session, f"{place}{task.given}{'. ' * bool(task.given)}{task.prompt}{more}"
    there, question = _next(session)
    return there, question.prompt if question else ""


def form(session: Session) -> str:
    """Say what to type: for an exercise, its own words."""
    sitting = _open(session)
    return sitting.task.form if sitting and sitting.task.form else NUMBER


def predict(session: Session, text: str) -> Session:
    """Check the prediction of the next number, score it, and go to the event.

    Asking to see the number does not score. An exercise is answered where it is asked.

    Raises:
        AnswerError: it is not a number, or not what the exercise asks for.
    """
    session = _seated(session)
    if sitting := _open(session):
        return _exercised(session, sitting, text)
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


def _seated(session: Session) -> Session:
    """Make the tasks of the scenario when they are first asked for.

    `stepgrad quiz` says what is wrong with one; here predictions still work.
    """
    if session.sitting is not None or session.program is None:
        return session
    tasks: Sequence[Task] = ()
    with suppress(StepgradError):
        tasks = session.program.exercises()
    return replace(session, sitting=Sitting(tasks))


def _open(session: Session) -> Sitting | None:
    """Return the exercises where they are asked: at the start, until they are done."""
    sitting = session.sitting
    asked = sitting is not None and not sitting.over and session.cursor.position == 0
    return sitting if asked else None


def _exercised(session: Session, sitting: Sitting, text: str) -> Session:
    """Take an answer to an exercise, and say what to press for the next one."""
    after, said = sitting.after(text)
    again = "again" if after.place == sitting.place else "for the next"
    onward = f"{key('predict')} {again}"
    if after.over:
        onward = f"mark {number(after.mark)}/{len(after.tasks)}"
    return session.say(f"{said} ({onward})", sitting=after)


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
