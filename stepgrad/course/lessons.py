"""Lessons in the order in which to learn them: those that ship, or those of a folder.

A folder says by a `course.yaml` which lessons there are; `folder` reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from stepgrad.scenario import ProgramFile, ScenarioFile, gallery, lesson_name

LessonFile: TypeAlias = ScenarioFile | ProgramFile


class Course(NamedTuple):
    """Lessons by name, in order.

    Progress is kept as that of `kept`; `headings` are those of a `course.yaml`, by lesson, and
    `after` what it says that a lesson builds on.
    """

    title: str
    lessons: Mapping[str, LessonFile]
    kept: str = ""
    headings: Mapping[str, str] = MappingProxyType({})
    after: Mapping[str, Sequence[str]] = MappingProxyType({})

    @property
    def names(self) -> list[str]:
        """The names of the lessons, in order."""
        return list(self.lessons)

    def grouped(self, names: Iterable[str]) -> Iterator[tuple[str, Iterator[str]]]:
        """Yield some lessons in groups: what is above a group, and the names below it."""
        return groupby(names, self._heading)

    def _heading(self, name: str) -> str:
        if self.headings:
            return self.headings[name]
        levels = any(file.model.level for file in self.lessons.values())
        return self.lessons[name].model.level or ("other" if levels else "lessons")

    def before(self, name: str) -> list[str]:
        """Return the lessons of this course that one of them builds on."""
        said = [*self.lessons[name].model.after, *self.after.get(name, ())]
        return [each for each in dict.fromkeys(said) if each in self.lessons]

    def typed(self, name: str) -> str:
        """Return what to type for the FILE of a lesson."""
        path = self.lessons[name].path
        return lesson_name(path) or str(path)


def ours() -> Course:
    """Return the lessons that ship with stepgrad."""
    return Course("stepgrad", gallery())
