"""Running a scenario: its statements or its network, through Value, into a recording."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from math import ceil
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, assert_never, cast

from stepgrad.engine.losses import binary_cross_entropy, softmax_cross_entropy, squared_error
from stepgrad.engine.nn import MLP
from stepgrad.engine.optim import SGD, Adam, clip_norm
from stepgrad.engine.tape import at_line, current_place, mark, scope, seed
from stepgrad.engine.value import Value, constant
from stepgrad.errors import suggest
from stepgrad.progress import advance
from stepgrad.recording.recorder import record
from stepgrad.recording.recording import Recording, Source
from stepgrad.recording.traced import Root, Traced
from stepgrad.scenario.expression import Apply, Expr, Name, Number
from stepgrad.scenario.load import ScenarioFile

if TYPE_CHECKING:
    from stepgrad.scenario.schema import GraphScenario, NetworkScenario, Train

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

Rows = tuple[int, ...]
"""The samples that a pass shows, by their place in the file, from 0; a graph has none."""


def empty_recording(file: ScenarioFile) -> Recording:
    """Return a recording of a scenario in which nothing has happened yet."""
    return Recording(file.title, Source(str(file.path), file.source.text))


def record_file(
    file: ScenarioFile,
    edits: Edits = MappingProxyType({}),
    recording: Recording | None = None,
) -> Recording:
    """Run a scenario, perhaps with other numbers, and return its recording: a new or an empty one.

    In forward mode, each pass begins with a mark; so does the ordinary pass that may come last. A
    scenario that trains begins each step with a mark, and ends with one more forward pass after
    the last update: the step of that number, which shows all rows and has no backward pass. It
    says how far it is after each pass, for the first time when every row has been shown and the
    names that the file expects are known to be there.

    Raises:
        ScenarioError: the file expects names that no node has.
        Cancelled: whoever watches does not want the rest; the passes so far are in the recording.
    """
    recording = empty_recording(file) if recording is None else recording
    with record(recording):
        passes, epoch, total = _passes(file, edits)
        deque(islice(passes, epoch), maxlen=0)
        recording.settle()
        _check_names(file, recording)  # training may take long, and makes no new names
        advance(epoch, total)
        for done, _ in enumerate(passes, epoch + 1):
            advance(done, total)
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


def _passes(file: ScenarioFile, edits: Edits) -> tuple[Iterator[None], int, int]:
    """Return the passes to run, after how many every row has been shown, and how many there are."""
    if file.statements and cast("GraphScenario", file.model).wrt:
        return _both_modes(file, edits)
    train = file.model.train
    program = _graph(file, edits) if file.statements else _network(file, edits)
    total = 1 if train is None else train.steps + 1
    return _run(program, train), _epoch(program, train), total


@dataclass(frozen=True, slots=True)
class _Program:
    """A forward pass that can be run again and again, and what training may change of it.

    `forward` shows some of `rows` and returns the root of the backward pass, or None for a
    scenario without one.
    """

    parameters: list[Value]
    rows: Rows
    forward: Callable[[Rows], Value | None]


def _run(program: _Program, train: Train | None) -> Iterator[None]:
    """Run a program, or train it; pause after each pass through it."""
    if train is None:
        root: Root | None = program.forward(program.rows)
        if root is not None:
            root.backward()
        yield
        return
    optimizer = _optimizer(program.parameters, train)
    forward: Callable[[Rows], Root | None] = program.forward
    if train.steps >= WORTH_COMPILING:
        forward = Traced(program.forward)
    for step, rows in enumerate(islice(_batches(program.rows, train), train.steps)):
        mark("step", step)
        root = forward(rows)
        if train.zero_grad:
            optimizer.zero_grad()
        if root is not None:
            root.backward()
        if train.clip_norm is not None:
            clip_norm(program.parameters, train.clip_norm)
        optimizer.step()
        yield
    mark("step", train.steps)
    forward(program.rows)
    yield


def _optimizer(parameters: list[Value], train: Train) -> SGD | Adam:
    match train.optimizer:
        case "sgd":
            return SGD(parameters, train.learning_rate)
        case "momentum":
            momentum = 0.9 if train.momentum is None else train.momentum
            return SGD(parameters, train.learning_rate, momentum)
        case "adam":
            betas, epsilon = train.betas or (0.9, 0.999), train.epsilon or 1e-8
            return Adam(parameters, train.learning_rate, betas, epsilon)


def _batches(rows: Rows, train: Train) -> Iterator[Rows]:
    """Yield the rows that each training step shows, epoch after epoch, without end."""
    size, seed = train.batch_size, train.shuffle_seed
    if size is None:
        yield from repeat(rows)
        return
    order, draw = list(rows), Random(seed)
    while True:
        if seed is not None:
            draw.shuffle(order)
        yield from (tuple(order[at : at + size]) for at in range(0, len(order), size))


def _epoch(program: _Program, train: Train | None) -> int:
    """Return after how many passes every row has been shown."""
    size = train.batch_size if train else None
    return 1 if size is None else ceil(len(program.rows) / size)


def _graph(file: ScenarioFile, edits: Edits) -> _Program:
    """Make the program of a graph scenario."""
    model = cast("GraphScenario", file.model)
    # Inputs come first, as in the file; in training, parameters outlive them.
    inputs = _leaves(file, edits, "inputs") if model.train is None else None
    parameters = _leaves(file, edits, "params")

    def forward(_rows: Rows) -> Value | None:
        given = _leaves(file, edits, "inputs") if inputs is None else inputs
        values = _computed(file, edits, {**given, **parameters})
        return values[model.backward] if model.backward else None

    return _Program(list(parameters.values()), (), forward)


def _both_modes(file: ScenarioFile, edits: Edits) -> tuple[Iterator[None], int, int]:
    """Return the passes of a graph in forward mode, and the one backward, and how many they are."""
    model = cast("GraphScenario", file.model)

    def forward(by: str = "") -> dict[str, Value]:
        leaves = _leaves(file, edits, "inputs", by) | _leaves(file, edits, "params", by)
        return _computed(file, edits, leaves, by)

    def passes() -> Iterator[None]:
        for name in model.wrt:
            mark(f"forward mode by {name}")
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
    """Make the inputs or the parameters of a graph; forward mode goes `by` one of them."""
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
            value = _evaluate(statement.expression, values)
            if isinstance(statement.expression, Number):  # `c = 2` is an input like others
                value = Value(edits.get(statement.target, statement.expression.value))
                if statement.target == by:
                    seed(value, 1.0)
            value.label = statement.target
        values[statement.target] = value
    return values


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

    def forward(rows: Rows) -> Value:
        errors: list[Value] = []
        for row in rows:
            with scope(f"row{row + 1}"):
                errors += _errors(file, network, row, edits)
        with at_line(file.line("loss")):
            loss = _total(errors)
            if model.loss != "sum_squared_error":
                loss = loss / len(errors)
            loss.label = "loss"
        return loss

    return _Program(network.parameters(), tuple(range(len(model.data.inputs))), forward)


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


def _errors(file: ScenarioFile, network: MLP, row: int, edits: Edits) -> list[Value]:
    """Show a sample to the network; return its errors: one for each output, or for all of them."""
    model = cast("NetworkScenario", file.model)
    here = current_place().scope
    with at_line(file.line("data", "inputs", row)):
        inputs = [
            Value(edits.get(f"{here}/x{i}", x), label=f"x{i}")
            for i, x in enumerate(model.data.inputs[row], 1)
        ]
    with at_line(file.line("network")):
        outputs = network(inputs)
    _label("y", outputs)
    with at_line(file.line("data", "targets", row)):
        names = [f"{here}/t{number}" for number in _numbers(outputs)]
        targets = [
            constant(edits.get(name, target))
            for name, target in zip(names, _targets(model, row), strict=True)
        ]
        _label("t", targets)
        pairs = zip(outputs, targets, strict=True)
        match model.loss:
            case "softmax_cross_entropy":
                errors = [softmax_cross_entropy(outputs, targets)]
            case "binary_cross_entropy":
                errors = [binary_cross_entropy(output, target) for output, target in pairs]
            case "sum_squared_error" | "mean_squared_error":
                errors = [squared_error(output, target) for output, target in pairs]
    _label("error", errors)
    return errors


def _targets(model: NetworkScenario, row: int) -> tuple[float, ...]:
    """Return what each output should be; of a class, 1 at its output and 0 at the others."""
    targets = model.data.targets[row]
    if model.loss != "softmax_cross_entropy":
        return targets
    return tuple(float(output == targets[0]) for output in range(model.network.sizes[-1]))


def _label(letter: str, values: Sequence[Value]) -> None:
    for value, number in zip(values, _numbers(values), strict=True):
        value.label = f"{letter}{number}"


def _numbers(values: Sequence[Value]) -> list[str]:
    """Number values from 1, but not a single one."""
    return [str(i) for i in range(1, len(values) + 1)] if len(values) > 1 else [""]


def _total(values: Iterable[Value]) -> Value:
    total, *rest = values
    for value in rest:
        total = total + value
    return total
