"""micrograd's names and signatures, so that you can step through a program written for it.

Only the import changes::

    from micrograd.engine import Value
    from micrograd.nn import Neuron, Layer, MLP

    from stepgrad.compat import Value, Neuron, Layer, MLP  # the same program

Weights are drawn from `random`, and terms are added, in micrograd's order: the same seed gives the
same numbers. In addition, parameters have names such as `layer1/neuron2/w3`.

It differs from micrograd where micrograd differs from PyTorch:

- A second `backward()` on one graph adds the same gradients to the leaves once more. In micrograd,
  computed values still have the gradients of the first pass, and these are passed on again: for
  `y = (x * 2) * 3`, x.grad is 6 after one pass, and 12 after two; in micrograd, it is 18.
- Numbers are floats: `Value(2).data` is 2.0.
- Arithmetic is IEEE 754: `Value(0.0) ** -1` is inf, where micrograd raises ZeroDivisionError.
- `a - b` and `a / b` are operations themselves, not `a + (-b)` and `a * b**-1`, so the last digit
  of a quotient may differ, and `_op` is `−` or `/`.

A program's own operations work, as `Value(data, children, op)` with a `_backward`. It is called when
it is set, to store the local derivatives that follow from it, and not in the backward pass.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

from stepgrad.engine import nn
from stepgrad.engine.tape import scope
from stepgrad.engine.value import Value

__all__ = ["MLP", "Layer", "Module", "Neuron", "Value"]


class Module:
    """Something with parameters."""

    def parameters(self) -> list[Value]:
        """Return what training changes."""
        return []

    def zero_grad(self) -> None:
        """Clear the gradient of every parameter."""
        for parameter in self.parameters():
            parameter.grad = 0.0


class Neuron(nn.Neuron, Module):
    """relu(b + w1·x1 + …) of `nin` inputs, or only the sum; weights from −1 to 1, bias 0."""

    def __init__(self, nin: int, nonlin: bool = True) -> None:
        weights = [random.uniform(-1, 1) for _ in range(nin)]
        super().__init__(weights, activation="relu" if nonlin else "linear")
        self.w, self.b, self.nonlin = self.weights, self.bias, nonlin


class Layer(Module):
    """`nout` neurons side by side. A single one returns a Value, several return a list."""

    def __init__(self, nin: int, nout: int, nonlin: bool = True) -> None:
        self.neurons = []
        for number in range(1, nout + 1):
            with scope(f"neuron{number}"):
                self.neurons.append(Neuron(nin, nonlin))

    def __repr__(self) -> str:
        return f"<Layer: {len(self.parameters())} parameters>"

    def __call__(self, x: Sequence[Value | float]) -> Value | list[Value]:
        """Return the output of each neuron."""
        outputs = []
        for number, neuron in enumerate(self.neurons, 1):
            with scope(f"neuron{number}"):
                outputs.append(neuron(x))
        return outputs[0] if len(outputs) == 1 else outputs

    def parameters(self) -> list[Value]:
        """Return the parameters, neuron by neuron."""
        return [parameter for neuron in self.neurons for parameter in neuron.parameters()]


class MLP(Module):
    """Layers in sequence, with `nouts` neurons each; the last is linear."""

    def __init__(self, nin: int, nouts: Sequence[int]) -> None:
        self.layers = []
        for number, (inputs, neurons) in enumerate(pairwise([nin, *nouts]), 1):
            with scope(f"layer{number}"):
                self.layers.append(Layer(inputs, neurons, nonlin=number < len(nouts)))

    def __repr__(self) -> str:
        return f"<MLP: {len(self.parameters())} parameters>"

    def __call__(self, x: Sequence[Value | float]) -> Value | list[Value]:
        """Return the output of the last layer."""
        found: Value | list[Value] = list(x)  # type: ignore[arg-type]
        for number, layer in enumerate(self.layers, 1):
            with scope(f"layer{number}"):
                found = layer([found] if isinstance(found, Value) else found)
        return found

    def parameters(self) -> list[Value]:
        """Return the parameters, layer by layer."""
        return [parameter for layer in self.layers for parameter in layer.parameters()]
