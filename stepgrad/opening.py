"""What a person types for FILE: a program, a recording, a scenario, or the name of one."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from stepgrad.course.folder import COURSE_FILE, course_paths, read_course
from stepgrad.course.lessons import Course
from stepgrad.engine.world import World
from stepgrad.errors import StepgradError
from stepgrad.printable import printable
from stepgrad.program.named import ALL, MODULE, Selection
from stepgrad.program.named import is_program as runs
from stepgrad.reading import is_zip
from stepgrad.recording.changed import check_gates
from stepgrad.recording.recording import SAVED, Recording
from stepgrad.replay.session import Session
from stepgrad.scenario import ScenarioFile, lesson_name, locate, open_scenario, shipped_programs
from stepgrad.scenario.build import record_file
from stepgrad.scenario.rerun import session_on
from stepgrad.scenario.text import name_of, suggest_file

SELECTING = "--only-steps, --batch-row and --layers"
"""The options that select a part of a PyTorch program."""


class How(NamedTuple):
    """How a file is run and recorded.

    Args:
        memory: the most bytes that a new recording may take, as in `record()`.
        world: a world with a bug, in which programs and scenarios run; None for the usual one.
        selection: which part of a PyTorch program is recorded.
    """

    memory: int | None = None
    world: World | None = None
    selection: Selection = ALL


USUAL = How()


def refuse_idle(names: Sequence[str], how: How) -> None:
    """Refuse options that would change nothing of any of these files.

    Raises:
        StepgradError: there is one.
    """
    saved = names and all(is_saved(each) and not is_program(each) for each in names)
    if saved and how.memory is not None:
        raise StepgradError(f"{names[0]}: is a recording already; --memory is for a new one")
    if saved and how.world is not None:
        raise StepgradError(f"{names[0]}: a recording cannot run again, so it keeps its world")
    if how.selection != ALL and not any(map(is_program, names)):
        raise StepgradError(f"{names[0]}: is not a program; {SELECTING} are for those")


def of_use(how: How, name: str) -> How:
    """Return the options that change something of a file."""
    if is_program(name):
        return how
    return USUAL if is_saved(name) else how._replace(selection=ALL)


class Opened(NamedTuple):
    """A recording, its scenario if it has one, and a program's exit status and what ended it."""

    recording: Recording
    scenario: ScenarioFile | None = None
    status: int = 0
    failure: str = ""


def is_program(name: str) -> bool:
    """Whether a person means a Python program (see `run_program`), or a lesson that is one.

    Its arguments follow its name.
    """
    shipped = name in shipped_programs() and not Path(name).exists()
    return shipped or runs(name)


def words_of(name: str) -> list[str]:
    """Return the words on a command line that `name` stands for: two for a module."""
    return name.split(" ", 1) if name.startswith(MODULE) else [name]


def saved_as(name: str) -> str:
    """Return the name of the file that a recording of FILE is saved in, in the current folder."""
    if name.startswith(MODULE):
        return f"{name.rpartition('.')[2].removeprefix(MODULE)}{SAVED}"
    path = Path(name)
    return f"{name_of(path.resolve() if path.is_dir() else path)}{SAVED}"


def is_saved(name: str) -> bool:
    """Whether a person means a saved recording: its content counts, whatever it is called."""
    return name.endswith(SAVED) or is_zip(name)


def is_course(name: str) -> bool:
    """Whether a person means the lessons of a folder: by its name, or by its `course.yaml`."""
    if not name or is_program(name):
        return False
    path = Path(name)
    return path.is_dir() or (path.name == COURSE_FILE and path.is_file())


def folder_of(name: str) -> Path:
    """Return the folder of a course that a person means."""
    path = Path(name)
    return path.parent if path.name == COURSE_FILE and path.is_file() else path


def files_typed(name: str) -> dict[str, str]:
    """Return what to type for each lesson of a course, by its name there, valid or not, in order.

    Raises:
        StepgradError: it has no lessons, or its `course.yaml` is not valid.
    """
    paths = course_paths(folder_of(name))
    return {lesson: lesson_name(path) or str(path) for lesson, path in paths.items()}


def course_typed(name: str) -> Course:
    """Read the course that a person means.

    Raises:
        StepgradError: it is not a folder, it has no lessons, or some are not valid.
    """
    return read_course(course_folder(name))


def course_folder(name: str) -> Path:
    """Return the folder of a course that a person means.

    Raises:
        StepgradError: there is no such folder.
    """
    folder = folder_of(name)
    if not folder.is_dir() or not name:
        raise StepgradError(f"{name}: no such folder")
    return folder


def is_scenario(name: str) -> bool:
    """Whether a person means a scenario: a file, or one that ships."""
    return not (is_program(name) or is_saved(name) or is_course(name))


def open_typed(
    name: str,
    arguments: Sequence[str] = (),
    how: How = USUAL,
    *,
    saves: bool = False,
    then: str = "",
) -> Opened:
    """Run a program or a scenario, or load a recording, whichever `name` means.

    If a recording ends early, a line on stderr says so. Whether the caller `saves` the recording
    decides what ends a program, and `then` what is said meanwhile; see `run_program`.

    Raises:
        StepgradError: it cannot be opened; says what is wrong, and what was probably meant.
    """
    memory, world, selection = how
    if is_program(name):
        from stepgrad.program import run_program, usual  # noqa: PLC0415 - for programs only

        again = shlex.join([*words_of(name), *arguments])
        watching = partial(usual, selection, again)
        run = run_program(
            program_path(name),
            arguments,
            memory,
            saves=saves,
            then=then,
            world=world,
            tensors=watching,
        )
        if not run.status:
            check_gates(run.recording)
        if selection != ALL and "torch" not in sys.modules:
            print(printable(f"{name}: no PyTorch: {SELECTING} change nothing"), file=sys.stderr)
        if run.recording.spent and selection == ALL and "torch" in sys.modules:
            print(printable(f"{name}: {SELECTING} record another part, or less"), file=sys.stderr)
        return Opened(run.recording, status=run.status, failure=run.failure)
    if is_course(name):
        first = shlex.quote(next(iter(files_typed(name).values())))
        raise StepgradError(f"{name}: is a course; name one of its lessons, such as {first}")
    refuse_idle([name], how)
    if is_saved(name):
        _check_file(Path(name))
        opened = Opened(Recording.load(name))
    else:
        scenario = open_scenario(name)
        opened = Opened(record_file(scenario, world=world, memory=memory), scenario)
    if opened.recording.incomplete:
        print(printable(f"{name}: {opened.recording.incomplete}"), file=sys.stderr)
    return opened


def program_path(name: str) -> str:
    """Return what `run_program` takes for the name of a program, or of a lesson that is one.

    Raises:
        StepgradError: there is no such file.
    """
    if name.startswith(MODULE):
        return name
    path = locate(name)
    _check_file(path)
    return str(path)


def original(opened: Opened) -> Recording | None:
    """Return what a scenario does in the usual world; None if it is in that already."""
    if opened.scenario is None or opened.recording.world is None:
        return None
    return record_file(opened.scenario, memory=opened.recording.memory)


def session_at(opened: Opened, position: int) -> Session:
    """Return a session at a position of what was opened: a scenario can run again in it."""
    return session_on(opened.recording, opened.scenario, position, original(opened))


def _check_file(path: Path) -> None:
    if path.is_dir() and not (path / "__main__.py").is_file():
        raise StepgradError(f"{path}: is a folder without a __main__.py")
    if not path.exists():
        raise StepgradError(f"{path}: no such file{suggest_file(path)}")
