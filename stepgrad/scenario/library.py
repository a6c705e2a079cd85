"""The scenarios that ship with stepgrad: where they are, and how a user names one."""

from functools import cache
from os import PathLike
from pathlib import Path

from stepgrad.engine.ops import FUNCTIONS
from stepgrad.errors import Diagnostic, ScenarioError
from stepgrad.scenario.load import ScenarioFile, load_scenario_file

_PACKAGE = Path(__file__).parents[1]


@cache
def shipped() -> dict[str, Path]:
    """Return the shipped scenario files by name (`two_layer`), in alphabetical order."""
    # In an installed package they are inside it; in a checkout they are beside it.
    for folder in (_PACKAGE / "scenarios", _PACKAGE.parent / "scenarios"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


def gallery() -> dict[str, ScenarioFile]:
    """Return the shipped scenarios by name, in the order in which to learn them."""
    files = {name: load_scenario_file(path, FUNCTIONS) for name, path in shipped().items()}
    return dict(sorted(files.items(), key=lambda item: (*item[1].model.place, item[0])))


def locate(name: str | PathLike[str]) -> Path:
    """Return the path that a user means: a file as it is, or a shipped scenario by its name.

    Raises `ScenarioError` for an empty name, which as a path would be the current folder.
    """
    if not str(name):
        raise ScenarioError("''", [Diagnostic(1, 1, "the name is empty")])
    path = Path(name)
    ours = shipped().get(str(name))
    return path if ours is None or path.exists() else ours
