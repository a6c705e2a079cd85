"""Marks for saved answers: what was typed is judged again, whatever was said to it then."""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from stepgrad.course.answers import Answers, read_answers
from stepgrad.errors import StepgradError
from stepgrad.printable import counted
from stepgrad.replay.quiz.answers import AnswerError
from stepgrad.replay.quiz.tasks import Sitting, Work
from stepgrad.scenario import open_scenario
from stepgrad.scenario.exercises.posing import pose


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of one exercise, from 0 to 1, and what was said to the last line."""

    exercise: str
    mark: float
    work: Work
    said: str


@dataclass(frozen=True, slots=True)
class Graded:
    """The marks of a file of answers; or the `error` because of which there are none."""

    path: str
    file: str = ""
    student: str = ""
    marks: Sequence[Mark] = ()
    error: str = ""

    @property
    def total(self) -> float:
        """The sum of the marks."""
        return sum(each.mark for each in self.marks)


def latest(graded: Iterable[Graded]) -> tuple[Sequence[Graded], Sequence[str]]:
    """Return the last marks of each student for a file of exercises, and what to say of others.

    Answers without a student, and files that cannot be marked, stay as they are.
    """
    found: dict[Hashable, Graded] = {}
    dropped: dict[str, None] = {}
    for each in graded:
        key = (each.file, each.student) if each.student and not each.error else (each.path,)
        before = found.pop(key, None)
        found[key] = each
        if before is not None and before.path != each.path:
            dropped[f"{each.student}: {each.path} counts, not {before.path}"] = None
    return [*found.values()], [*dropped]


def grade(path: str, against: str | None = None) -> Graded:
    """Mark a file of answers against the scenario that it names, or against another one.

    A relative path in the answers counts from their folder, or else from the current one.
    """
    try:
        answers = read_answers(path)
    except StepgradError as error:
        return Graded(path, error=str(error))
    file = against or _found(answers.file, Path(path).parent)
    try:
        marks = marked(pose_for(file, answers.student), answers)
    except StepgradError as error:
        told = f"{path}: {error}"
        if against is None:
            told += "; --against FILE marks them against another scenario"
        return Graded(path, file, answers.student, error=told)
    return Graded(path, file, answers.student, marks)


def has_exercises(file: str) -> bool:
    """Whether a scenario, given by path or name, has exercises.

    Raises:
        ScenarioError: it cannot be read.
    """
    return bool(open_scenario(file).model.exercises)


def pose_for(file: str, student: str) -> Sitting:
    """Return the exercises of a scenario, given by path or name, for a student.

    Raises:
        StepgradError: it cannot be read, or has no exercises.
    """
    tasks = pose(open_scenario(file), student)
    if not tasks:
        raise StepgradError(f"{file}: {asked_of_programs(file) or 'there are no exercises'}")
    return Sitting(tasks)


def asked_of_programs(file: str) -> str:
    """Say how many exercises of a scenario ask for a program, and how it is marked; or nothing.

    Raises:
        ScenarioError: it cannot be read.
    """
    count = sum(each.asks == "program" for each in open_scenario(file).model.exercises)
    if not count:
        return ""
    ask = "asks for a program" if count == 1 else "ask for programs"
    mark = f"stepgrad grade FILE.py --against {shlex.quote(file)}"
    return f"{counted(count, 'exercise')} {ask}, which is marked by {mark}"


def marked(sitting: Sitting, answers: Answers) -> Sequence[Mark]:
    """Return a mark for each exercise; one that was not started gets 0.

    Raises:
        StepgradError: there are more answers than exercises.
    """
    if len(answers.lines) > len(sitting.tasks):
        raise StepgradError(
            f"there are answers for {len(answers.lines)} exercises, but only {len(sitting.tasks)}"
        )
    marks = []
    for place, task in enumerate(sitting.tasks):
        alone, said = Sitting([task]), "not answered"
        for line in answers.lines[place] if place < len(answers.lines) else ():
            if alone.over:
                break
            try:
                alone, said = alone.after(line)
            except AnswerError as error:
                said = str(error)
        work = alone.works[0] if alone.works else Work()
        marks.append(Mark(task.prompt, work.mark, work, said))
    return marks


def _found(file: str, folder: Path) -> str:
    beside = folder / file
    return str(beside) if beside.is_file() else file
