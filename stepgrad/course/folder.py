"""A folder as a course: its lessons are scenarios, and programs that say that they are lessons.

Which there are, and in which order, says the `course.yaml` in it; without one, the lessons are all
files of the folder, by level, order and name, as those that ship.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stepgrad.course.form import CourseForm
from stepgrad.course.lessons import Course, LessonFile, ours
from stepgrad.engine.ops import FUNCTIONS
from stepgrad.errors import StepgradError, suggest
from stepgrad.printable import printable
from stepgrad.recording.recording import Recording
from stepgrad.scenario import lesson_name, shipped_lessons
from stepgrad.scenario.form.reading import Reading
from stepgrad.scenario.load import ScenarioFile, load_scenario_file
from stepgrad.scenario.programs import is_lesson, read_lesson, runs_here
from stepgrad.scenario.text import Problems, name_of, neighbours, read_source
from stepgrad.scenario.yaml.document import Document

COURSE_FILE = "course.yaml"
"""The file that says what a course consists of."""

_SCENARIOS, _PROGRAMS = (".yaml", ".yml"), (".py",)
_ENDINGS = (".scenario.yaml", ".scenario.yml", *_SCENARIOS, *_PROGRAMS)


class Home(NamedTuple):
    """The course that a file belongs to: the folder of it, None for ours; and the lesson's name."""

    lesson: str
    kept: str = ""
    folder: Path | None = None


class _Plan(NamedTuple):
    """What a folder says of its course: the paths of its lessons by name, and their headings."""

    title: str
    kept: str
    paths: Mapping[str, Path]
    headings: Mapping[str, str]
    after: Mapping[str, tuple[str, ...]]


def home(path: Path) -> Home | None:
    """Return where a file is a lesson: among ours, or beside a `course.yaml` that lists it."""
    if name := lesson_name(path):
        return Home(name)
    try:
        if not (path.parent / COURSE_FILE).is_file():
            return None
        plan = _plan(path.parent)
        found = (name for name, each in plan.paths.items() if each.samefile(path))
        name = next(found, None)
    except (StepgradError, OSError):  # the course says it when it is opened
        return None
    return Home(name, plan.kept, path.parent) if name else None


def home_of(recording: Recording, scenario: ScenarioFile | None) -> Home | None:
    """Return where a recording is that of a lesson: of a scenario, or of a program."""
    if scenario is not None:
        return home(scenario.path)
    return home(Path(recording.source.path)) if recording.source else None


def course_of(place: Home) -> Course:
    """Read the course that a lesson is in.

    Raises:
        StepgradError: some lessons are not valid.
    """
    return ours() if place.folder is None else read_course(place.folder)


def course_paths(folder: Path) -> Mapping[str, Path]:
    """Return the files of the lessons of a folder by name, valid or not, in the course's order.

    Raises:
        StepgradError: it has no lessons, or its `course.yaml` is not valid.
    """
    return _plan(folder).paths


def read_course(folder: Path) -> Course:
    """Read the lessons of a folder.

    Raises:
        StepgradError: it has no lessons, or some are not valid: with everything that is wrong.
    """
    course, problems = read_valid(folder)
    if problems:
        raise StepgradError(*problems)
    return course


def read_valid(folder: Path) -> tuple[Course, Sequence[str]]:
    """Read the lessons of a folder that are valid; return what is wrong with the others as well.

    Raises:
        StepgradError: it has no lessons, or its `course.yaml` is not valid.
    """
    plan = _plan(folder)
    lessons: dict[str, LessonFile] = {}
    problems: list[str] = []
    for name, path in plan.paths.items():
        try:
            lessons[name] = _read(path)
        except StepgradError as error:
            problems += str(error).split("\n")
    if not plan.headings:
        lessons = dict(sorted(lessons.items(), key=lambda item: item[1].model.place))
    return Course(plan.title, lessons, plan.kept, plan.headings, plan.after), problems


def _read(path: Path) -> LessonFile:
    names = list(shipped_lessons())
    if path.suffix in _PROGRAMS:
        return read_lesson(path, [*names, *neighbours(path, _PROGRAMS)])
    return load_scenario_file(path, FUNCTIONS, names)


