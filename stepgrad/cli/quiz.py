"""`stepgrad quiz`: predict the numbers before they are shown."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout, suppress
from typing import NoReturn

import click

from stepgrad.cli.arguments import ARGUMENTS, FileCommand
from stepgrad.cli.asking import Typed, scripted
from stepgrad.cli.destination import Destination
from stepgrad.cli.output import echo, echo_json, echo_lines, echo_wrapped
from stepgrad.cli.prose import ask_in_words
from stepgrad.cli.selecting import HOW
from stepgrad.cli.sitting import as_object, hold, once, summary
from stepgrad.course.answers import Answers, save_answers
from stepgrad.course.folder import Home, home
from stepgrad.course.grading import asked_of_programs, has_exercises, pose_for
from stepgrad.course.progress import Mark, Progress
from stepgrad.course.state import ProgressError, keep, read_progress
from stepgrad.headless import narration
from stepgrad.opening import (
    SELECTING,
    USUAL,
    How,
    course_typed,
    folder_of,
    is_course,
    is_scenario,
    open_typed,
    words_of,
)
from stepgrad.printable import counted
from stepgrad.recording.recording import Recording
from stepgrad.replay.quiz.answers import AnswerError, Question, Reply, Score, reply
from stepgrad.replay.quiz.prose import Prose, prose
from stepgrad.replay.quiz.questions import questions
from stepgrad.replay.quiz.rules import rules
from stepgrad.scenario import ScenarioFile, lesson_name, locate

BRIEFLY = 5
"""The most events shown before a question; of more, the last ones."""

_MOST = 15

_COUNT = click.IntRange(min=1)
_COUNT.name = "whole number"  # as errors call it


@click.command(cls=FileCommand)
@click.argument("file", metavar="[FILE]", required=False)
@ARGUMENTS
@click.option(
    "--questions",
    "most",
    metavar="N",
    type=_COUNT,
    help="Ask at most N questions, and no exercises; 15 by default.",
)
@click.option("--answers", metavar="ANSWERS", help="Use these, separated by spaces: '7 14 1/3'.")
@click.option("--student", metavar="NAME", default="", help="Draw the numbers of this student.")
@click.option("--save", metavar="ANSWERS", help="Save what is typed, for `stepgrad grade`.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@HOW
def quiz(  # noqa: PLR0913 - one for each option
    file: str | None,
    arguments: tuple[str, ...],
    *,
    most: int | None,
    answers: str | None,
    student: str,
    save: str | None,
    as_json: bool,
    how: How,
) -> None:
    """Predict numbers before they are shown, or do the exercises of a scenario.

    The numbers are those of FILE; without FILE, the questions are rules of thumb. For training,
    they are about its first and its last step. If FILE has exercises, they are asked instead,
    unless --questions is given: `hint` gives a hint, and after three wrong answers the right one
    is shown. --student, --save and --json are for exercises. If FILE is a folder, that is the first
    of its lessons with exercises that has no full score yet.

    An answer is judged to the digits that it gives, but must be within 5%: for 0.4621, 0.46 is
    right and 0.5 is too rough. `?` shows the number; `q`, Ctrl+D or Ctrl+C quits. Options go
    before the name of a program.

    Some questions are in words: think of an answer, look at ours, and rate yours.

    The best score of a lesson that ships is kept, and shown in the list of lessons. With --answers,
    nothing is asked or kept, and the exit status is 1 unless every question has an answer
    and all are right.

    \b
      stepgrad quiz
      stepgrad quiz two_layer
      stepgrad quiz two_layer --questions 3 --answers "1.5 -4 -24"
      stepgrad quiz relu_gate --student Ann --save ann.json
    """  # fmt: skip
    given = answers.split() if answers is not None else None
    typed = Typed()
    place = None
    if file is not None and is_course(file):
        file, place = _next_of(file)
        echo(f"{file}:", err=as_json)
    exercises = file is not None and most is None and is_scenario(file) and has_exercises(file)
    if how != USUAL and (file is None or exercises):
        raise click.UsageError(f"--memory, {SELECTING} are for questions about a FILE")
    if file is not None and exercises:
        _exercise(file, student, given, typed, place, save=save, as_json=as_json)
    if student or save or as_json:
        raise click.UsageError("--student, --save and --json are for a FILE with exercises")
    recording, asked, status = _opened(file, arguments, how, most=most or _MOST)
    if given is None:
        score = _hold(recording, asked, typed, reply)
    else:
        score = _hold(recording, asked, scripted(given), _strictly)
    left = len(asked) - len(score.asked)
    echo()
    echo(f"{score.right} of {len(asked)} right{f', {left} not answered' if left else ''}")
    if file is not None and given is None and score.asked:
        _keep(place or home(locate(file)), Mark(right=score.right, asked=len(asked)))
    for missed in score.again():
        _review(missed, [*(words_of(file) if file else []), *arguments])
    if given is None and not left:
        ask_in_words(_prose(file), typed)
    if given is not None:
        status = status or _judged(given, score.right, len(asked), "question")
    sys.exit(128 + signal.SIGINT if typed.interrupted else status)


def _next_of(folder: str) -> tuple[str, Home]:
    """Return what to type for the lesson of a course that is asked about, and its place.

    That is the first with exercises, or of all if none has any, without a full score.
    """
    course = course_typed(folder)
    progress = Progress()
    with suppress(ProgressError):  # whoever keeps the score says it
        progress = read_progress(course.kept)
    exercised = [
        name
        for name, file in course.lessons.items()
        if isinstance(file, ScenarioFile) and file.model.exercises
    ]
    names = exercised or course.names
    marks = {name: progress.mark(name) for name in names}
    left = (name for name, mark in marks.items() if not mark.asked or mark.right < mark.asked)
    name = next(left, names[0])
    return course.typed(name), Home(name, course.kept, folder_of(folder))


def _exercise(  # noqa: PLR0913 - one for each option
    file: str,
    student: str,
    given: Sequence[str] | None,
    typed: Typed,
    place: Home | None,
    *,
    save: str | None,
    as_json: bool,
) -> NoReturn:
    """Ask the exercises of a scenario, keep the score and the answers, and end the command."""
    where = None if save is None else Destination.of(save, [file])
    typed.quiet = as_json

    def say(text: object) -> None:
        echo_wrapped(text, err=as_json)

    sitting = pose_for(file, student)
    sitting = hold(sitting, typed, say) if given is None else once(sitting, given, say)
    say(f"\n{summary(sitting)}\n{asked_of_programs(file)}".rstrip())
    if where is not None:
        lines = tuple(work.lines for work in sitting.works)
        save_answers(where.path, Answers(file, student, lines))
    if as_json:
        echo_json(as_object(file, student, sitting))
    right = sum(work.right for work in sitting.works)
    if given is None and sitting.works:
        _keep(place or home(locate(file)), Mark(right=right, asked=len(sitting.tasks)))
    status = 0 if given is None else _judged(given, right, len(sitting.tasks), "exercise")
    sys.exit(128 + signal.SIGINT if typed.interrupted else status)


def _judged(given: Sequence[str], right: int, asked: int, what: str) -> int:
    """Return the exit status for given answers: 0 if there is one for each, and all are right."""
    if len(given) != asked:
        echo(f"{counted(len(given), 'answer')} for {counted(asked, what)}", err=True)
    return int(len(given) != asked or right < asked)


def _opened(
    file: str | None, arguments: tuple[str, ...], how: How, *, most: int
) -> tuple[Recording | None, Sequence[Question], int]:
    """Return what is asked about, the questions, and the exit status of a program.

    Ends the command if there is nothing to ask.
    """
    recording, status = None, 0
    if file is not None:
        with redirect_stdout(sys.stderr):
            opened = open_typed(file, arguments, how)
        recording, status = opened.recording, opened.status
    asked = (rules() if recording is None else questions(recording, most))[:most]
    if not asked:
        echo(f"{file}: nothing to predict", err=True)
        sys.exit(status or 2)
    return recording, asked, status


def _prose(file: str | None) -> Sequence[Prose]:
    """Return the questions in words: those about a lesson that ships, or all of them."""
    if file is None:
        return prose()
    name = lesson_name(locate(file))
    return [] if name is None else prose(name)


def _keep(place: Home | None, mark: Mark) -> None:
    """Keep the score of a lesson, if it is in a course."""
    if place is not None:
        try:
            keep(place.lesson, mark, place.kept)
        except ProgressError as error:
            echo_lines(error, err=True)


_Answer = Callable[[Question, str], Reply]


def _strictly(question: Question, answer: str) -> Reply:
    """Judge an answer that cannot be asked for again: what is not a number is wrong."""
    try:
        return reply(question, answer)
    except AnswerError as error:
        return Reply(False, str(error))


def _hold(
    recording: Recording | None,
    asked: Sequence[Question],
    answers: Iterator[str],
    reply: _Answer,
) -> Score:
    """Ask until the questions or the answers run out."""
    score = Score()
    shown = 0
    for place, question in enumerate(asked, 1):
        echo()
        if recording is not None and question.position is not None:
            _recall(recording, shown, question.position)
            more = place < len(asked) and asked[place].position == question.position
            shown = question.position + (not more)  # an event stays hidden until its last question
        echo_wrapped(f"{place}/{len(asked)}  {question.prompt}")
        answered = _replied(question, answers, reply)
        if answered is None:
            break
        echo_wrapped(f"{answered.text}\n    {question.explanation}")
        score = score.plus(question, answered)
    return score


def _recall(recording: Recording, start: int, stop: int) -> None:
    """Show what has happened since the last question."""
    if stop - start > BRIEFLY:
        more = stop - BRIEFLY - start
        echo(f"    … {counted(more, 'earlier event')}")
    for line in narration(recording, max(start, stop - BRIEFLY), stop):
        echo_wrapped(f"    {line}", hanging=8)


def _replied(question: Question, answers: Iterator[str], reply: _Answer) -> Reply | None:
    """Wait for an answer; None if the person quits."""
    for answer in answers:
        if answer.strip().lower() == "q":
            return None
        try:
            return reply(question, answer)
        except AnswerError as error:
            echo_wrapped(f"{error}; ? shows the answer, q quits")
    return None


def _review(missed: Sequence[Question], typed: Sequence[str]) -> None:
    """Say what to review, and where."""
    first = missed[0]
    if first.position is None:
        rules = dict.fromkeys(f"\n    {each.explanation}" for each in missed)
        echo_wrapped(f"review: {first.about}{''.join(rules)}")
        return
    places = [str(each.position + 1) for each in missed if each.position is not None]
    events = f"event{'s' * (len(places) > 1)} {', '.join(places)}"
    echo_wrapped(f"review: {first.about} ({first.kind}), {events}")
    echo(f"    stepgrad run --at {places[0]} {shlex.join(typed)}")  # whole, to be copied
