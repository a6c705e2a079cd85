"""Each lesson, followed by its own keys: it comes to its end, and says what the screen shows.

A number of a step that asks for something is on the screen while that step is the current one. A
number of any other step is somewhere on the way of the lesson, or in its run without edits.
A number in italics or in words is prose: it is not on the screen, and nothing says that it is.
"""

from __future__ import annotations

import re

import pytest

from followed import CODE, Learner, screen
from shelf import COURSE
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.session import Session

MINUS = "−"
NUMBER = re.compile(r"(?<![\w.,])(?:(?<![\w)])[−-](?=\d))?\d+(?:,\d{3})*(?:\.\d+)?(?:e[−-]?\d+)?")
PROSE = re.compile(r"(?<!\*)\*(?!\*)[^*]+\*(?!\*)")
AHEAD = 60
"""How many events of a run are looked through for the numbers of a step that only tells."""


def numbers(text: str) -> list[str]:
    """The numbers in a text, as they are written."""
    return NUMBER.findall(text)


def said(markdown: str) -> str:
    """What a step says that the screen shows: no code, no prose, not the number of an item."""
    return PROSE.sub("", CODE.sub(" ", re.sub(r"^\d+\. ", "", markdown)))


def value(written: str) -> float:
    return float(written.replace(MINUS, "-").replace(",", ""))


def agrees(written: str, shown: set[float]) -> bool:
    """Whether a number is shown; decimals may be rounded, whole numbers not."""
    x = value(written)
    mantissa, _, exponent = written.partition("e")
    decimals = len(mantissa.partition(".")[2])
    unit = 10.0 ** (value(exponent or "0") - decimals)
    slack = unit / 2 * (1 + 1e-9) if decimals or exponent else 0
    return any(abs(x - other) <= slack for other in shown)


def read(text: str) -> set[float]:
    """The numbers that a text shows."""
    return {value(each) for each in numbers(text)}


def run(session: Session) -> str:
    """What the screen shows in the course of a run, but for the keys of its lesson."""
    recording = session.recording
    ends = {*range(min(recording.length, AHEAD)), recording.length}
    return "\n".join(screen(Session.open(Cursor(recording, end))) for end in sorted(ends))


@pytest.mark.parametrize("name", COURSE)
def test_a_lesson_ends_by_its_own_keys_and_says_what_the_screen_shows(name: str) -> None:
    learner = Learner(COURSE[name])
    opened = learner.session
    steps = list(learner.follow())
    assert learner.lesson.done
    way = read("\n".join(each.shown for each in steps))
    wrong = []
    for each in steps:
        prose = said(each.step.markdown)
        shown = read(each.shown) if each.step.demands else way
        missing = [n for n in numbers(prose) if not agrees(n, shown)]
        if missing and not each.step.demands:
            way |= read(run(opened))
            missing = [n for n in missing if not agrees(n, way)]
        wrong += [f"{n} in: {each.step.markdown}" for n in missing]
    assert wrong == []
