"""Optimizers: how gradients become parameter updates.

Like an operation, a method is a few formulas, written once as text: the training loop and the
arithmetic that a replay shows for each update both come from them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import hypot

from stepgrad.engine import codegen
from stepgrad.engine.formula import Formula
from stepgrad.engine.tape import Rule, write_all
from stepgrad.engine.value import Value


@dataclass(frozen=True, eq=False)
class Method:
    """Formulas in order: each computes the value of its name, and the last one is written.

    They use a parameter's `data` and `grad`, the `settings`, which are the same for all parameters,
    and the `state`, which each parameter keeps from step to step, starting at 0.
    """

    name: str
    formulas: Mapping[str, Formula]
    settings: Sequence[str]
    state: Sequence[str] = ()

    def __call__(
        self,
        parameters: Sequence[Value],
        settings: Mapping[str, float],
        state: Mapping[str, Sequence[float]],
    ) -> tuple[Sequence[float], Mapping[str, Sequence[float]]]:
        """Return what to write, one number for each parameter, and the new state."""
        after, *remembered = self._updates(parameters, **settings, **state)
        if not remembered:
            return after, state
        columns = (array("d", column) for column in remembered)
        return after, dict(zip(self.state, columns, strict=True))

    @cached_property
    def _updates(self) -> codegen.Updates:
        return codegen.updates(self.name, self.formulas, self.settings, self.state)


def _method(name: str, settings: str, state: str, **formulas: str) -> Method:
    rows = {computed: Formula(text) for computed, text in formulas.items()}
    return Method(name, rows, settings.split(), state.split())


_DECAYED = {"decayed": "grad + weight_decay * data"}


def _momentum(grad: str) -> Mapping[str, str]:
    return {
        "velocity": f"momentum * velocity + {grad}",
        "data": "data - learning_rate * velocity",
    }


def _adam(grad: str, data: str = "data") -> Mapping[str, str]:
    return {
        "mean_share": "1 - beta1**step",
        "square_share": "1 - beta2**step",
        "mean": f"beta1 * mean + (1 - beta1) * {grad}",
        "square": f"beta2 * square + (1 - beta2) * ({grad} * {grad})",
        "mean_hat": "mean / mean_share",
        "square_hat": "square / square_share",
        "data": f"{data} - learning_rate * mean_hat / (sqrt(square_hat) + epsilon)",
    }


_RATE, _MOMENTUM = "learning_rate", "learning_rate momentum"
_ADAM = "learning_rate beta1 beta2 epsilon step"
_SHRUNK = "data * (1 - learning_rate * weight_decay)"
_DECAY = " weight_decay"

_ROWS = (
    _method("sgd", _RATE, "", data="data - learning_rate * grad"),
    _method("momentum", _MOMENTUM, "velocity", **_momentum("grad")),
    _method("adam", _ADAM, "mean square", **_adam("grad")),
    _method("sgd_decay", _RATE + _DECAY, "", **_DECAYED, data="data - learning_rate * decayed"),
    _method("momentum_decay", _MOMENTUM + _DECAY, "velocity", **_DECAYED, **_momentum("decayed")),
    _method("adam_decay", _ADAM + _DECAY, "mean square", **_DECAYED, **_adam("decayed")),
    _method("adamw", _ADAM + _DECAY, "mean square", **_adam("grad", _SHRUNK)),
    _method(
        "clip_norm",
        "max_norm norm epsilon",
        "",
        grad="grad * (max_norm / (norm + epsilon))",
    ),
)

METHODS = {method.name: method for method in _ROWS}
"""The methods, by the name in a `Rule`.

