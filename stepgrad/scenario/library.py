"""The lessons that ship with stepgrad: where they are, and how a user names one."""

from contextlib import suppress
from functools import cache
from os import PathLike
from pathlib import Path

from stepgrad.engine.ops import FUNCTIONS
from stepgrad.errors import Diagnostic, ScenarioError
from stepgrad.scenario.load import ScenarioFile, load_scenario_file
from stepgrad.scenario.programs import ProgramFile, is_lesson, read_lesson, runs_here

_PACKAGE = Path(__file__).parents[1]


@cache
def shipped() -> dict[str, Path]:
    """Return the shipped scenario files by name (`two_layer`), in alphabetical order."""
    return _files("*.yaml")


@cache
def shipped_programs() -> dict[str, Path]:
    """Return the programs that ship as lessons and run here, by name, in alphabetical order."""
    files = _programs()
    return {name: path for name, path in files.items() if runs_here(_text(path))}


def shipped_lessons() -> dict[str, Path]:
    """Return the files of all lessons that ship, by name; some need a package to run."""
    return shipped() | _programs()


@cache
def _programs() -> dict[str, Path]:
    return {name: path for name, path in _files("*.py").items() if is_lesson(_text(path))}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _files(pattern: str) -> dict[str, Path]:
    # In an installed package they are inside it; in a checkout they are beside it.
    for folder in (_PACKAGE / "scenarios", _PACKAGE.parent / "scenarios"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob(pattern))}
    return {}


def gallery() -> dict[str, ScenarioFile | ProgramFile]:
    """Return the lessons that ship by name, in the order in which to learn them."""
    names = [*shipped(), *shipped_programs()]
    files: dict[str, ScenarioFile | ProgramFile] = {
        name: load_scenario_file(path, FUNCTIONS, names) for name, path in shipped().items()
    }
    files |= {name: read_lesson(path, names) for name, path in shipped_programs().items()}
    return dict(sorted(files.items(), key=lambda item: (*item[1].model.place, item[0])))


def lesson_name(path: str | PathLike[str]) -> str | None:
    """Return the name of the shipped lesson that a file is, or None if it is another file."""
    name = Path(path).stem
    ours = shipped().get(name) or shipped_programs().get(name)
    with suppress(OSError, ValueError):
        if ours is not None and ours.samefile(path):
            return name
    return None


def matches(sought: str, name: str, lesson: ScenarioFile | ProgramFile) -> bool:
    """Whether each word that is sought is in a lesson: in its name, its title or its text."""
    text = f"{name} {lesson.title} {lesson.lesson}".casefold()
    return all(word in text for word in sought.casefold().split())


def locate(name: str | PathLike[str]) -> Path:
    """Return the path that a user means: a file as it is, or a shipped lesson by its name.

    Raises `ScenarioError` for an empty name, which as a path would be the current folder.
    """
    if not str(name):
        raise ScenarioError("''", [Diagnostic(1, 1, "the name is empty")])
    path = Path(name)
    ours = shipped().get(str(name)) or shipped_programs().get(str(name))
    return path if ours is None or path.exists() else ours
