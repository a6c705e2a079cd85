"""Neural networks of scalar Values: a neuron, a layer of neurons, layers in sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """

    def __init__(
        self, weights: Sequence[float], bias: float = 0.0, activation: Activation = "tanh"
    ) -> None:
        self.weights = [Value(weight, label=f"w{i}") for i, weight in enumerate(weights, 1)]
        self.bias = Value(bias, label="b")
        self.activation = activation

    def __call__(self, inputs: Sequence[Value | float]) -> Value:
        """Return the output for the inputs, of which there are as many as weights."""
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
    """

    def __init__(
        self,
        weights: Sequence[Sequence[float]],
        biases: Sequence[float],
        activation: Activation = "tanh",
    ) -> None:
        self.neurons = []
        for number, (row, bias) in enumerate(zip(weights, biases, strict=True), 1):
            with scope(f"neuron{number}"):
                self.neurons.append(Neuron(row, bias, activation))

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
    """

    def __init__(
        self,
        weights: Sequence[Sequence[Sequence[float]]],
        biases: Sequence[Sequence[float]],
        activations: Sequence[Activation],
    ) -> None:
        if isinstance(weights, int):
            raise TypeError(
                "weights are matrices; for random ones, use MLP.drawn([2, 4, 1], …), or the "
                "MLP(2, [4, 1]) of stepgrad.compat"
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

        `sizes` has the number of inputs, then of neurons in each layer: [2, 4, 1].
        """
        matrices = [
            [[random.uniform(*weights) for _ in range(inputs)] for _ in range(neurons)]
            for inputs, neurons in pairwise(sizes)
        ]
        return cls(matrices, [[bias] * neurons for neurons in sizes[1:]], activations)

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
