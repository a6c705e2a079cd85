"""`stepgrad quiz`: predict the numbers before they are shown."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout

import click

from stepgrad.cli.arguments import ARGUMENTS, MEMORY, FileCommand
from stepgrad.headless import narration
from stepgrad.opening import open_typed
from stepgrad.recording.recording import Recording
from stepgrad.replay.quiz.answers import AnswerError, Question, Reply, Score, reply
from stepgrad.replay.quiz.questions import questions
from stepgrad.replay.quiz.rules import rules

BRIEFLY = 5
"""So many events are told before a question: the last ones, where more have happened."""


@click.command(cls=FileCommand)
@click.argument("file", metavar="[FILE]", required=False)
@ARGUMENTS
@click.option(
    "--questions",
    "most",
    metavar="N",
    type=click.IntRange(min=1),
    default=15,
    help="Ask so many questions at the most; 15 without it.",
)
@click.option("--answers", metavar="ANSWERS", help="Take these, with spaces between: '7 14 1/3'.")
@MEMORY
def quiz(
    file: str | None,
    arguments: tuple[str, ...],
    *,
    most: int,
    answers: str | None,
    memory: int | None,
) -> None:
    """Predict the numbers of FILE before they are shown; without one, answer rules of thumb.

    Of a training, its first and its last step are asked about.

    An answer counts to the digits that it gives, of which it takes one or two: 0.46 is right for
    0.4621, 0.5 too rough. `?` shows the number, `q`, Ctrl+D or Ctrl+C ends. Options stand before
    the name of a program.

    With --answers nothing is asked: the exit status is 1 unless there are as many as questions,
    and all are right.

    \b
      stepgrad quiz
      stepgrad quiz two_layer
      stepgrad quiz two_layer --questions 3 --answers "1.5 -4 -24"
    """  # fmt: skip
    recording, status = None, 0
    if file is not None:
        with redirect_stdout(sys.stderr):
            opened = open_typed(file, arguments, memory)
        recording, status = opened.recording, opened.status
    asked = (rules() if recording is None else questions(recording, most))[:most]
    if not asked:
        click.echo(f"{file}: there is nothing to predict", err=True)
        sys.exit(status or 2)
    given = answers.split() if answers is not None else None
    if given is None:
        score = _hold(recording, asked, _typed(), reply)
    else:
        score = _hold(recording, asked, _told(given), _strictly)
    left = len(asked) - len(score.asked)
    click.echo(f"\n{score.right} of {len(asked)} right{f', {left} not answered' if left else ''}")
    for missed in score.again():
        click.echo(_again(missed, [*([file] if file else []), *arguments]))
    if given is not None:
        if len(given) != len(asked):
            click.echo(f"{_count(given, 'answer')} for {_count(asked, 'question')}", err=True)
        status = status or int(len(given) != len(asked) or score.right < len(asked))
    sys.exit(status)


def _typed() -> Iterator[str]:
    """Yield what a person types, up to the end."""
    while sys.stdin is not None:
        try:
            yield input("> ")
        except (EOFError, KeyboardInterrupt):
            click.echo()
            return


def _told(answers: Sequence[str]) -> Iterator[str]:
    """Yield answers as if they were typed."""
    for answer in answers:
        click.echo(f"> {answer}")
        yield answer


_Answer = Callable[[Question, str], Reply]


def _strictly(question: Question, answer: str) -> Reply:
    """Judge what nobody can be asked again: what is no number is wrong."""
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
    """Ask questions until they, or the answers, are at an end."""
    score = Score()
    told = 0
    for place, question in enumerate(asked, 1):
        click.echo()
        if recording is not None and question.position is not None:
            _recall(recording, told, question.position)
            more = place < len(asked) and asked[place].position == question.position
            told = question.position + (not more)  # what is still asked of an event is not told
        click.echo(f"{place}/{len(asked)}  {question.prompt}")
        answered = _replied(question, answers, reply)
        if answered is None:
            break
        click.echo(f"{answered.text}\n    {question.explanation}")
        score = score.plus(question, answered)
    return score


def _recall(recording: Recording, start: int, stop: int) -> None:
    """Tell what has happened since the last question."""
    if stop - start > BRIEFLY:
        click.echo(f"    … {stop - BRIEFLY - start} before")
    for line in narration(recording, max(start, stop - BRIEFLY), stop):
        click.echo(f"    {line}")


def _replied(question: Question, answers: Iterator[str], reply: _Answer) -> Reply | None:
    """Wait for an answer; None where a person has had enough."""
    for answer in answers:
        if answer.strip().lower() == "q":
            return None
        try:
            return reply(question, answer)
        except AnswerError as error:
            click.echo(f"{error}; ? shows it, q ends")
    return None


def _again(missed: Sequence[Question], typed: Sequence[str]) -> str:
    """Say what to look at again, and what shows it."""
    first = missed[0]
    if first.position is None:
        told = dict.fromkeys(f"\n    {each.explanation}" for each in missed)
        return f"look at again: {first.about}{''.join(told)}"
    places = [str(each.position + 1) for each in missed if each.position is not None]
    events = f"event{'s' * (len(places) > 1)} {', '.join(places)}"
    shows = f"stepgrad run --to {places[0]} {shlex.join(typed)}"
    return f"look at again: {first.about} ({first.kind}), {events}\n    {shows}"


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'s' * (len(things) != 1)}"
