"""Scenarios as tests: pytest collects them, and a fixture replays whatever a test names.

A scenario's expectations become the tests of a course: one for each expected number, one that the
gradients agree with other ways to compute them, and one for the verdicts that it promises. Files
are collected by name: `*.scenario.yaml`, and what `stepgrad_scenarios` in pytest's settings
names.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stepgrad.checking.result import Result
    from stepgrad.errors import ScenarioError
    from stepgrad.harness import Replay
    from stepgrad.recording.recording import Recording
    from stepgrad.scenario import ScenarioFile
    from stepgrad.scenario.expect import Check

NAMES = ["*.scenario.yaml", "*.scenario.yml"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say which files are scenarios."""
    parser.addini(
        "stepgrad_scenarios",
        "patterns of the scenario files that stepgrad collects, besides *.scenario.yaml",
        type="args",
        default=[],
    )
    parser.addini(
        "stepgrad_strict",
        "whether a scenario fails if `stepgrad diagnose` finds anything that it does not promise",
        type="bool",
        default=False,
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioTests | None:
    """Collect a file whose name says that it is a scenario."""
    if any(map(file_path.match, [*NAMES, *parent.config.getini("stepgrad_scenarios")])):
        return ScenarioTests.from_parent(parent, path=file_path)
    return None


def _shown(path: Path) -> Path:
    """Write a path as a person in this folder does: messages begin with it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


@pytest.fixture
def stepgrad_replay(request: pytest.FixtureRequest) -> Callable[..., Replay]:
    """Replay a scenario: `stepgrad_replay("two_layer").press("f n n n").grad("y")`.

    Also takes a program with its arguments, or a saved recording, as `stepgrad replay` does, and
    the recording that `record()` returned. A file is looked up beside the test first, then in the
    working directory. If the program fails, so does the test.
    """
    folder = request.path.parent

    def replay(name: str | PathLike[str] | Recording, *arguments: str) -> Replay:
        __tracebackhide__ = True
        from stepgrad.errors import StepgradError  # noqa: PLC0415 - only for tests that replay
        from stepgrad.recording.recording import Recording  # noqa: PLC0415

        if isinstance(name, Recording):
            return _opened(name)
        try:
            return _replay(_found(fspath(name), folder), arguments)
        except StepgradError as error:
            raise error.with_traceback(None) from None

    return replay


def _found(name: str, folder: Path) -> str:
    """Return what a test means by a name: a file beside it, one here, or a shipped lesson."""
    from stepgrad.scenario import shipped, shipped_programs  # noqa: PLC0415

    beside = folder / name
    elsewhere = (
        name.startswith("-m ") or name in (*shipped(), *shipped_programs()) or Path(name).exists()
    )
    return name if elsewhere and not beside.is_file() else str(_shown(beside))


def _replay(name: str, arguments: tuple[str, ...]) -> Replay:
    from stepgrad.errors import StepgradError  # noqa: PLC0415
    from stepgrad.harness import Replay  # noqa: PLC0415
    from stepgrad.opening import is_program, is_scenario, open_typed  # noqa: PLC0415

    if arguments and not is_program(name):
        raise StepgradError(f"{name}: only a program takes arguments: {' '.join(arguments)}")
    if is_scenario(name):
        return Replay.of(name)
    try:
        opened = open_typed(name, arguments)
    except SystemExit as ended:  # a process that the program forked: it runs no tests
        os._exit(ended.code if isinstance(ended.code, int) else 1)
    if opened.status:
        raise StepgradError(f"{name}: the program ended with exit status {opened.status}")
    return _opened(opened.recording)


def _opened(recording: Recording) -> Replay:
    from stepgrad.harness import Replay  # noqa: PLC0415
    from stepgrad.replay.cursor import Cursor  # noqa: PLC0415
    from stepgrad.replay.session import Session  # noqa: PLC0415

    return Replay(Session.open(Cursor(recording)))


class ScenarioTests(pytest.File):
    """The tests of a scenario file; the scenario runs when the first of them does."""

    _file: ScenarioFile

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each expectation and one for the gradients, or one that says why not.

        And one for the verdicts, where the file promises any or the settings are strict.
        """
        # pytest runs for other tests as well: they do not wait for these imports.
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
        if self.config.getini("stepgrad_strict") or self._file.model.expect.verdicts is not None:
            yield VerdictTest.from_parent(self, name="verdicts")

    @cached_property
    def recording(self) -> Recording:
        """A run of the scenario; raises `ScenarioError` if that shows it to be wrong."""
        from stepgrad.scenario.build import record_file  # noqa: PLC0415
        from stepgrad.scenario.lesson import check_lesson  # noqa: PLC0415

        recording = record_file(self._file)
        check_lesson(recording, self._file)
        return recording

    @cached_property
    def checks(self) -> list[Check]:
        """The result of each expectation, in order."""
        from stepgrad.scenario.expect import checks  # noqa: PLC0415

        return checks(self._file, self.recording)

    @cached_property
    def result(self) -> Result:
        """The result of `stepgrad check`."""
        from stepgrad.checking.result import judge  # noqa: PLC0415

        strict = self.config.getini("stepgrad_strict")
        return judge(self.path.name, self.recording, self._file, strict=strict)

    def teardown(self) -> None:
        """Free the recording: a course has many."""
        for name in ("recording", "checks", "result"):
            self.__dict__.pop(name, None)


class ScenarioTest(pytest.Item):
    """A test of a scenario: it fails if there is something to report."""

    parent: ScenarioTests

    def __init__(self, *, line: int = 1, **of_pytest: object) -> None:
        super().__init__(**of_pytest)  # type: ignore[arg-type]
        self._line = line

    @abstractmethod
    def problems(self) -> Iterator[str]:
        """Yield what is wrong, in lines."""

    def runtest(self) -> None:
        """Fail if something is wrong."""
        from stepgrad.errors import NotEnoughMemoryError, ScenarioError  # noqa: PLC0415

        try:
            problems = "\n".join(self.problems())
        except ScenarioError as error:
            problems = str(error)
        except MemoryError:
            problems = str(NotEnoughMemoryError())
        if problems:
            pytest.fail(problems, pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file, the line and the name."""
        return self.path, self._line - 1, f"{self.path.name}: {self.name}"


class UnreadableTest(ScenarioTest):
    """The only test of a scenario that cannot be read."""

    def __init__(self, *, error: ScenarioError, **of_pytest: object) -> None:
        super().__init__(**of_pytest)  # type: ignore[arg-type]
        self._error = error

    def problems(self) -> Iterator[str]:
        """Yield what is wrong with the file."""
        yield str(self._error)


class PromiseTest(ScenarioTest):
    """One expected number."""

    def __init__(self, *, place: int, **of_pytest: object) -> None:
        super().__init__(**of_pytest)  # type: ignore[arg-type]
        self._place = place

    def problems(self) -> Iterator[str]:
        """Yield the expected number, the actual one, and how it came about."""
        from stepgrad.checking.result import shortfall  # noqa: PLC0415

        check = self.parent.checks[self._place]
        if not check.ok:
            yield from shortfall(self.parent.recording, check)


class GradientTest(ScenarioTest):
    """Reverse mode against other ways to compute the derivatives."""

    def problems(self) -> Iterator[str]:
        """Yield what is not finite, and all comparisons if one of them fails."""
        from stepgrad.checking.text import comparison_lines  # noqa: PLC0415

        result = self.parent.result
        if result.broken:
            yield result.broken
        if wrong := [each.way for each in result.ways if not each.ok]:
            yield f"the gradients disagree with {', '.join(wrong)}"
            yield from comparison_lines(result.ways)
        for each in result.findings:
            self.user_properties.append((f"verdict: {each.verdict}", each.text))


class VerdictTest(ScenarioTest):
    """What a diagnosis finds, against what the scenario promises."""

    def problems(self) -> Iterator[str]:
        """Yield the verdicts that nothing promises, and the promised ones that are not given."""
        from stepgrad.checking.text import finding_lines  # noqa: PLC0415

        result = self.parent.result
        if result.sick:
            yield from finding_lines(result)
