"""From a path to a valid scenario, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from stepgrad.errors import ScenarioError
from stepgrad.printable import printable, printable_lines
from stepgrad.scenario.document import Document
from stepgrad.scenario.document import Path as DataPath
from stepgrad.scenario.source import Problems, Source, name_of, neighbours, read_source
from stepgrad.scenario.statement import Statement

if TYPE_CHECKING:
    from stepgrad.scenario.schema import Scenario


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A scenario file that was read and found valid.

    `statements` are those of a graph scenario, with their lines; a network has none.
    """

    document: Document
    model: Scenario
    statements: tuple[Statement, ...] = ()

    @property
    def path(self) -> Path:
        """Where the file was read from."""
        return self.source.path

    @property
    def name(self) -> str:
        """What the scenario is called, as other scenarios and messages name it."""
        return name_of(self.path)

    @property
    def source(self) -> Source:
        """The text of the file and its lines."""
        return self.document.source

    @property
    def title(self) -> str:
        """The title, one line."""
        return printable(self.model.title)

    @property
    def lesson(self) -> str:
        """The lesson, Markdown."""
        return printable_lines(self.model.lesson)

    def line(self, *path: str | int) -> int:
        """Return the line, from 1, of the entry at a path such as `"expect", "values", "loss"`."""
        return self.source.position(self.document.key_index(path))[0]

    def error(self, path: DataPath, message: str) -> ScenarioError:
        """Return an error about the entry at `path`, for mistakes that show only in a run."""
        return self.source.error([(self.document.key_index(path), message)])


def load_scenario_file(
    path: str | PathLike[str], functions: Mapping[str, int], shipped: Iterable[str] = ()
) -> ScenarioFile:
    """Read the scenario at `path`.

    `functions` gives the number of arguments of each function that a statement may call; `shipped`
    are names to suggest for a file that does not exist. Raises `ScenarioError` with every problem
    that is found.
    """
    source = read_source(Path(path), shipped)
    return parse_scenario(source, functions, {*shipped, *neighbours(source.path)})


def parse_scenario(
    source: Source, functions: Mapping[str, int], lessons: Collection[str] | None = None
) -> ScenarioFile:
    """Return the scenario in `source`; raises `ScenarioError` as `load_scenario_file` does.

    `lessons` are the scenarios that it can name under `after`, if they are known.
    """
    # yaml and pydantic are slow to import, so they wait until they are needed.
    from stepgrad.scenario.compose import compose  # noqa: PLC0415

    problems = Problems(source)
    document = compose(source, problems)

    from stepgrad.scenario.names import read_graph  # noqa: PLC0415
    from stepgrad.scenario.rules import check_after, check_rules  # noqa: PLC0415
    from stepgrad.scenario.schema import GraphScenario  # noqa: PLC0415
    from stepgrad.scenario.validate import scenario_kind, validate  # noqa: PLC0415

    model: Scenario | None = None
    statements: tuple[Statement, ...] = ()
    if kind := scenario_kind(document, problems):
        model = validate(document, kind, problems)
        if kind is GraphScenario:  # the names of a network are known when it is built
            statements = read_graph(document, functions, problems)
        check_rules(document, kind, problems)
        if lessons is not None:
            check_after(document, lessons, problems)
    problems.raise_if_any()
    assert model is not None, "a file that is not a scenario has problems"
    return ScenarioFile(document, model, statements)
