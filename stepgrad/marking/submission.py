"""A student's file, marked in processes of its own: bounded in time and memory, without output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import stepgrad
from stepgrad.course.grading import Graded, Mark
from stepgrad.errors import StepgradError
from stepgrad.printable import printable
from stepgrad.replay.quiz.tasks import Work
from stepgrad.scenario import open_scenario
from stepgrad.scenario.form.exercise import Exercise
from stepgrad.scenario.form.sections import GraphScenario, Lesson

SECONDS = 20
"""How long a submission may take for an exercise."""

MEMORY = 1 << 30
"""The most bytes that it may take."""

_KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "VIRTUAL_ENV")
_LONGEST = 2_000  # characters of what is said


class Verdict(NamedTuple):
    """Whether a submission is right, and what is wrong with it."""

    right: bool
    said: str


def grade_program(path: str, against: str, seconds: float = SECONDS) -> Graded:
    """Mark a Python file against those exercises of a scenario that ask for a program.

    The student is the name of the file.
    """
    try:
        model = open_scenario(against).model
        if not Path(path).is_file():
            raise StepgradError(f"{path}: no such file")
    except StepgradError as error:
        return Graded(path, error=str(error))
    asked = [(i, each) for i, each in enumerate(model.exercises) if each.asks == "program"]
    if not asked:
        return Graded(path, error=f"{against}: no exercise asks for a program")
    marks = []
    for place, exercise in asked:
        right, said = _judged(path, against, place, seconds)
        prompt = printable(" ".join(exercise.prompt.split())) or _prompt(exercise, model)
        work = Work((Path(path).name,), wrong=int(not right), right=right)
        marks.append(Mark(prompt, float(right), work, said))
    return Graded(path, against, Path(path).stem, marks)


def _prompt(exercise: Exercise, model: Lesson) -> str:
    """Say what to write: a class, or functions with what they take and which gradients they give.

    A name with a capital is a class's.
    """
    names, leaves, learnt = exercise.of, "", ""
    if isinstance(model, GraphScenario):
        leaves = ", ".join([*model.inputs, *model.params])
        learnt = ", ".join(f"d{model.backward}/d{name}" for name in model.params or model.inputs)
    if names[0][:1].isupper():
        return printable(f"Write the class {names[0]}.")
    written = " and ".join(f"{name}({leaves})" for name in names)
    returned = f"; {names[-1]} returns {learnt}" if learnt else ""
    return printable(f"Write {written}{returned}.")


def _judged(path: str, against: str, place: int, seconds: float) -> Verdict:
    """Judge a submission in a process of its own, in an empty folder; what it starts ends too."""
    scenario = str(Path(against).resolve()) if Path(against).is_file() else against
    command = [sys.executable, "-m", "stepgrad.marking", str(Path(path).resolve()), scenario]
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [*command, str(place), str(MEMORY), str(seconds)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=_environment(),
            start_new_session=True,
        )
        try:
            told, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return Verdict(False, f"it does not end within {seconds:g} seconds")
        finally:
            _end(process)
    try:
        found = json.loads(told)
        lines = (line.strip() for line in str(found["said"]).splitlines())
        return Verdict(found["right"] is True, printable("; ".join(lines))[:_LONGEST])
    except (ValueError, TypeError, KeyError):
        return Verdict(False, "it ends the program before there is a result")


def _environment() -> Mapping[str, str]:
    """Return an environment that finds our code and little else."""
    ours = str(Path(stepgrad.__file__).parent.parent)
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": ours, "STEPGRAD_STATE": "off", "PYTHONDONTWRITEBYTECODE": "1"}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and whatever it has started."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.communicate()
