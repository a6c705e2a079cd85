"""Neural networks of scalar Values: a neuron, a layer of neurons, layers in sequence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from stepgrad.engine.tape import scope
from stepgrad.engine.value import Value

if TYPE_CHECKING:
    from random import Random

Activation = Literal["linear", "relu", "leaky_relu", "tanh", "sigmoid"]

ACTIVATIONS: dict[Activation, Callable[[Value], Value]] = {
    "linear": Value.__pos__,
    "relu": Value.relu,
    "leaky_relu": Value.leaky_relu,
    "tanh": Value.tanh,
    "sigmoid": Value.sigmoid,
}


class Neuron:
    """h = activation(z) of z = b + w1·x1 + w2·x2 + …

    The sum starts with the bias: near 0, the order of floating-point additions decides whether a
    ReLU is open.

    Args:
        weights: one number for each input.
        bias: a number.
        activation: a key of `ACTIVATIONS`.

    Raises:
        TypeError: `weights` is a number, as in micrograd, whose classes `stepgrad.compat` has.
        ValueError: there is no such activation.
    """

    def __init__(
        self, weights: Sequence[float], bias: float = 0.0, activation: Activation = "tanh"
    ) -> None:
        _check_listed(weights)
        if activation not in ACTIVATIONS:
            raise ValueError(f"no activation `{activation}`; there are {', '.join(ACTIVATIONS)}")
        self.weights = [Value(weight, label=f"w{i}") for i, weight in enumerate(weights, 1)]
        self.bias = Value(bias, label="b")
        self.activation = activation

    def __repr__(self) -> str:
        return f"<Neuron: {len(self.weights)} inputs, {self.activation}>"

    def __call__(self, inputs: Sequence[Value | float]) -> Value:
        """Return the output for the inputs.

        Raises:
            ValueError: there are more inputs than weights, or fewer.
        """
        if len(inputs) != len(self.weights):
            _check_equal({"inputs": inputs, "weights": self.weights})
        z = self.bias
        for weight, x in zip(self.weights, inputs, strict=True):
            z = z + weight * x
        z.label = "z"
        h = ACTIVATIONS[self.activation](z)
        h.label = "h"
        return h

    def parameters(self) -> list[Value]:
        """Return the weights, then the bias."""
        return [*self.weights, self.bias]


class Layer:
    """Neurons side by side, all with the same inputs.

    Args:
        weights: a row for each neuron, with a number for each input.
        biases: one number for each neuron.
        activation: a key of `ACTIVATIONS`.

    Raises:
        TypeError: `weights` is a number, as in micrograd, whose classes `stepgrad.compat` has.
        ValueError: rows and biases are not equally many, or rows are not equally long; or there is
            no such activation.
    """

    def __init__(
        self,
        weights: Sequence[Sequence[float]],
        biases: Sequence[float],
        activation: Activation = "tanh",
    ) -> None:
        _check_listed(weights)
        _check_equal({"rows of weights": weights, "biases": biases})
        for number, row in enumerate(weights, 1):
            _check_equal({"weights in row 1": weights[0], f"weights in row {number}": row})
        self.neurons = []
        for number, (row, bias) in enumerate(zip(weights, biases, strict=True), 1):
            with scope(f"neuron{number}"):
                self.neurons.append(Neuron(row, bias, activation))

    def __repr__(self) -> str:
        return f"<Layer: {_sizes([self])}, {len(self.parameters())} parameters>"

    def __call__(self, inputs: Sequence[Value | float]) -> list[Value]:
        """Return the output of each neuron."""
        outputs = []
        for number, neuron in enumerate(self.neurons, 1):
            with scope(f"neuron{number}"):
                outputs.append(neuron(inputs))
        return outputs

    def parameters(self) -> list[Value]:
        """Return the parameters, neuron by neuron."""
        return [parameter for neuron in self.neurons for parameter in neuron.parameters()]


class MLP:
    """A multilayer perceptron: layers in sequence.

    Parameters are named `layer1/neuron2/w3`, counting from 1, as in x1 and w1.

    Args:
        weights: for each layer, a matrix with a row for each neuron.
        biases: for each layer, a number for each neuron.
        activations: for each layer, a key of `ACTIVATIONS`.

    Raises:
        TypeError: `weights` is a number, as in micrograd, whose classes `stepgrad.compat` has.
        ValueError: the numbers of layers differ, or something in a layer does not fit.
    """

    def __init__(
        self,
        weights: Sequence[Sequence[Sequence[float]]],
        biases: Sequence[Sequence[float]],
        activations: Sequence[Activation],
    ) -> None:
        _check_listed(weights)
        _check_equal(
            {"layers of weights": weights, "layers of biases": biases, "activations": activations}
        )
        self.layers = []
        for number, layer in enumerate(zip(weights, biases, activations, strict=True), 1):
            with scope(f"layer{number}"):
                self.layers.append(Layer(*layer))

    @classmethod
    def drawn(
        cls,
        sizes: Sequence[int],
        activations: Sequence[Activation],
        random: Random,
        weights: tuple[float, float] = (-1.0, 1.0),
        bias: float = 0.0,
    ) -> MLP:
        """Return a network with weights drawn uniformly from an interval, neuron by neuron.

        `sizes` has the number of inputs, then of neurons in each layer: [2, 4, 1] goes with
        ["tanh", "linear"], an activation for each layer.
        """
        matrices = [
            [[random.uniform(*weights) for _ in range(inputs)] for _ in range(neurons)]
            for inputs, neurons in pairwise(sizes)
        ]
        return cls(matrices, [[bias] * neurons for neurons in sizes[1:]], activations)

    def __repr__(self) -> str:
        return f"<MLP: {_sizes(self.layers)}, {len(self.parameters())} parameters>"

    def __call__(self, inputs: Sequence[Value | float]) -> list[Value]:
        """Return the outputs of the last layer."""
        outputs = list(inputs)
        for number, layer in enumerate(self.layers, 1):
            with scope(f"layer{number}"):
                outputs = list(layer(outputs))
        return outputs  # type: ignore[return-value]

    def parameters(self) -> list[Value]:
        """Return all parameters, layer by layer."""
        return [parameter for layer in self.layers for parameter in layer.parameters()]


def _sizes(layers: Sequence[Layer]) -> str:
    """Return the number of inputs, then of neurons in each layer: `2 → 4 → 1`."""
    neurons = [len(layer.neurons) for layer in layers]
    inputs = [len(layer.neurons[0].weights) for layer in layers[:1] if layer.neurons]
    return " → ".join(map(str, [*inputs, *neurons])) or "no layers"


def _check_listed(weights: object) -> None:
    """Check that weights are listed.

    Raises:
        TypeError: there is only a number, as of how many there are to be.
    """
    if isinstance(weights, int | float):
        raise TypeError(
            "weights are a list of numbers, not how many there are: MLP.drawn([2, 3, 1], …) draws "
            "them, and stepgrad.compat has the classes of micrograd"
        )


def _check_equal(lists: Mapping[str, Sequence[object]]) -> None:
    """Check that lists, given by name, are equally long.

    Raises:
        ValueError: they are not; says how long each is.
    """
    if len({*map(len, lists.values())}) > 1:
        told = ", ".join(f"{name}: {len(each)}" for name, each in lists.items())
        raise ValueError(f"there must be as many of each: {told}")
