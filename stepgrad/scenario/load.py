"""From a path to a valid scenario, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from stepgrad.errors import ScenarioError, nearest
from stepgrad.printable import printable, printable_lines
from stepgrad.scenario.after import check_after
from stepgrad.scenario.form.reading import Reading, described
from stepgrad.scenario.form.rules import check_rules
from stepgrad.scenario.form.sections import GraphScenario, NetworkScenario, Scenario
from stepgrad.scenario.graph.names import read_graph
from stepgrad.scenario.graph.statement import Statement
from stepgrad.scenario.text import Problems, Source, name_of, read_source
from stepgrad.scenario.yaml.document import Document
from stepgrad.scenario.yaml.document import Path as DataPath


@dataclass(frozen=True, slots=True, eq=False)
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
    return parse_scenario(source, functions, [*shipped])


def parse_scenario(
    source: Source,
    functions: Mapping[str, int],
    shipped: Collection[str] | None = None,
    *,
    expects: bool = True,
) -> ScenarioFile:
    """Return the scenario in `source`; raises `ScenarioError` as `load_scenario_file` does.

    Under `after` it can name what is `shipped`, and files in its folder; None checks no names.
    Unless it `expects` what is under `expect`, that is left out.
    """
    from stepgrad.scenario.yaml.compose import compose  # noqa: PLC0415 - yaml is slow

    problems = Problems(source)
    document = compose(source, problems)
    if not expects and isinstance(document.data, dict):
        data = {key: value for key, value in document.data.items() if key != "expect"}
        document = replace(document, data=data)
    model: Scenario | None = None
    statements: tuple[Statement, ...] = ()
    if kind := _kind(document, problems):
        reading = Reading(document, problems)
        model = reading.read(kind, document.data, ())
        if kind is GraphScenario:  # the names of a network are known when it is built
            statements = read_graph(document, functions, problems)
        check_rules(reading, kind, problems)
        if shipped is not None:
            check_after(document, shipped, problems)
    problems.raise_if_any()
    assert model is not None, "a file that is not a scenario has problems"
    return ScenarioFile(document, model, statements)


_KINDS: dict[str, type[Scenario]] = {"graph": GraphScenario, "network": NetworkScenario}


def _kind(document: Document, problems: Problems) -> type[Scenario] | None:
    """Return the kind of scenario in `document`, by its keys, or None after noting a problem."""
    data = document.data
    if not isinstance(data, dict):
        found = described(document, data, ())
        problems.add(document.index(()), f"expected a mapping such as `title: …`, not {found}")
        return None
    kinds = [key for key in data if key in _KINDS]
    if len(kinds) == 1:
        return _KINDS[str(kinds[0])]
    if kinds:
        message = "a scenario has either `graph` or `network`, not both"
        problems.add(document.key_index((kinds[1],)), message)
        return None
    for kind in _KINDS:
        if near := nearest(kind, (key for key in data if isinstance(key, str))):
            message = f"unknown key `{near}`; did you mean `{kind}`?"
            problems.add(document.key_index((near,)), message)
            return None
    problems.add(document.index(()), "a scenario needs `graph` or `network`")
    return None