def _plan(folder: Path) -> _Plan:
    """Return what a folder says of its course, or what its files say without a `course.yaml`."""
    file = folder / COURSE_FILE
    if file.is_file():
        plan = _planned(file)
    else:
        whole = folder.resolve()
        paths = {name: path for name, path in _files(folder).items() if _runs(path)}
        plan = _Plan(printable(whole.name), str(whole), paths, {}, {})
    if not plan.paths:
        raise StepgradError(
            f"{folder}: is a folder without lessons (scenarios, *.yaml) and without a __main__.py"
        )
    return plan


def _files(folder: Path) -> dict[str, Path]:
    """Return the lessons of a folder that says nothing about them, in order of their names."""
    found: dict[str, Path] = {}
    try:
        files = sorted(folder.iterdir())
    except OSError as error:
        raise StepgradError(f"{folder}: cannot be read: {error.strerror or error}") from None
    for path in files:
        scenario = path.suffix in _SCENARIOS and path.name != COURSE_FILE
        if scenario or (path.suffix in _PROGRAMS and _is_lesson(path)):
            name = name_of(path)
            found[path.name if name in found else name] = path
    return found


def _planned(file: Path) -> _Plan:
    """Read a `course.yaml`.

    Raises:
        ScenarioError: with everything that is wrong with it.
    """
    from stepgrad.scenario.yaml.compose import compose  # noqa: PLC0415 - yaml is slow

    source = read_source(file)
    problems = Problems(source)
    document = compose(source, problems)
    form: CourseForm | None = Reading(document, problems).read(CourseForm, document.data, ())
    problems.raise_if_any()
    assert form is not None, "a file that is not a course has problems"
    paths: dict[str, Path] = {}
    headings: dict[str, str] = {}
    for heading, number, name in _listed(form):
        found = _found(file.parent, name)
        problem = (
            f"`{name}` is listed twice" if name in paths
            else f"`{name}` is outside this folder" if _is_outside(name)
            else _missing(file.parent, name) if found is None
            else "" if found.suffix not in _PROGRAMS or _is_lesson(found)
            else f"`{name}` is a program without a line `# lesson: {{…}}`"
        )  # fmt: skip
        if problem:
            problems.add(document.index(("lessons", heading, number)), problem)
        elif found is not None:
            paths[name], headings[name] = found, printable(heading)
    if not form.lessons:
        paths = _files(file.parent)
    _check_after(form, document, list(paths), problems)
    problems.raise_if_any()
    here = {name: path for name, path in paths.items() if _runs(path)}
    title = printable(form.title)
    return _Plan(title, title, here, headings, form.after)


def _listed(form: CourseForm) -> Iterator[tuple[str, int, str]]:
    for heading, names in form.lessons.items():
        for number, name in enumerate(names):
            yield heading, number, name


def _found(folder: Path, name: str) -> Path | None:
    """Return the file that a `course.yaml` means by a name: of its folder, or one that ships."""
    near = (folder / f"{name}{ending}" for ending in ("", *_ENDINGS))
    known = _SCENARIOS + _PROGRAMS
    here = (path for path in near if path.suffix in known and path.name != COURSE_FILE)
    return next((path for path in here if path.is_file()), shipped_lessons().get(name))


def _is_outside(name: str) -> bool:
    """Whether a name leads out of the folder that a course consists of, and is written in."""
    return Path(name).is_absolute() or ".." in Path(name).parts


def _missing(folder: Path, name: str) -> str:
    files = neighbours(folder / COURSE_FILE, _SCENARIOS + _PROGRAMS)
    near = suggest(name, [*files, *shipped_lessons()])
    return f"lesson `{name}` is not in this folder, and does not ship with stepgrad{near}"


def _check_after(
    form: CourseForm, document: Document, order: list[str], problems: Problems
) -> None:
    """Note what is under `after` and is no lesson of the course, or comes later in it."""
    for name, others in form.after.items():
        if name not in order:
            message = f"`{name}` is not a lesson of this course{suggest(name, order)}"
            problems.add(document.key_index(("after", name)), message)
            continue
        for number, other in enumerate(others):
            message = ""
            if other not in order:
                message = f"`{other}` is not a lesson of this course{suggest(other, order)}"
            elif form.lessons and order.index(other) >= order.index(name):
                message = f"`{name}` builds on `{other}`, but is listed before it"
            if message:
                problems.add(document.index(("after", name, number)), message)


def _is_lesson(path: Path) -> bool:
    return is_lesson(_text(path))


def _runs(path: Path) -> bool:
    return path.suffix not in _PROGRAMS or runs_here(_text(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
