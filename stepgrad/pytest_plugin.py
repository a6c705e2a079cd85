"""Scenarios as tests: pytest collects them, and a fixture replays whatever a test names.

A scenario's expectations become the tests of a course: one for each promised number, and one that
the gradients agree with other ways to them. Which files are scenarios `stepgrad_scenarios` says, in
pytest's settings. Without it, a look at the text of each YAML file does: a folder has others, too.
"""

from __future__ import annotations

import os
import re
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stepgrad.checking.verdict import Verdict
    from stepgrad.errors import ScenarioError
    from stepgrad.harness import Replay
    from stepgrad.recording.recording import Recording
    from stepgrad.scenario import ScenarioFile
    from stepgrad.scenario.expect import Check

ANY_YAML = ["*.yaml", "*.yml"]

_LOOK = 1_000_000  # characters: no scenario has more
_KEYS = re.compile(r"^(\w+)\s*:", re.MULTILINE)
_STATEMENTS = re.compile(r"^graph\s*:(?:\s|#.*\n)*[-\[]", re.MULTILINE)
_SIZES = re.compile(r"^network\s*:(?:.*\n(?!\S))*.*\bsizes\s*:", re.MULTILINE)
_OF_A_SCENARIO = {
    "inputs", "params", "graph", "wrt", "backward", "network", "data", "loss", "train", "expect",
}  # fmt: skip

