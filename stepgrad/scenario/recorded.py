"""The scenario of a recording, from the text that the recording carries."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from stepgrad.engine.ops import FUNCTIONS
from stepgrad.progress import Cancelled, watching
from stepgrad.recording.recording import Recording
from stepgrad.scenario.build import empty_recording, record_file
from stepgrad.scenario.load import ScenarioFile, parse_scenario
from stepgrad.scenario.text import Source


def recorded_scenario(recording: Recording) -> ScenarioFile | None:
    """Return the scenario of a recording, whose expectations apply to it.

    None for the recording of a program, or if inputs, parameters or targets were edited.

    Raises:
        ScenarioError: this version of stepgrad does not accept the scenario.
    """
    source = recording.source
    if source is None or source.is_python:
        return None
    scenario = parse_scenario(Source(Path(source.path), source.text), FUNCTIONS)
    return None if _edited(scenario, recording) else scenario


def _edited(scenario: ScenarioFile, recording: Recording) -> bool:
    """Whether a recording starts from numbers other than those of its scenario."""
    fresh = empty_recording(scenario)
    with suppress(Cancelled), watching(_stop):  # the first pass has them all
        record_file(scenario, recording=fresh)
    fresh.settle()
    return any(
        not fresh.node(node).operands
        and repr(fresh.history.first_value(node)) != repr(recording.history.first_value(node))
        for node in range(min(fresh.size, recording.size))
    )


def _stop(_done: float) -> None:
    raise Cancelled
