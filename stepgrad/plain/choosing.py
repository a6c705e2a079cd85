"""The list of lessons by ear: what it says, and which lesson a typed line means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from stepgrad.course.progress import Mark, Progress
from stepgrad.errors import suggest
from stepgrad.plain.words import sentence
from stepgrad.replay.telling.spoken import read_out, spoken
from stepgrad.scenario import ProgramFile, ScenarioFile

Lessons = Mapping[str, ScenarioFile | ProgramFile]

HOW = (
    "Type the number or the name of a lesson, or a part of its title. "
    "An empty line reads the list, q leaves."
)


def list_told(lessons: Lessons, progress: Progress) -> Iterator[str]:
    """Say the lessons level by level, what was done of them, and how to open one."""
    numbered = enumerate(lessons.items(), 1)
    for level, group in groupby(numbered, lambda each: each[1][1].model.level):
        yield f"Lessons, {level or 'other'}:"
        yield from (
            _told(number, name, file, progress.mark(name)) for number, (name, file) in group
        )
    if current := progress.current([*lessons]):
        yield sentence(f"continue opens {spoken(current)}")
    yield HOW


def choose(lessons: Lessons, line: str, progress: Progress) -> tuple[str | None, Sequence[str]]:
    """Return the name of the lesson that a line means; if there is none, what to say instead."""
    text, names = line.strip().casefold(), list(lessons)
    if not text:
        return None, [*list_told(lessons, progress)]
    if text == "continue" and (current := progress.current(names)):
        return current, ()
    if text.isdecimal() and len(text) < 5:
        number = int(text)
        if 0 < number <= len(names):
            return names[number - 1], ()
        return None, [f"There is no lesson {number}: the last one is {len(names)}.", HOW]
    called = [name for name in names if text in (name, spoken(name))]
    entitled = [name for name in names if text in lessons[name].title.casefold()]
    found = called or entitled or [name for name in names if text in spoken(name)]
    if len(found) == 1:
        return found[0], ()
    if found:
        told = (
            _told(names.index(name) + 1, name, lessons[name], progress.mark(name)) for name in found
        )
        return None, [f"{len(found)} lessons match.", *told]
    return None, [f"No lesson matches {read_out(line)[:80]}{read_out(suggest(text, names))}.", HOW]


def _told(number: int, name: str, file: ScenarioFile | ProgramFile, mark: Mark) -> str:
    done = "; done" if mark.done else "; seen" if mark.seen else ""
    score = f", {mark.right} of {mark.asked} predictions right" if mark.asked else ""
    return sentence(f"{number}, {spoken(name)}: {read_out(file.title)}{done}{score}")
