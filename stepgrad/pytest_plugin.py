"""Scenarios as tests: pytest collects them, and a fixture replays whatever a test names.

A YAML file that has a `graph:` or a `network:` beside its `title:` is a scenario. Its expectations
become the tests of a course: one for each promised number, and one that the gradients agree with
other ways to them. `stepgrad_scenarios` in pytest's settings names other patterns, or none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from stepgrad.headless import Replay
    from stepgrad.recording.recording import Recording
    from stepgrad.scenario.expect import Check

PATTERNS = ["*.yaml", "*.yml"]

_TITLE = re.compile(r"^title\s*:", re.MULTILINE)
_BODY = re.compile(r"^(graph|network)\s*:", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say which files may be scenarios."""
    parser.addini(
        "stepgrad_scenarios",
        "patterns of the scenario files that stepgrad collects; empty for none",
        type="args",
        default=PATTERNS,
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioTests | None:
    """Collect a scenario."""
    patterns = parent.config.getini("stepgrad_scenarios")
    if not any(file_path.match(pattern) for pattern in patterns) or not _is_scenario(file_path):
        return None
    return ScenarioTests.from_parent(parent, path=file_path)


def _is_scenario(path: Path) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    return bool(_TITLE.search(text) and _BODY.search(text))


@pytest.fixture
def stepgrad_replay() -> Callable[..., Replay]:
    """Replay a scenario: `stepgrad_replay("two_layer").press("f n n n").grad("y")`.

    Or a program, or a saved recording, as `stepgrad replay` takes them.
    """
    return _replay


def _replay(name: str | PathLike[str]) -> Replay:
    # Only tests that replay wait for these.
    from stepgrad.headless import Replay  # noqa: PLC0415
    from stepgrad.opening import is_scenario, open_typed  # noqa: PLC0415
    from stepgrad.replay.cursor import Cursor  # noqa: PLC0415
    from stepgrad.replay.session import Session  # noqa: PLC0415

    if is_scenario(fspath(name)):
        return Replay.of(name)
    return Replay(Session.open(Cursor(open_typed(fspath(name)).recording)))


class ScenarioTests(pytest.File):
    """The tests of a scenario file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Run the scenario, and yield a test for each promise, and one for the gradients."""
        # pytest starts for other tests as well: they do not wait for these.
        from stepgrad.errors import ScenarioError  # noqa: PLC0415
        from stepgrad.scenario import open_scenario  # noqa: PLC0415
        from stepgrad.scenario.build import record_file  # noqa: PLC0415
        from stepgrad.scenario.expect import checks  # noqa: PLC0415

        try:
            file = open_scenario(self.path)
            recording = record_file(file)
        except ScenarioError as error:
            raise self.CollectError(str(error)) from None
        for check in checks(file, recording):
            yield PromiseTest.from_parent(self, name=check.name, recording=recording, check=check)
        yield GradientTest.from_parent(self, name="gradients", recording=recording)


class PromiseTest(pytest.Item):
    """One promised number."""

    def __init__(self, *, recording: Recording, check: Check, **of_pytest: object) -> None:
        super().__init__(**of_pytest)  # type: ignore[arg-type]
        self._recording = recording
        self._check = check

    def runtest(self) -> None:
        """Hold the promise against the recording."""
        if not self._check.ok:
            from stepgrad.checking.verdict import shortfall  # noqa: PLC0415

            told = shortfall(self._recording, self._check)
            pytest.fail("\n".join(told), pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where the promise stands."""
        return self.path, self._check.line - 1, self.name


class GradientTest(pytest.Item):
    """Reverse mode against other ways to the derivatives."""

    def __init__(self, *, recording: Recording, **of_pytest: object) -> None:
        super().__init__(**of_pytest)  # type: ignore[arg-type]
        self._recording = recording

    def runtest(self) -> None:
        """Compare."""
        from stepgrad.checking.text import comparison_lines  # noqa: PLC0415
        from stepgrad.checking.ways import verify  # noqa: PLC0415

        found = verify(self._recording)
        if not all(comparison.ok for comparison in found):
            pytest.fail("\n".join(comparison_lines(found)), pytrace=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say which file it is about."""
        return self.path, None, self.name
