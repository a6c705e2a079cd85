"""Whether the lesson of a scenario, or of a program, can be followed, and its exercises done."""

from __future__ import annotations

from pathlib import Path

from stepgrad.recording.recording import Recording
from stepgrad.replay.lesson.unknown import unknown
from stepgrad.scenario.exercises.trying import check_exercises
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.programs import is_lesson, titled
from stepgrad.scenario.text import Source


def check_lesson(recording: Recording, scenario: ScenarioFile | None) -> None:
    """Check that there is all that a lesson asks for, in a run that is whole.

    Without a scenario, the lesson is that of the program that was recorded, if it is one.

    Raises:
        ScenarioError: it asks for a key, an event or a node that there is not, or an exercise has
            no answer.
    """
    if recording.incomplete or recording.world is not None:
        return
    if scenario is not None:
        lesson, source = scenario.lesson, scenario.source
        start = scenario.document.key_index(("lesson",)) if lesson else 0
    elif recording.source is not None and is_lesson(recording.source.text):
        _, lesson = titled(recording.source.docstring)
        source, start = Source(Path(recording.source.path), recording.source.text), 0
    else:
        return
    problems = [
        (max(source.text.find(f"`{code}`", start), start), message)
        for code, message in unknown(lesson, recording)
    ]
    if problems:
        raise source.error(problems)
    if scenario is not None and scenario.model.exercises:
        check_exercises(scenario, recording)
