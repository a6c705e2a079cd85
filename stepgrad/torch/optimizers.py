"""The rules of PyTorch's optimizers, as those of `optim.METHODS` (`rules`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from stepgrad.engine.optim import METHODS
from stepgrad.engine.tape import Rule
from stepgrad.torch.leaves import Leaf

_Group = Mapping[str, Any]
_State = Mapping[str, Any]

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


def rules(
    optimizer: torch.optim.Optimizer, leaf_of: Callable[[Tensor], Leaf | None]
) -> Iterable[tuple[Sequence[Leaf], Rule]]:
    """Yield the leaves that the next step of an optimizer writes, and by which rule.

    One pair for each group of parameters whose numbers are the same. None are yielded for settings
    or methods that no formula is known of.
    """
    known = _KNOWN.get(type(optimizer))
    for group in optimizer.param_groups if known is not None else ():
        assert known is not None
        found = None if group.get("maximize") else known(group)
        if found is None:
            continue
        method, numbers = found
        steps: dict[float, list[tuple[Leaf, _State]]] = {}
        for parameter in group["params"]:
            leaf, state = leaf_of(parameter), optimizer.state.get(parameter, {})
            if leaf is not None and parameter.grad is not None:
                steps.setdefault(float(state.get("step", 0)) + 1, []).append((leaf, state))
        for step, members in steps.items():
            own = {"step": step} if "beta1" in numbers else {}
            columns = {name: _column(_COLUMNS[name], members) for name in METHODS[method].state}
            yield [leaf for leaf, _ in members], Rule(method, numbers | own, columns)


def _column(name: str, members: Sequence[tuple[Leaf, _State]]) -> Sequence[float]:
    """Return a state of the elements of several tensors, before the step: 0 where there is none."""
    found: list[float] = []
    for leaf, state in members:
        value = state.get(name)
        found += [0.0] * len(leaf.made) if value is None else value.reshape(-1).tolist()
    return found
