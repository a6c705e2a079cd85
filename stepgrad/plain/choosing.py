"""The list of lessons by ear: what it says, and which lesson a typed line means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stepgrad.course.lessons import Course
from stepgrad.course.progress import Mark, Progress
from stepgrad.errors import suggest
from stepgrad.plain.words import sentence
from stepgrad.replay.telling.spoken import read_out, spoken

HOW = (
    "Type the number or the name of a lesson, or a part of its title. "
    "An empty line reads the list, q leaves."
)


def list_told(course: Course, progress: Progress) -> Iterator[str]:
    """Say the lessons heading by heading, what was done of them, and how to open one."""
    for heading, names in course.grouped(course.names):
        yield read_out(f"Lessons, {heading}:" if heading != "lessons" else "Lessons:")
        yield from (_told(course, name, progress.mark(name)) for name in names)
    if current := progress.current(course.names):
        yield sentence(f"continue opens {spoken(current)}")
    yield HOW


def choose(course: Course, line: str, progress: Progress) -> tuple[str | None, Sequence[str]]:
    """Return the name of the lesson that a line means; if there is none, what to say instead."""
    text, names = line.strip().casefold(), course.names
    if not text:
        return None, [*list_told(course, progress)]
    if text == "continue" and (current := progress.current(names)):
        return current, ()
    if text.isdecimal() and len(text) < 5:
        number = int(text)
        if 0 < number <= len(names):
            return names[number - 1], ()
        return None, [f"There is no lesson {number}: the last one is {len(names)}.", HOW]
    called = [name for name in names if text in (name, spoken(name))]
    entitled = [name for name in names if text in course.lessons[name].title.casefold()]
    found = called or entitled or [name for name in names if text in spoken(name)]
    if len(found) == 1:
        return found[0], ()
    if found:
        told = (_told(course, name, progress.mark(name)) for name in found)
        return None, [f"{len(found)} lessons match.", *told]
    return None, [f"No lesson matches {read_out(line)[:80]}{read_out(suggest(text, names))}.", HOW]


def _told(course: Course, name: str, mark: Mark) -> str:
    number, title = course.names.index(name) + 1, course.lessons[name].title
    done = "; done" if mark.done else "; seen" if mark.seen else ""
    score = f", {mark.right} of {mark.asked} predictions right" if mark.asked else ""
    return sentence(f"{number}, {spoken(name)}: {read_out(title)}{done}{score}")