`momentum` is PyTorch's: the velocity accumulates gradients without dampening, and the learning rate
multiplies the velocity (in Sutskever et al., 2013, it multiplies the gradient). `adam` is
Algorithm 1 of Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), which PyTorch
follows. Those with `_decay` first add weight_decay · data to the gradient, as PyTorch's do with
`weight_decay`; `adamw` shrinks the parameter instead (Loshchilov and Hutter, "Decoupled Weight
Decay Regularization", 2019). `clip_norm` is PyTorch's `clip_grad_norm_` for a norm above the limit.
"""


def _rounds(parameters: Iterable[Value]) -> list[tuple[Value, ...]]:
    """Split parameters into rounds in which none occurs twice; usually there is one.

    A parameter that is listed twice is written twice, the second time from the result of the first
    write.

    Raises:
        TypeError: something in the list is not a Value.
    """
    rounds: list[dict[int, Value]] = []
    for parameter in parameters:
        if not isinstance(parameter, Value):
            raise TypeError(f"a parameter is a Value, not {type(parameter).__name__}")
        for earlier in rounds:
            if parameter._stamp not in earlier:
                earlier[parameter._stamp] = parameter
                break
        else:
            rounds.append({parameter._stamp: parameter})
    return [tuple(each.values()) for each in rounds]


class _Round:
    """Parameters that are written together, and the state of each between steps."""

    def __init__(self, parameters: Sequence[Value]) -> None:
        self._parameters = parameters
        self._zeros = array("d", [0.0]) * len(parameters)
        self._state: dict[str, Sequence[float]] = {}
        self._rule = Rule("", {})

    def update(self, name: str, settings: Mapping[str, float]) -> None:
        """Update the parameters by one of `METHODS`."""
        method = METHODS[name]
        state = {each: self._state.get(each, self._zeros) for each in method.state}
        after, remembered = method(self._parameters, settings, state)
        self._state.update(remembered)
        if state or (name, settings) != (self._rule.method, self._rule.numbers):
            self._rule = Rule(name, settings, state)  # without state, equal steps share one
        write_all("update", self._parameters, after, self._rule)

    def zero_grad(self) -> None:
        """Clear every gradient."""
        write_all("zero", self._parameters, self._zeros)


class _Optimizer(ABC):
    """Parameters, and the method that updates them."""

    def __init__(self, parameters: Iterable[Value], learning_rate: float) -> None:
        self.parameters = list(parameters)
        self.learning_rate = learning_rate
        self._rounds = [_Round(each) for each in _rounds(self.parameters)]

    def __repr__(self) -> str:
        _, settings = self._method()
        told = ", ".join(f"{name}={number:g}" for name, number in settings.items())
        return f"<{type(self).__name__}: {len(self.parameters)} parameters, {told}>"

    def step(self) -> None:
        """Update every parameter from its gradient; one that is listed twice, twice."""
        method = self._method()
        for each in self._rounds:
            each.update(*method)

    def zero_grad(self) -> None:
        """Set every gradient to 0; a step still updates a parameter that no pass reaches then."""
        for each in self._rounds:
            each.zero_grad()

    @abstractmethod
    def _method(self) -> tuple[str, Mapping[str, float]]:
        """Return which of `METHODS` the next step uses, and its settings."""


class SGD(_Optimizer):
    """Gradient descent: p ← p − learning_rate·dL/dp for each parameter p.

    With momentum, a velocity takes the gradient's place: v ← momentum·v + dL/dp, from v = 0.

    Both numbers may be changed between steps. While momentum is 0, the velocity does not change.

    Args:
        parameters: the Values to train.
        learning_rate: the step size; below 0, a step goes uphill.
        momentum: the share of the velocity to keep, from 0 (none) to 1.

    Raises:
        TypeError: something in `parameters` is not a Value.
    """

    def __init__(
        self, parameters: Iterable[Value], learning_rate: float, momentum: float = 0.0
    ) -> None:
        super().__init__(parameters, learning_rate)
        self.momentum = momentum

    def _method(self) -> tuple[str, Mapping[str, float]]:
        rate = {"learning_rate": self.learning_rate}
        return ("momentum", rate | {"momentum": self.momentum}) if self.momentum else ("sgd", rate)


class Adam(_Optimizer):
    """Adam: each parameter moves by about the learning rate, against its recent gradients.

    m and v, running means of the gradient and of its square, start at 0 and are corrected for that
    bias: m̂ = m / (1 − β1ᵗ), v̂ = v / (1 − β2ᵗ) at step t = 1, 2, …; then
    p ← p − learning_rate·m̂ / (√v̂ + epsilon). All numbers may be changed between steps.

    Args:
        parameters: the Values to train.
        learning_rate: the step size; below 0, a step goes uphill.
        betas: β1 and β2, the share of each mean to keep: at least 0, below 1.
        epsilon: keeps the quotient finite where v̂ is 0.

    Raises:
        TypeError: something in `parameters` is not a Value.
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        learning_rate: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(parameters, learning_rate)
        self.betas = betas
        self.epsilon = epsilon
        self._steps = 0

    def step(self) -> None:
        """Update every parameter from its gradient."""
        self._steps += 1
        super().step()

    def _method(self) -> tuple[str, Mapping[str, float]]:
        beta1, beta2 = self.betas
        return "adam", {
            "learning_rate": self.learning_rate,
            "beta1": beta1,
            "beta2": beta2,
            "epsilon": self.epsilon,
            "step": float(self._steps),
        }


def clip_norm(parameters: Iterable[Value], max_norm: float) -> float:
    """Scale the gradients down if their joint norm is above `max_norm`; return the norm before.

    The norm is √(Σ grad²) over all parameters; if it is nan, every gradient becomes nan. As in
    PyTorch, a parameter that is listed twice counts twice and is scaled twice.

    Raises:
        ValueError: `max_norm` is below 0 or nan.
    """
    if not max_norm >= 0:
        raise ValueError(f"max_norm is the longest that the gradients may be, not {max_norm}")
    parameters = list(parameters)
    rounds = _rounds(parameters)
    norm = hypot(*(parameter._grad for parameter in parameters))
    if not norm <= max_norm:
        settings = {"max_norm": max_norm, "norm": norm, "epsilon": 1e-6}
        for each in rounds:
            after, _ = METHODS["clip_norm"](each, settings, {})
            write_all("set", each, after, Rule("clip_norm", settings))
    return norm
