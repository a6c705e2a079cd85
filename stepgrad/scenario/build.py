"""Running a scenario: its statements or its network, through Value, into a recording."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, assert_never, cast

from stepgrad.engine.nn import MLP
from stepgrad.engine.optim import SGD
from stepgrad.engine.tape import at_line, current_place, mark, scope
from stepgrad.engine.value import Value, constant
from stepgrad.errors import suggest
from stepgrad.recording.recorder import record
from stepgrad.recording.recording import Recording, Source
from stepgrad.recording.traced import Root, Traced
from stepgrad.scenario.expression import Apply, Expr, Name, Number
from stepgrad.scenario.load import ScenarioFile

if TYPE_CHECKING:
    from stepgrad.scenario.schema import GraphScenario, NetworkScenario, Samples, Train

_OPERATORS: dict[str, Callable[..., Value]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
}

WORTH_COMPILING = 20
"""After this many passes, compiling one has saved more time than it took."""

Edits = Mapping[str, float]
"""Other numbers for inputs, parameters and targets, by the names that nodes have."""


def record_file(file: ScenarioFile, edits: Edits = MappingProxyType({})) -> Recording:
    """Run a scenario, perhaps with other numbers, and return its recording.

    A scenario that trains begins each step with a mark, and ends with one more forward pass after
    the last update: the step of that number, which has no backward pass.
    """
    recording = Recording(file.title, Source(str(file.path), file.source.text))
    with record(recording):
        program = _graph(file, edits) if file.statements else _network(file, edits)
        passes = _run(program, file.model.train)
        next(passes)
        recording.settle()
        _check_names(file, recording)  # training may take long, and makes no new names
        deque(passes, maxlen=0)
    return recording


def _check_names(file: ScenarioFile, recording: Recording) -> None:
    """Raise `ScenarioError` for expectations of names that no node of a network has."""
    names = recording.names(recording.length)
    expect = file.model.expect
    unknown = [
        (file.document.key_index(("expect", section, name)), name)
        for section, promised in (("values", expect.values), ("grads", expect.grads))
        for name in promised
        if name not in names
    ]
    if unknown:
        raise file.source.error(
            (index, f"unknown name `{name}`{suggest(name, names)}") for index, name in unknown
        )


@dataclass(frozen=True, slots=True)
class _Program:
    """A forward pass that can be run again and again, and what training may change of it.

    `forward` returns the root of the backward pass, or None for a scenario without one.
    """

    parameters: list[Value]
    forward: Callable[[], Value | None]


def _run(program: _Program, train: Train | None) -> Iterator[None]:
    """Run a program, or train it; pause after each pass through it."""
    if train is None:
        root: Root | None = program.forward()
        if root is not None:
            root.backward()
        yield
        return
    optimizer = SGD(program.parameters, train.learning_rate)
    forward: Callable[[], Root | None] = program.forward
    if train.steps >= WORTH_COMPILING:
        forward = Traced(program.forward)
    for step in range(train.steps):
        mark("step", step)
        root = forward()
        if train.zero_grad:
            optimizer.zero_grad()
        if root is not None:
            root.backward()
        optimizer.step()
        yield
    mark("step", train.steps)
    forward()
    yield


def _graph(file: ScenarioFile, edits: Edits) -> _Program:
    """Make the program of a graph scenario."""
    model = cast("GraphScenario", file.model)

    def leaves(section: Literal["inputs", "params"]) -> dict[str, Value]:
        made = {}
        for name, number in getattr(model, section).items():
            with at_line(file.line(section, name)):
                made[name] = Value(edits.get(name, number), label=name)
        return made

    # Inputs come first, as in the file; in training, parameters outlive them.
    inputs = leaves("inputs") if model.train is None else None
    parameters = leaves("params")

    def forward() -> Value | None:
        values = {**(leaves("inputs") if inputs is None else inputs), **parameters}
        for statement in file.statements:
            with at_line(statement.line):
                value = _evaluate(statement.expression, values)
                if isinstance(statement.expression, Number):  # `c = 2` is an input like others
                    value = Value(edits.get(statement.target, statement.expression.value))
                value.label = statement.target
            values[statement.target] = value
        return values[model.backward] if model.backward else None

    return _Program(list(parameters.values()), forward)


def _evaluate(expression: Expr, values: Mapping[str, Value]) -> Value:
    match expression:
        case Number(value=number):
            return constant(number)
        case Name(name=name):
            return values[name]
        case Apply(op=op, operands=operands):
            numbers = [_evaluate(operand, values) for operand in operands]
            return (_OPERATORS.get(op) or getattr(Value, op))(*numbers)
    assert_never(expression)


def _network(file: ScenarioFile, edits: Edits) -> _Program:
    """Make the program of a network scenario."""
    model = cast("NetworkScenario", file.model)
    with at_line(file.line("network")):
        network = _weights(model)
    for parameter in network.parameters():
        # Not a write that the program does: it starts from this number.
        parameter._data = edits.get(parameter.label or "", parameter._data)

    def forward() -> Value:
        errors: list[Value] = []
        for row in range(len(model.data.inputs)):
            with scope(f"row{row + 1}"):
                errors += _errors(file, network, model.data, row, edits)
        with at_line(file.line("loss")):
            loss = _total(errors)
            if model.loss == "mean_squared_error":
                loss = loss / len(errors)
            loss.label = "loss"
        return loss

    return _Program(network.parameters(), forward)


def _weights(model: NetworkScenario) -> MLP:
    """Draw the numbers of a network, or take those of the file."""
    spec = model.network
    if spec.init is not None:
        draw = Random(spec.init.seed)
        return MLP.drawn(spec.sizes, spec.activations, draw, spec.init.weights, spec.init.bias)
    assert spec.weights is not None, "the schema asks for `init` or for these"
    assert spec.biases is not None, "the schema asks for `init` or for these"
    # The file has a row for each input, as x·W is written; a neuron wants its column.
    matrices = [[list(column) for column in zip(*matrix, strict=True)] for matrix in spec.weights]
    return MLP(matrices, spec.biases, spec.activations)


def _errors(file: ScenarioFile, network: MLP, data: Samples, row: int, edits: Edits) -> list[Value]:
    """Show a sample to the network; return the squared error of each output."""
    here = current_place().scope
    with at_line(file.line("data", "inputs", row)):
        inputs = [
            Value(edits.get(f"{here}/x{i}", x), label=f"x{i}")
            for i, x in enumerate(data.inputs[row], 1)
        ]
    with at_line(file.line("network")):
        outputs = network(inputs)
    errors = []
    several = len(outputs) > 1
    for i, (output, target) in enumerate(zip(outputs, data.targets[row], strict=True), 1):
        number = str(i) if several else ""
        output.label = f"y{number}"
        with at_line(file.line("data", "targets", row)):
            wanted = constant(edits.get(f"{here}/t{number}", target))
            wanted.label = f"t{number}"
            error = (output - wanted) ** 2
            error.label = f"error{number}"
        errors.append(error)
    return errors


def _total(values: Iterable[Value]) -> Value:
    total, *rest = values
    for value in rest:
        total = total + value
    return total
