"""The files that keep a person's progress, which several debuggers may write at once.

Each course has its own. `""` is the course that ships with stepgrad.

A file that cannot be understood is never written to: it may be a newer stepgrad's, or somebody's.
"""

from __future__ import annotations

import json
import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from stepgrad.atomic import write_atomically
from stepgrad.course.progress import Mark, Progress
from stepgrad.errors import StepgradError
from stepgrad.locking import locked
from stepgrad.reading import read_regular, why

FOLDER_VARIABLE = "STEPGRAD_STATE"
"""The environment variable that names another folder for the file; `off` keeps no progress."""

_OFF = "off"
_KIND, _VERSION = "stepgrad progress", 1
_LONGEST = 40


class ProgressError(StepgradError):
    """Progress that cannot be read or kept; says why, and what to do."""


class _DamagedError(ValueError):
    """A part of the file that is not as it should be."""


def progress_path(course: str = "") -> Path | None:
    """Where progress is kept; the file need not exist. None if that is switched off."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder == _OFF:
        return None
    return (Path(folder) if folder else user_state_path("stepgrad")) / _file_name(course)


def _file_name(course: str) -> str:
    """Return a name that people recognise, and that no other course has."""
    if not course:
        return "progress.json"
    words = "_".join(re.findall("[a-z0-9]+", course.lower()))[-_LONGEST:]
    return f"progress-{words}-{sha256(course.encode()).hexdigest()[:8]}.json"


def read_progress(course: str = "") -> Progress:
    """Return the progress that is kept: none without a file, or where it is switched off.

    Raises:
        ProgressError: the file cannot be read, or is not one of ours.
    """
    path = progress_path(course)
    return Progress() if path is None else _read(path)


def keep(name: str, mark: Mark, course: str = "") -> Progress:
    """Join a mark to what is kept of a lesson, and return all that is kept.

    Raises:
        ProgressError: the file cannot be read or written, or is not one of ours.
    """
    path = progress_path(course)
    if path is None:
        return Progress()
    before = _read(path)
    if before.plus(name, mark) == before:
        return before
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path):
            after = _read(path).plus(name, mark)  # another process may have written
            write_atomically(path, _written(after, course))
    except (OSError, ValueError) as error:
        raise ProgressError(f"{path}: progress cannot be kept: {why(error)}") from error
    return after


def _written(progress: Progress, course: str) -> bytes:
    lessons = {name: mark._asdict() for name, mark in sorted(progress.marks.items())}
    content = {"kind": _KIND, "version": _VERSION, "last": progress.last, "lessons": lessons}
    if course:
        content["course"] = course  # for whoever looks into the file
    return json.dumps(content, indent=1).encode()


def _read(path: Path) -> Progress:
    try:
        return _understood(json.loads(read_regular(path)))
    except FileNotFoundError:
        return Progress()
    except OSError as error:
        raise ProgressError(f"{path}: progress cannot be read: {why(error)}") from error
    except _DamagedError as error:
        problem = str(error)
    except (ValueError, RecursionError):  # not text, not JSON, or nested without end
        problem = "is damaged"
    raise ProgressError(
        f"{path}: {problem}; it stays as it is, and progress is not kept. "
        "To start over, move it away."
    )


def _understood(content: Any) -> Progress:
    """Return the progress in a file's content; raises `_DamagedError`."""
    if not isinstance(content, dict) or content.get("kind") != _KIND:
        raise _DamagedError("is not a progress file of stepgrad")
    version = content.get("version")
    if type(version) is int and version > _VERSION:
        raise _DamagedError("was written by a newer version of stepgrad")
    last, lessons = content.get("last"), content.get("lessons")
    if version != _VERSION or not isinstance(last, str) or not isinstance(lessons, dict):
        raise _DamagedError("is damaged")
    return Progress({name: _mark(name, entry) for name, entry in lessons.items()}, last)


def _mark(name: str, entry: Any) -> Mark:
    kinds = {field: type(value) for field, value in Mark()._asdict().items()}
    if not isinstance(entry, dict) or {key: type(value) for key, value in entry.items()} != kinds:
        raise _DamagedError(f"is damaged at `{name}`")
    mark = Mark(**entry)
    if not 0 <= mark.right <= mark.asked:
        raise _DamagedError(f"is damaged at `{name}`: {mark.right} right of {mark.asked}")
    return mark
