"""`stepgrad quiz`: predict the numbers before they are shown."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from io import TextIOWrapper

import click

from stepgrad.cli.arguments import ARGUMENTS, MEMORY, FileCommand
from stepgrad.cli.output import echo, echo_lines
from stepgrad.cli.selecting import SELECTION
from stepgrad.course.progress import Mark
from stepgrad.course.state import ProgressError, keep
from stepgrad.headless import narration
from stepgrad.opening import open_typed, words_of
from stepgrad.printable import printable
from stepgrad.program import Selection
from stepgrad.recording.recording import Recording
from stepgrad.replay.quiz.answers import AnswerError, Question, Reply, Score, reply
from stepgrad.replay.quiz.questions import questions
from stepgrad.replay.quiz.rules import rules
from stepgrad.scenario import lesson_name, locate

BRIEFLY = 5
"""The most events shown before a question; of more, the last ones."""

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
    default=15,
    help="Ask at most N questions; 15 by default.",
)
@click.option("--answers", metavar="ANSWERS", help="Use these, separated by spaces: '7 14 1/3'.")
@MEMORY
@SELECTION
def quiz(  # noqa: PLR0913 - one for each option
    file: str | None,
    arguments: tuple[str, ...],
    *,
    most: int,
    answers: str | None,
    memory: int | None,
    selection: Selection,
) -> None:
    """Predict numbers before they are shown.

    The numbers are those of FILE; without FILE, the questions are rules of thumb. For training,
    they are about its first and its last step.

    An answer is judged to the digits that it gives, but must be within 5%: for 0.4621, 0.46 is
    right and 0.5 is too rough. `?` shows the number; `q`, Ctrl+D or Ctrl+C quits. Options go
    before the name of a program.

    The best score of a lesson that ships is kept, and shown in the list of lessons. With --answers,
    nothing is asked or kept, and the exit status is 1 unless every question has an answer
    and all are right.

    \b
      stepgrad quiz
      stepgrad quiz two_layer
      stepgrad quiz two_layer --questions 3 --answers "1.5 -4 -24"
    """  # fmt: skip
    recording, asked, status = _opened(file, arguments, memory, selection, most=most)
    given = answers.split() if answers is not None else None
    typed = _Typed()
    if given is None:
        score = _hold(recording, asked, typed, reply)
    else:
        score = _hold(recording, asked, _scripted(given), _strictly)
    left = len(asked) - len(score.asked)
    echo()
    echo(f"{score.right} of {len(asked)} right{f', {left} not answered' if left else ''}")
    if file is not None and given is None and score.asked:
        _keep(file, Mark(right=score.right, asked=len(asked)))
    for missed in score.again():
        echo_lines(_again(missed, [*(words_of(file) if file else []), *arguments]))
    if given is not None:
        if len(given) != len(asked):
            echo(f"{_count(given, 'answer')} for {_count(asked, 'question')}", err=True)
        status = status or int(len(given) != len(asked) or score.right < len(asked))
    sys.exit(128 + signal.SIGINT if typed.interrupted else status)


def _opened(
    file: str | None,
    arguments: tuple[str, ...],
    memory: int | None,
    selection: Selection,
    *,
    most: int,
) -> tuple[Recording | None, Sequence[Question], int]:
    """Return what is asked about, the questions, and the exit status of a program.

    Ends the command if there is nothing to ask.
    """
    recording, status = None, 0
    if file is not None:
        with redirect_stdout(sys.stderr):
            opened = open_typed(file, arguments, memory, selection=selection)
        recording, status = opened.recording, opened.status
    asked = (rules() if recording is None else questions(recording, most))[:most]
    if not asked:
        echo(f"{file}: nothing to predict", err=True)
        sys.exit(status or 2)
    return recording, asked, status


def _keep(file: str, mark: Mark) -> None:
    """Keep the score of a lesson of the course."""
    name = lesson_name(locate(file))
    if name is not None:
        try:
            keep(name, mark)
        except ProgressError as error:
            echo_lines(error, err=True)


class _Typed(Iterator[str]):
    """What a person types, up to the end, or to Ctrl+C."""

    def __init__(self) -> None:
        self.interrupted = False
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")

    def __next__(self) -> str:
        if sys.stdin is None:
            raise StopIteration
        line = ""
        try:
            echo("> ", end="")  # not by `input`, which needs all three streams
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            self.interrupted = True
        if not line:
            echo()
            raise StopIteration
        return line


def _scripted(answers: Sequence[str]) -> Iterator[str]:
    """Yield answers as if they were typed."""
    for answer in answers:
        echo(f"> {answer}")
        yield answer


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
        echo(f"{place}/{len(asked)}  {question.prompt}")
        answered = _replied(question, answers, reply)
        if answered is None:
            break
        echo_lines(f"{answered.text}\n    {question.explanation}")
        score = score.plus(question, answered)
    return score


def _recall(recording: Recording, start: int, stop: int) -> None:
    """Show what has happened since the last question."""
    if stop - start > BRIEFLY:
        more = stop - BRIEFLY - start
        echo(f"    … {more} earlier event{'s' * (more != 1)}")
    for line in narration(recording, max(start, stop - BRIEFLY), stop):
        echo(f"    {line}")


def _replied(question: Question, answers: Iterator[str], reply: _Answer) -> Reply | None:
    """Wait for an answer; None if the person quits."""
    for answer in answers:
        if answer.strip().lower() == "q":
            return None
        try:
            return reply(question, answer)
        except AnswerError as error:
            echo(f"{error}; ? shows the answer, q quits")
    return None


def _again(missed: Sequence[Question], typed: Sequence[str]) -> str:
    """Say what to review, and where."""
    first = missed[0]
    if first.position is None:
        rules = dict.fromkeys(f"\n    {each.explanation}" for each in missed)
        return f"review: {first.about}{''.join(rules)}"
    places = [str(each.position + 1) for each in missed if each.position is not None]
    events = f"event{'s' * (len(places) > 1)} {', '.join(places)}"
    shows = f"stepgrad run --to {places[0]} {printable(shlex.join(typed))}"
    return f"review: {first.about} ({first.kind}), {events}\n    {shows}"


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'s' * (len(things) != 1)}"
