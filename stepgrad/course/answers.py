"""The file that keeps what a student typed for the exercises of a scenario."""

from __future__ import annotations

import json
from os import PathLike
from typing import NamedTuple

from stepgrad.atomic import write_atomically
from stepgrad.errors import StepgradError
from stepgrad.reading import read_regular, why

_KIND, _VERSION = "stepgrad answers", 1
_LARGEST = 1_000_000  # bytes


class AnswersError(StepgradError):
    """Answers that cannot be read or saved; says why."""


class Answers(NamedTuple):
    """What a student typed: for each exercise of a file that was started, its lines in order."""

    file: str
    student: str
    lines: tuple[tuple[str, ...], ...]


def save_answers(path: str | PathLike[str], answers: Answers) -> None:
    """Write answers to a file.

    Raises:
        AnswersError: it cannot be written.
    """
    content = {"kind": _KIND, "version": _VERSION, **answers._asdict()}
    try:
        write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())
    except (OSError, ValueError) as error:
        raise AnswersError(f"{path}: answers cannot be saved: {why(error)}") from error


def read_answers(path: str | PathLike[str]) -> Answers:
    """Return the answers in a file.

    Raises:
        AnswersError: the file cannot be read, or `stepgrad quiz --save` did not write it.
    """
    try:
        content = read_regular(path)
        data = json.loads(content) if len(content) <= _LARGEST else None
    except OSError as error:
        raise AnswersError(f"{path}: {why(error)}") from error
    except (ValueError, RecursionError):
        data = None
    match data:
        case {"kind": "stepgrad answers", "version": int(version)} if version > _VERSION:
            raise AnswersError(f"{path}: these answers are of a newer stepgrad")
        case {
            "kind": "stepgrad answers",
            "file": str(file),
            "student": str(student),
            "lines": [*works],
        } if all(
            isinstance(work, list) and all(isinstance(line, str) for line in work) for work in works
        ):
            return Answers(file, student, tuple(map(tuple, works)))
    raise AnswersError(f"{path}: not answers that `stepgrad quiz --save` wrote")
