"""What a recording says of itself: a lesson, the docstring of a program, or nothing."""

from __future__ import annotations

from typing import NamedTuple

from stepgrad.recording.recording import Recording
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.programs import is_lesson, titled


class About(NamedTuple):
    """What a recording says of itself; a text that `guides` is a lesson, to be followed."""

    title: str
    text: str
    guides: bool


def about(recording: Recording, file: ScenarioFile | None) -> About:
    """Return what a recording of a scenario file, or of a program, says of itself."""
    if file is not None:
        return About(file.title, file.lesson, bool(file.lesson.strip()))
    source = recording.source
    if source is None or not is_lesson(source.text):
        return About("", source.docstring if source else "", guides=False)
    return About(*titled(source.docstring), guides=True)
