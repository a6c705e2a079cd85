"""What a scenario builds on: lessons that there are, and none that builds on it in turn."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from stepgrad.errors import ScenarioError, suggest
from stepgrad.scenario.text import Problems, name_of, neighbours, read_source
from stepgrad.scenario.yaml.document import Document


def check_after(document: Document, shipped: Collection[str], problems: Problems) -> None:
    """Note every name under `after` of which there is no lesson, or which leads back to this one.

    A lesson is `shipped`, or a file in the same folder. Those that ship build on each other only.
    """
    path = document.source.path
    files = neighbours(path)
    own = {name: file for name, file in files.items() if name not in shipped}
    for number, name in _names(document):
        if name == name_of(path):
            problem = "a scenario cannot build on itself"
        elif name not in files and name not in shipped:
            problem = f"scenario `{name}` neither ships with stepgrad nor is in this folder"
            problem += suggest(name, sorted({*files, *shipped}))
        elif name_of(path) in _below(name, own):
            problem = f"scenario `{name}` builds on this one, so neither can come first"
        else:
            continue
        problems.add(document.index(("after", number)), problem)


def _below(name: str, files: Mapping[str, str]) -> set[str]:
    """Return all that a lesson builds on, as far as that is in these files."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        if path := files.get(ahead.pop()):
            new = set(_read_names(Path(path))) - found
            found |= new
            ahead += new
    return found


def _read_names(path: Path) -> list[str]:
    """Return the names in another file; none if it cannot be read, which its own check says."""
    from stepgrad.scenario.yaml.compose import compose  # noqa: PLC0415 - yaml is slow

    try:
        source = read_source(path)
        return [name for _, name in _names(compose(source, Problems(source)))]
    except ScenarioError:
        return []


def _names(document: Document) -> Iterator[tuple[int, str]]:
    """Yield the names under `after`, and the place of each; what is not a name is for the form."""
    after = document.data.get("after") if isinstance(document.data, dict) else ()
    for number, name in enumerate(after if isinstance(after, tuple) else ()):
        if isinstance(name, str):
            yield number, name
