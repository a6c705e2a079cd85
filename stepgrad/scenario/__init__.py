"""Scenarios: YAML files that say what to compute, what to expect, and what to look at.

`load` reads a file: its `text`, its `yaml`, its `form`, and the statements of its `graph`. `build`
runs it, as a `program`, and records what happens; `expect` compares the numbers. `library` knows
the lessons that ship.
"""

from os import PathLike

from stepgrad.engine.ops import FUNCTIONS
from stepgrad.recording.memory import as_bytes
from stepgrad.recording.recording import Recording
from stepgrad.scenario.build import record_file
from stepgrad.scenario.library import (
    gallery,
    lesson_name,
    locate,
    matches,
    shipped,
    shipped_lessons,
    shipped_programs,
)
from stepgrad.scenario.load import ScenarioFile, load_scenario_file
from stepgrad.scenario.programs import ProgramFile

__all__ = [
    "ProgramFile",
    "ScenarioFile",
    "gallery",
    "lesson_name",
    "locate",
    "matches",
    "open_scenario",
    "record_scenario",
    "shipped",
    "shipped_lessons",
    "shipped_programs",
]


def open_scenario(name: str | PathLike[str]) -> ScenarioFile:
    """Read a scenario: a path, or the name of a shipped one (`two_layer`).

    Raises:
        ScenarioError: with everything that is wrong with the file.
    """
    return load_scenario_file(locate(name), FUNCTIONS, [*shipped(), *shipped_programs()])


def record_scenario(name: str | PathLike[str], *, memory: int | str | None = None) -> Recording:
    """Run a scenario, given by path or by the name of a shipped one, and return its recording.

    `memory` is the most that it may take, in bytes or as `"500MB"`, as in `record()`.

    Raises:
        ScenarioError: with everything that is wrong with the file.
        ValueError: `memory` is not a size.
    """
    return record_file(open_scenario(name), memory=None if memory is None else as_bytes(memory))
