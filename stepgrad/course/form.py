"""What a `course.yaml` may contain: the table of its fields, as `scenario.form.sections` has them.

What it demands of the files beside it is checked where these are known, in `lessons`.
"""

# There is no `from __future__ import annotations`: it would turn the annotations into text.

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from stepgrad.scenario.form.kinds import BARE, Called, Limits, Section
from stepgrad.scenario.form.sections import NOTHING

LessonName: TypeAlias = Annotated[str, Called("the name of a lesson"), Limits(minLength=1)]
LessonNames: TypeAlias = Annotated[tuple[LessonName, ...], BARE, Limits(minItems=1)]


class CourseForm(Section):
    """A course: its title, its lessons in order, and what they build on."""

    title: Annotated[str, Limits(minLength=1)]
    """What the course is called; progress is kept under it."""
    lessons: Annotated[
        Mapping[Annotated[str, Called("a heading")], LessonNames],
        Called("headings with their lessons, such as `Session 1: [gears, square]`"),
    ] = NOTHING
    """The lessons in order, below their headings: files of the folder, or lessons that ship.

    Without it, the lessons are all files of the folder, by level, order and name.
    """
    after: Mapping[LessonName, LessonNames] = NOTHING
    """By lesson, the lessons that it builds on, besides those that its own file names."""
