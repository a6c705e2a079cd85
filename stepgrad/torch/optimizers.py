"""The rules of PyTorch's optimizers, as those of `optim.METHODS` (`Step`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from stepgrad.engine.optim import METHODS
from stepgrad.engine.tape import Rule
from stepgrad.torch.leaves import Leaf

_Group = Mapping[str, Any]

# What a column of a method is called in PyTorch's state of a parameter.
_COLUMNS = {"velocity": "momentum_buffer", "mean": "exp_avg", "square": "exp_avg_sq"}


def _sgd(group: _Group) -> tuple[str, dict[str, float]] | None:
    if group["nesterov"] or group["dampening"]:
        return None
    numbers = {"learning_rate": float(group["lr"])}
    method = "sgd"
    if group["momentum"]:
        method, numbers = "momentum", numbers | {"momentum": float(group["momentum"])}
    return _decayed(method, numbers, group)


def _adam(group: _Group) -> tuple[str, dict[str, float]] | None:
    if group["amsgrad"]:
        return None
    beta1, beta2 = map(float, group["betas"])
    numbers = {
        "learning_rate": float(group["lr"]),
        "beta1": beta1,
        "beta2": beta2,
        "epsilon": float(group["eps"]),
    }
    if group.get("decoupled_weight_decay"):
        return "adamw", numbers | {"weight_decay": float(group["weight_decay"])}
    return _decayed("adam", numbers, group)


def _adamw(group: _Group) -> tuple[str, dict[str, float]] | None:
    return _adam({**group, "decoupled_weight_decay": bool(group["weight_decay"])})


def _decayed(
    method: str, numbers: dict[str, float], group: _Group
) -> tuple[str, dict[str, float]] | None:
    if not group["weight_decay"]:
        return method, numbers
    return f"{method}_decay", numbers | {"weight_decay": float(group["weight_decay"])}


_KNOWN: Mapping[type, Callable[[_Group], tuple[str, dict[str, float]] | None]] = {
    torch.optim.SGD: _sgd,
    torch.optim.Adam: _adam,
    torch.optim.AdamW: _adamw,
}


class Step:
    """A step of an optimizer, of which it is known how it computes what it writes.

    It is made before the step, as the state that the formulas use is that before it; which
    parameters take part is known afterwards, when a closure may have brought their gradients.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        known = _KNOWN.get(type(optimizer))
        groups = [] if known is None else optimizer.param_groups
        self._groups: list[tuple[str, dict[str, float], Sequence[_Parameter]]] = []
        for group in groups:
            assert known is not None
            found = None if group["maximize"] else known(group)
            if found is not None:
                method, numbers = found
                needed = METHODS[method].state
                states = ((each, optimizer.state.get(each, {})) for each in group["params"])
                members = [_Parameter(each, state, needed) for each, state in states]
                self._groups.append((method, numbers, members))

    def rules(
        self, leaf_of: Callable[[Tensor], Leaf | None]
    ) -> Iterator[tuple[Sequence[Leaf], Rule]]:
        """Yield the leaves that were written, and by which rule; a pair for all with equal numbers.

        Those of methods or settings that no formula is known of are left out.
        """
        for method, numbers, members in self._groups:
            steps: dict[float, list[tuple[Leaf, _Parameter]]] = {}
            for each in members:
                leaf = leaf_of(each.tensor)
                if leaf is not None and leaf.grad is not None:
                    steps.setdefault(each.step, []).append((leaf, each))
            for step, taking in steps.items():
                own = {"step": step} if "beta1" in numbers else {}
                columns = {
                    name: [x for leaf, each in taking for x in each.column(name, len(leaf.made))]
                    for name in METHODS[method].state
                }
                yield [leaf for leaf, _ in taking], Rule(method, numbers | own, columns)


class _Parameter:
    """A parameter, the number of the step, and its state before that."""

    def __init__(self, tensor: Tensor, state: Mapping[str, Any], needed: Sequence[str]) -> None:
        self.tensor = tensor
        self.step = float(state.get("step", 0)) + 1
        found = ((name, state.get(_COLUMNS[name])) for name in needed)
        self._columns = {
            name: column.reshape(-1).tolist() for name, column in found if column is not None
        }

    def column(self, name: str, length: int) -> Sequence[float]:
        """Return a state of each element: 0 before the first step."""
        return self._columns.get(name) or [0.0] * length
