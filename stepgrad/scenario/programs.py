"""Lessons that are programs: what they say about themselves.

A program is a lesson if a comment in it says where it belongs among the others:

    # lesson: {level: advanced, order: 525, after: [sum_over_paths], fails: true}

There it says, too, whether `stepgrad check` fails, which verdicts it gets (`verdicts: [dead]`), and
which package it `needs` to be listed.
The first line of its docstring is the title, and the rest the text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from stepgrad.recording.recording import Source
from stepgrad.scenario.after import check_after
from stepgrad.scenario.form.reading import Reading
from stepgrad.scenario.form.sections import Lesson, ProgramHeader
from stepgrad.scenario.text import Problems
from stepgrad.scenario.text import Source as YamlSource
from stepgrad.scenario.yaml.document import Data, Key

_HEADER = re.compile(r"^# lesson: (\{.*\})$", re.MULTILINE)
_VERDICTS = re.compile(r"\bverdicts: \[([^]]*)\]")
_NEEDS = re.compile(r"^# lesson: \{.*\bneeds: (\w+)", re.MULTILINE)
_FAILS = re.compile(r"\bfails: true\b")


class ProgramFile(NamedTuple):
    """A program that is a lesson: where it is, and what it says, as `ScenarioFile` has it."""

    path: Path
    model: Lesson

    @property
    def title(self) -> str:
        """The title, one line."""
        return self.model.title

    @property
    def lesson(self) -> str:
        """The lesson, Markdown."""
        return self.model.lesson

    @property
    def fails(self) -> bool:
        """Whether it shows a mistake that `stepgrad check` finds."""
        return meant_to_fail(self.path.read_text(encoding="utf-8"))


def titled(docstring: str) -> tuple[str, str]:
    """Split a docstring into title and text."""
    title, _, text = docstring.partition("\n")
    return title.rstrip("."), text.strip()


def is_lesson(text: str) -> bool:
    """Whether a program says that it is a lesson."""
    return _HEADER.search(text) is not None


def runs_here(text: str) -> bool:
    """Whether what a lesson needs is installed."""
    needed = _NEEDS.search(text)
    return needed is None or find_spec(needed[1]) is not None


def meant_to_fail(text: str) -> bool:
    """Whether a program says that it is a lesson about a mistake that `stepgrad check` finds."""
    header = _HEADER.search(text)
    return header is not None and _FAILS.search(header[1]) is not None


def promised_verdicts(text: str) -> Sequence[str] | None:
    """Return the verdicts that a program says it gets; None if it says nothing about them."""
    header = _HEADER.search(text)
    listed = header and _VERDICTS.search(header[1])
    return re.findall(r"\w+", listed[1]) if listed else None


def read_lesson(path: Path, lessons: Collection[str]) -> ProgramFile:
    """Read what a program that is a lesson says of itself; `lessons` are what it can build on.

    Raises:
        ScenarioError: with everything that is wrong with it.
    """
    from stepgrad.scenario.yaml.compose import compose  # noqa: PLC0415 - yaml is slow

    text = path.read_text(encoding="utf-8")
    header = _HEADER.search(text)
    assert header is not None, "it is a lesson"
    # The rest of the file is blank, so that places in the YAML are those in the file.
    blank = re.sub(r"[^\n]", " ", text[: header.start(1)])
    source = YamlSource(path, blank + header[1])
    problems = Problems(source)
    document = compose(source, problems)
    title, lesson = titled(Source(str(path), text).docstring)
    said: dict[Key, Data] = {"title": title or path.stem, "lesson": lesson}
    model: Lesson | None = None
    if isinstance(document.data, dict):
        model = Reading(document, problems).read(ProgramHeader, {**document.data, **said}, ())
    check_after(document, lessons, problems)
    problems.raise_if_any()
    assert model is not None, "a header that is not one has problems"
    return ProgramFile(path, model)
