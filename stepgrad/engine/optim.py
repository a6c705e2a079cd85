"""Optimizers: how gradients become new parameters."""

from collections.abc import Iterable

from stepgrad.engine.tape import Rule, write_all
from stepgrad.engine.value import Value


class SGD:
    """Gradient descent: p ← p − learning_rate·∂L/∂p for each parameter p.

    Args:
        parameters: the Values to train.
        learning_rate: how far to go, 0 or more.
    """

    def __init__(self, parameters: Iterable[Value], learning_rate: float) -> None:
        self.parameters = list(parameters)
        self.learning_rate = learning_rate

    def step(self) -> None:
        """Update every parameter from its gradient."""
        rate = self.learning_rate
        after = [parameter._data - rate * parameter._grad for parameter in self.parameters]
        write_all("update", self.parameters, after, Rule("sgd", rate))

    def zero_grad(self) -> None:
        """Clear every gradient."""
        write_all("zero", self.parameters, [0.0] * len(self.parameters))
