"""Settings of a scenario that a debugger can edit: those of its training, activation and seed.

An edit replaces the text of a value in the file, and the file is read again: what it may say, and
what is wrong with it, is decided in one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from stepgrad.errors import ScenarioError, StepgradError
from stepgrad.scenario.form.reading import Reading
from stepgrad.scenario.form.rules import check_rules
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.text import Problems, Source
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
    from stepgrad.scenario.yaml.compose import compose  # noqa: PLC0415 - yaml is slow

    text = file.source.text
    places = {_extent(file, path): settings.get(str(path[-1])) for path in _paths(file)}
    for (start, end), new in sorted(places.items(), reverse=True):
        if new is not None:
            text = f"{text[:start]}{_value(new)}{text[end:]}"
    source = Source(file.path, text)
    problems = Problems(source)
    kind = type(file.model)
    try:
        document = compose(source, problems)
        assert isinstance(document.data, dict), "it was one before"
        data = {key: value for key, value in document.data.items() if key != "expect"}
        document = replace(document, data=data)
        reading = Reading(document, problems)
        model = reading.read(kind, data, ())
        check_rules(reading, kind, problems)
        problems.raise_if_any()
    except ScenarioError as error:
        raise StepgradError(error.diagnostics[0].message) from None
    return ScenarioFile(document, model, file.statements)


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
