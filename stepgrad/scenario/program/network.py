"""Network scenarios: a multilayer perceptron, its samples, and its loss."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from random import Random
from typing import cast

from stepgrad.engine.losses import binary_cross_entropy, softmax_cross_entropy, squared_error
from stepgrad.engine.nn import MLP
from stepgrad.engine.tape import at_line, current_place, scope
from stepgrad.engine.value import Value, constant
from stepgrad.scenario.form.sections import NetworkScenario
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.program import Edits, Program, Rows


def network_program(file: ScenarioFile, edits: Edits) -> Program:
    """Return the program of a network scenario."""
    model = cast("NetworkScenario", file.model)
    with at_line(file.line("network")):
        network = _weights(model)
    for parameter in network.parameters():
        # Not a write by the program: it starts from this number.
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

    return Program(network.parameters(), tuple(range(len(model.data.inputs))), forward)


def nodes_of_row(model: NetworkScenario) -> int:
    """Return about how many nodes it takes to show a row to a network, without its loss."""
    sizes = model.network.sizes
    # A product and a sum for each weight; for each neuron, its activation.
    return sizes[0] + sum((2 * before + 1) * after for before, after in pairwise(sizes))


def _weights(model: NetworkScenario) -> MLP:
    """Draw the numbers of a network, or take those of the file."""
    spec = model.network
    if spec.init is not None:
        draw = Random(spec.init.seed)
        return MLP.drawn(spec.sizes, spec.activations, draw, spec.init.weights, spec.init.bias)
    assert spec.weights is not None, "the schema asks for `init` or for these"
    assert spec.biases is not None, "the schema asks for `init` or for these"
    # The file has a row for each input, as in x·W; a neuron takes a column.
    matrices = [[list(column) for column in zip(*matrix, strict=True)] for matrix in spec.weights]
    return MLP(matrices, spec.biases, spec.activations)


def _errors(file: ScenarioFile, network: MLP, row: int, edits: Edits) -> list[Value]:
    """Run the network on a sample; return its errors: one for each output, or one for all."""
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
    """Return the target of each output; for a class, 1 at its output and 0 at the others."""
    targets = model.data.targets[row]
    if model.loss != "softmax_cross_entropy":
        return targets
    return tuple(float(output == targets[0]) for output in range(model.network.sizes[-1]))


def _label(letter: str, values: Sequence[Value]) -> None:
    for value, number in zip(values, _numbers(values), strict=True):
        value.label = f"{letter}{number}"


def _numbers(values: Sequence[Value]) -> list[str]:
    """Number several values from 1; a single one gets no number."""
    return [str(i) for i in range(1, len(values) + 1)] if len(values) > 1 else [""]


def _total(values: Iterable[Value]) -> Value:
    total, *rest = values
    for value in rest:
        total = total + value
    return total
