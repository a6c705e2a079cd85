"""Whether the exercises of a scenario have answers, whatever numbers a student gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import isfinite

from stepgrad.numbers import number
from stepgrad.recording.recording import Recording
from stepgrad.replay.state import State
from stepgrad.replay.telling.titles import gradient_title, title
from stepgrad.scenario.build import record_file
from stepgrad.scenario.exercises.drawing import drawn
from stepgrad.scenario.exercises.posing import pose
from stepgrad.scenario.form.exercise import Exercise
from stepgrad.scenario.load import ScenarioFile

_STUDENTS = 20
_MOST_CORNERS = 16


def check_exercises(file: ScenarioFile, recording: Recording) -> None:
    """Check that each exercise can be asked; `recording` is a run of the scenario as it is.

    Where its numbers vary, they are tried at the ends of their intervals, and as some students
    would get them.

    Raises:
        ScenarioError: it asks for something that there is not, or with some numbers, something
            overflows or is not defined that usually is.
    """
    pose(file, recording=recording)
    for place, exercise in enumerate(file.model.exercises):
        for numbers in _tried(exercise, file.title, place):
            broken = _broken(recording, record_file(file, numbers))
            if broken:
                told = ", ".join(f"{leaf} = {number(x)}" for leaf, x in numbers.items())
                raise file.error(("exercises", place, "vary"), f"at {told}, {broken}")


def _tried(exercise: Exercise, title: str, place: int) -> Iterator[Mapping[str, float]]:
    if not exercise.vary:
        return
    ends = exercise.vary.values()
    few = 2 ** len(ends) <= _MOST_CORNERS
    for corner in product(*ends) if few else zip(*ends, strict=True):
        yield dict(zip(exercise.vary, corner, strict=True))
    for student in range(_STUDENTS):
        yield drawn(exercise, title, place, str(student))


def _broken(usual: Recording, run: Recording) -> str:
    """Return which number of a run is not finite, though it usually is; empty if none is."""
    before, after = State(usual, usual.length), State(run, run.length)
    for called, was, now in (
        (title, before.value, after.value),
        (gradient_title, before.grad, after.grad),
    ):
        for node in range(run.size):
            found = now(node)
            if found is not None and not isfinite(found) and isfinite(was(node) or 0.0):
                return f"{called(run, node)} is {number(found)}"
    return ""
