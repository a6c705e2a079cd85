"""Scenarios that are run: from text to the numbers that came out."""

from pathlib import Path

from stepgrad import Recording, State
from stepgrad.engine.ops import FUNCTIONS
from stepgrad.scenario.build import record_file
from stepgrad.scenario.load import ScenarioFile, parse_scenario
from stepgrad.scenario.text import Source

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))


def read(text: str) -> ScenarioFile:
    return parse_scenario(Source(Path("s.yaml"), text), FUNCTIONS)


def run(text: str) -> Recording:
    return record_file(read(text))


def values(recording: Recording, position: int | None = None) -> dict[str, float | None]:
    """Every named value at a position, or at the end."""
    state = State(recording, recording.length if position is None else position)
    return {name: state.value(node) for name, node in recording.names(state.position).items()}


def grads(recording: Recording, position: int | None = None) -> dict[str, float | None]:
    """Every named gradient at a position, or at the end."""
    state = State(recording, recording.length if position is None else position)
    return {name: state.grad(node) for name, node in recording.names(state.position).items()}
