"""A scenario as a `Program` that a debugger can run again, and a session that does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from stepgrad.engine.ops import FUNCTIONS
from stepgrad.engine.value import Value
from stepgrad.engine.world import World
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.program import Edit, Program
from stepgrad.replay.quiz.tasks import Task
from stepgrad.replay.session import Session
from stepgrad.scenario.build import record_file
from stepgrad.scenario.form.sections import NetworkScenario
from stepgrad.scenario.graph.expression import names_in
from stepgrad.scenario.graph.statement import StatementError, parse_statement
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.program.graph import evaluated
from stepgrad.scenario.settings import SHORT, settings_of, with_settings


def rerun(file: ScenarioFile, memory: int | None = None) -> Program:
    """Return a scenario as a program; `memory` is the most bytes that a recording may take."""

    def run(edits: Mapping[str, Edit], world: World | None) -> Recording:
        numbers = {name: x for name, x in edits.items() if isinstance(x, float)}
        settings = {name: text for name, text in edits.items() if isinstance(text, str)}
        changed = with_settings(file, settings) if settings else file
        return record_file(changed, numbers, world, memory=memory)

    def exercises() -> Sequence[Task]:
        from stepgrad.scenario.exercises.posing import pose  # noqa: PLC0415 - few are asked

        return pose(file) if file.model.exercises else ()

    return Program(run, settings_of(file), SHORT, _bits(file), _evaluate, exercises)


def session_on(
    recording: Recording,
    scenario: ScenarioFile | None = None,
    position: int = 0,
    original: Recording | None = None,
) -> Session:
    """Return a session on a recording; that of a scenario can run again, in as much memory."""
    program = rerun(scenario, recording.memory) if scenario else None
    return Session.open(Cursor(recording, position), program, original)


def _bits(file: ScenarioFile) -> str:
    """A pattern of the names of a network's inputs and targets, if they are all 0 or 1."""
    if not isinstance(file.model, NetworkScenario):
        return ""
    data, classes = file.model.data, file.model.loss == "softmax_cross_entropy"
    inputs = all({*row} <= {0, 1} for row in data.inputs)
    targets = classes or all({*row} <= {0, 1} for row in data.targets)
    return rf"row\d+/[{'x' * inputs}{'t' * targets}]\d*" if inputs or targets else ""


def _evaluate(text: str, value_of: Callable[[str], float]) -> float:
    """Work out an expression, as in a statement of a graph."""
    try:
        expression = parse_statement(f"_ = {text}", FUNCTIONS).expression
    except StatementError as error:
        raise ValueError(error.problems[0][1]) from None
    used = {each.name for each in names_in(expression)}
    return evaluated(expression, {name: Value(value_of(name)) for name in used}).data
