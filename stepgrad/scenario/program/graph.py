"""Graph scenarios: their statements, run through Value."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, assert_never, cast

from stepgrad.engine.tape import at_line, mark, seed
from stepgrad.engine.value import Value, constant
from stepgrad.scenario.form.sections import GraphScenario
from stepgrad.scenario.graph.expression import Apply, Expr, Name, Number
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.program import Edits, Program, Rows

_OPERATORS: dict[str, Callable[..., Value]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
}


def graph_program(file: ScenarioFile, edits: Edits) -> Program:
    """Return the program of a graph scenario."""
    model = cast("GraphScenario", file.model)
    # Inputs come first, as in the file; in training, parameters outlive them.
    inputs = _leaves(file, edits, "inputs") if model.train is None else None
    parameters = _leaves(file, edits, "params")

    def forward(_rows: Rows) -> Value | None:
        given = _leaves(file, edits, "inputs") if inputs is None else inputs
        values = _computed(file, edits, {**given, **parameters})
        return values[model.backward] if model.backward else None

    return Program(list(parameters.values()), (), forward)


def both_modes(file: ScenarioFile, edits: Edits) -> tuple[Iterator[None], int, int]:
    """Return the passes, forward mode first; how many of them use every row; and their number."""
    model = cast("GraphScenario", file.model)

    def forward(by: str = "") -> dict[str, Value]:
        leaves = _leaves(file, edits, "inputs", by) | _leaves(file, edits, "params", by)
        return _computed(file, edits, leaves, by)

    def passes() -> Iterator[None]:
        for name in model.wrt:
            mark(f"forward mode with respect to {name}")
            forward(name)
            yield
        if model.backward:
            mark("reverse mode")
            forward()[model.backward].backward()
            yield

    return passes(), 1, len(model.wrt) + (model.backward is not None)


def _leaves(
    file: ScenarioFile, edits: Edits, section: Literal["inputs", "params"], by: str = ""
) -> dict[str, Value]:
    """Make the inputs or the parameters of a graph, and seed the one called `by`."""
    made = {}
    for name, number in getattr(file.model, section).items():
        with at_line(file.line(section, name)):
            made[name] = Value(edits.get(name, number), label=name)
        if name == by:
            seed(made[name], 1.0)
    return made


def _computed(
    file: ScenarioFile, edits: Edits, leaves: Mapping[str, Value], by: str = ""
) -> dict[str, Value]:
    """Run the statements of a graph; return all values by name."""
    values = dict(leaves)
    for statement in file.statements:
        with at_line(statement.line):
            value = evaluated(statement.expression, values)
            if isinstance(statement.expression, Number):  # `c = 2` is an input, too
                value = Value(edits.get(statement.target, statement.expression.value))
                if statement.target == by:
                    seed(value, 1.0)
            value.label = statement.target
        values[statement.target] = value
    return values


def evaluated(expression: Expr, values: Mapping[str, Value]) -> Value:
    """Return an expression as a computed value, from the values of its names."""
    match expression:
        case Number(value=number):
            return constant(number)
        case Name(name=name):
            return values[name]
        case Apply(op=op, operands=operands):
            first, *others = (evaluated(operand, values) for operand in operands)
            # A method of the operand: those of plain numbers are others.
            result: Value = (
                _OPERATORS[op](first, *others) if op in _OPERATORS else getattr(first, op)(*others)
            )
            return result
    assert_never(expression)
