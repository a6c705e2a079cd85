"""The exercises of a scenario, asked line by line in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from stepgrad.numbers import number
from stepgrad.printable import printable
from stepgrad.replay.quiz.answers import UNKNOWN, AnswerError
from stepgrad.replay.quiz.tasks import OFFERED, Sitting

Say = Callable[[object], None]


def hold(sitting: Sitting, typed: Iterator[str], say: Say) -> Sitting:
    """Ask until the exercises or the answers run out, or until someone types `q`."""
    given = ""
    while not sitting.over:
        asked, place = sitting.task, sitting.place
        more = f" ({OFFERED})" if asked.hints else ""
        say(f"{_posed(sitting, given)}{more}")
        given = asked.given
        for line in typed:
            if line.strip().casefold() == "q":
                return sitting
            try:
                sitting, said = sitting.after(line)
            except AnswerError as error:
                said = f"{error}; {UNKNOWN} shows the answer, q quits"
            say(said)
            if sitting.place != place:
                break
        else:
            return sitting
    return sitting


def once(sitting: Sitting, answers: Sequence[str], say: Say) -> Sitting:
    """Give one answer to each exercise; after a wrong one, show the right one."""
    given = ""
    for answer in answers:
        if sitting.over:
            break
        place = sitting.place
        say(f"{_posed(sitting, given)}\n> {printable(answer)}")
        given = sitting.task.given
        try:
            sitting, said = sitting.after(answer)
        except AnswerError as error:
            said = str(error)
        say(said)
        if sitting.place == place:
            sitting, said = sitting.after(UNKNOWN)
            say(said)
    return sitting


def _posed(sitting: Sitting, given: str) -> str:
    """Say what comes next, with the numbers to work with, unless they are those `given` before."""
    asked = sitting.task
    numbers = f"given: {asked.given}\n" if asked.given and asked.given != given else ""
    return f"\n{numbers}{sitting.place + 1}/{len(sitting.tasks)}  {asked.prompt}"


def summary(sitting: Sitting) -> str:
    """Say how many marks there are, and of how many."""
    right = sum(work.right for work in sitting.works)
    total = len(sitting.tasks)
    left = total - sum(work.over for work in sitting.works)
    more = f", {left} not answered" if left else ""
    return f"{right} of {total} right{more}; mark: {number(sitting.mark)} of {total}"


def as_object(file: str, student: str, sitting: Sitting) -> dict[str, Any]:
    """Return what was asked and answered, as one object."""
    works = [*sitting.works, *[None] * (len(sitting.tasks) - len(sitting.works))]
    return {
        "file": file,
        "student": student,
        "mark": sitting.mark,
        "of": len(sitting.tasks),
        "exercises": [
            {
                "exercise": task.prompt,
                "given": task.given,
                "lines": list(work.lines) if work else [],
                "right": bool(work and work.right),
                "hints": work.hints if work else 0,
                "wrong": work.wrong if work else 0,
                "mark": work.mark if work else 0.0,
            }
            for task, work in zip(sitting.tasks, works, strict=True)
        ],
    }
