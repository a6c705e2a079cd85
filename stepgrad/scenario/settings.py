"""Settings of a scenario that a debugger can edit: those of its training, activation and seed.

An edit replaces the text of a value in the file, and the file is read again: what it may say, and
what is wrong with it, is decided in one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stepgrad.engine.ops import FUNCTIONS
from stepgrad.errors import ScenarioError, StepgradError
from stepgrad.scenario.load import ScenarioFile, parse_scenario
from stepgrad.scenario.text import Source
from stepgrad.scenario.yaml.document import Path

SHORT = {"lr": "learning_rate"}
"""Other names of settings."""

_ELSEWHERE: tuple[Path, ...] = (("network", "activation"), ("network", "init", "seed"))


def settings_of(file: ScenarioFile) -> dict[str, str]:
    """Return the settings that the file has, by name, each as it is written."""
    return {str(path[-1]): file.source.text[slice(*_extent(file, path))] for path in _paths(file)}


def with_settings(file: ScenarioFile, settings: Mapping[str, str]) -> ScenarioFile:
    """Return the scenario with other settings; it expects nothing, as its numbers are others.

    Raises:
        StepgradError: the file could not say that; with what would be wrong with it.
    """
    text = file.source.text
    places = {_extent(file, path): settings.get(str(path[-1])) for path in _paths(file)}
    for (start, end), new in sorted(places.items(), reverse=True):
        if new is not None:
            text = f"{text[:start]}{_value(new)}{text[end:]}"
    try:
        return parse_scenario(Source(file.path, text), FUNCTIONS, expects=False)
    except ScenarioError as error:
        raise StepgradError(error.diagnostics[0].message) from None


def _paths(file: ScenarioFile) -> Iterator[Path]:
    """Where the settings are."""
    for path in file.document.places:
        if path in _ELSEWHERE or (len(path) == 2 and path[0] == "train"):
            yield path


def _extent(file: ScenarioFile, path: Path) -> tuple[int, int]:
    """Where the text of a value begins and ends."""
    place = file.document.places[path]
    written = file.source.text[place.start : place.end].rstrip()
    return place.start, place.start + len(written)


def _value(text: str) -> str:
    """Several values are a list, with its brackets or without."""
    return f"[{text}]" if "," in text and not text.startswith("[") else text
