"""Scenarios: YAML files that say what to compute, what to expect, and what to look at.

The way of a file: `source` and `compose` read it, `schema`, `rules` and `names` hold it against
what a scenario may be, `build` runs it into a recording, `expect` checks what came out. `library`
knows the ones that ship.
"""

from os import PathLike

from stepgrad.engine.ops import FUNCTIONS
from stepgrad.recording.recording import Recording
from stepgrad.scenario.build import record_file
from stepgrad.scenario.library import gallery, locate, shipped, shipped_programs
from stepgrad.scenario.load import ScenarioFile, load_scenario_file
from stepgrad.scenario.programs import ProgramFile

__all__ = [
    "ProgramFile",
    "ScenarioFile",
    "gallery",
    "locate",
    "open_scenario",
    "record_scenario",
    "shipped",
    "shipped_programs",
]


def open_scenario(name: str | PathLike[str]) -> ScenarioFile:
    """Read a scenario: a path, or the name of a shipped one (`two_layer`).

    Raises:
        ScenarioError: with everything that is wrong with the file.
    """
    return load_scenario_file(locate(name), FUNCTIONS, [*shipped(), *shipped_programs()])


def record_scenario(name: str | PathLike[str]) -> Recording:
    """Run a scenario, given by path or by the name of a shipped one, and return its recording.

    Raises:
        ScenarioError: with everything that is wrong with the file.
    """
    return record_file(open_scenario(name))