_NEARLY = """\
not collected: nearly a scenario of stepgrad, but {}
`stepgrad check {}` says more. If it is not meant as one: stepgrad_scenarios in pytest's settings
chooses the files that are."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say which files are scenarios."""
    parser.addini(
        "stepgrad_scenarios",
        "patterns of the scenario files that stepgrad collects; empty for none",
        type="args",
        default=ANY_YAML,
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioTests | None:
    """Collect a scenario; warn of a file that is nearly one."""
    patterns = parent.config.getini("stepgrad_scenarios")
    if not any(file_path.match(pattern) for pattern in patterns):
        return None
    chosen = patterns is not ANY_YAML
    if chosen or _is_scenario(text := _beginning(file_path)) or _proves_one(text, file_path):
        return ScenarioTests.from_parent(parent, path=file_path)
    return None


def _beginning(path: Path) -> str:
    """Return what there is to look at; nothing of a file that cannot be read."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return file.read(_LOOK)
    except OSError:
        return ""


def _is_scenario(text: str) -> bool:
    """Whether a text is plainly meant as a scenario, be it in order or not."""
    return "title" in _KEYS.findall(text) and _has_body(text)


def _has_body(text: str) -> bool:
    """Whether a text has a list of statements, with numbers for them, or the sizes of a network."""
    numbers = {"inputs", "params"} & {*_KEYS.findall(text)}
    return bool((numbers and _STATEMENTS.search(text)) or _SIZES.search(text))


def _proves_one(text: str, path: Path) -> bool:
    """Whether a text that is nearly a scenario is one; if not, warn of what is wrong with it.

    With one key more, or one spelt otherwise, it would plainly be meant as one.
    """
    keys = {*_KEYS.findall(text)}
    if not (_has_body(text) or ("title" in keys and len(keys & _OF_A_SCENARIO) > 1)):
        return False
    from stepgrad.errors import ScenarioError  # noqa: PLC0415
    from stepgrad.scenario import open_scenario  # noqa: PLC0415

    try:
        open_scenario(_shown(path))
    except ScenarioError as error:
        first = error.diagnostics[0]
        warning = pytest.PytestCollectionWarning(_NEARLY.format(first.message, error.path))
        warnings.warn_explicit(warning, None, str(path), first.line)
        return False
    return True


def _shown(path: Path) -> Path:
    """Write a path as a person in this folder does: messages begin with it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


@pytest.fixture
def stepgrad_replay(request: pytest.FixtureRequest) -> Callable[..., Replay]:
    """Replay a scenario: `stepgrad_replay("two_layer").press("f n n n").grad("y")`.

    Or a program with its arguments, or a saved recording, as `stepgrad replay` takes them. A file
    is looked for beside the test first, then in the working directory. A program that fails fails
    the test.
    """
    folder = request.path.parent

    def replay(name: str | PathLike[str], *arguments: str) -> Replay:
        __tracebackhide__ = True
        from stepgrad.errors import StepgradError  # noqa: PLC0415 - only for tests that replay

        try:
            return _replay(_found(fspath(name), folder), arguments)
        except StepgradError as error:
            raise error.with_traceback(None) from None

    return replay


def _found(name: str, folder: Path) -> str:
    """Return what a test means by a name: a file beside it, one from here, or what ships."""
    from stepgrad.scenario import shipped, shipped_programs  # noqa: PLC0415

    beside = folder / name
    elsewhere = name in (*shipped(), *shipped_programs()) or Path(name).exists()
    return name if elsewhere and not beside.is_file() else str(_shown(beside))


def _replay(name: str, arguments: tuple[str, ...]) -> Replay:
    from stepgrad.errors import StepgradError  # noqa: PLC0415
    from stepgrad.harness import Replay  # noqa: PLC0415
    from stepgrad.opening import is_program, is_scenario, open_typed  # noqa: PLC0415
    from stepgrad.replay.cursor import Cursor  # noqa: PLC0415
    from stepgrad.replay.session import Session  # noqa: PLC0415

    if arguments and not is_program(name):
        raise StepgradError(f"{name}: only a program takes arguments, not {' '.join(arguments)}")
    if is_scenario(name):
        return Replay.of(name)
    try:
        opened = open_typed(name, arguments)
    except SystemExit as ended:  # a process that the program forked: the tests are not for it
        os._exit(ended.code if isinstance(ended.code, int) else 1)
    if opened.status:
        raise StepgradError(f"{name}: the program ended with exit status {opened.status}")
    return Replay(Session.open(Cursor(opened.recording)))


class ScenarioTests(pytest.File):
    """The tests of a scenario file, which runs when the first of them does."""

    _file: ScenarioFile

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each promise and one for the gradients, or one that tells why not."""
        # pytest starts for other tests as well: they do not wait for these.
        from stepgrad.errors import ScenarioError  # noqa: PLC0415
        from stepgrad.scenario import open_scenario  # noqa: PLC0415
        from stepgrad.scenario.expect import expectations  # noqa: PLC0415

        try:
            self._file = open_scenario(_shown(self.path))
        except ScenarioError as error:
            line = error.diagnostics[0].line
            yield UnreadableTest.from_parent(self, name="scenario", error=error, line=line)
            return
        for place, each in enumerate(expectations(self._file)):
            yield PromiseTest.from_parent(self, name=each.name, place=place, line=each.line)
        yield GradientTest.from_parent(self, name="gradients")

    @cached_property
    def recording(self) -> Recording:
        """What the scenario does; raises `ScenarioError` if that shows it to be wrong."""
        from stepgrad.scenario.build import record_file  # noqa: PLC0415

        return record_file(self._file)

    @cached_property
    def checks(self) -> list[Check]:
        """What came of each promise, in their order."""
        from stepgrad.scenario.expect import checks  # noqa: PLC0415

        return checks(self._file, self.recording)

    @property
    def verdict(self) -> Verdict:
        """What `stepgrad check` makes of it."""
        from stepgrad.checking.verdict import judge  # noqa: PLC0415

        return judge(self.path.name, self.recording, self._file)

    def teardown(self) -> None:
        """Let go of the recording: a course has many."""
        self.__dict__.pop("recording", None)
        self.__dict__.pop("checks", None)


class ScenarioTest(pytest.Item):
    """A test of a scenario: it fails if there is something to tell."""

    parent: ScenarioTests

    def __init__(self, *, line: int = 1, **of_pytest: object) -> None:
        super().__init__(**of_pytest)  # type: ignore[arg-type]
        self._line = line

    @abstractmethod
    def told(self) -> Iterator[str]:
        """Yield what is wrong, in lines."""

    def runtest(self) -> None:
        """Fail, if something is wrong."""
        from stepgrad.errors import ScenarioError  # noqa: PLC0415

        try:
            told = "\n".join(self.told())
        except ScenarioError as error:
            told = str(error)
        if told:
            pytest.fail(told, pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where it stands."""
        return self.path, self._line - 1, f"{self.path.name}: {self.name}"


class UnreadableTest(ScenarioTest):
    """What stands in the place of all tests of a scenario that is not in order."""

    def __init__(self, *, error: ScenarioError, **of_pytest: object) -> None:
        super().__init__(**of_pytest)  # type: ignore[arg-type]
        self._error = error

    def told(self) -> Iterator[str]:
        """Yield what is wrong with the file."""
        yield str(self._error)


class PromiseTest(ScenarioTest):
    """One promised number."""

    def __init__(self, *, place: int, **of_pytest: object) -> None:
        super().__init__(**of_pytest)  # type: ignore[arg-type]
        self._place = place

    def told(self) -> Iterator[str]:
        """Yield what was promised, what came, and how."""
        from stepgrad.checking.verdict import shortfall  # noqa: PLC0415

        check = self.parent.checks[self._place]
        if not check.ok:
            yield from shortfall(self.parent.recording, check)


class GradientTest(ScenarioTest):
    """Reverse mode against other ways to the derivatives."""

    def told(self) -> Iterator[str]:
        """Yield what is not finite, and all comparisons, if one of them fails."""
        from stepgrad.checking.text import comparison_lines  # noqa: PLC0415

        verdict = self.parent.verdict
        if verdict.broken:
            yield verdict.broken
        if wrong := [each.way for each in verdict.ways if not each.ok]:
            yield f"the gradients are not those of {', '.join(wrong)}"
            yield from comparison_lines(verdict.ways)
