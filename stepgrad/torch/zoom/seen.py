"""The operations of one step, as whole tensors, with the gradient that arrived at each (`Seen`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from stepgrad.engine.tape import Place


@dataclass(eq=False)
class Call:
    """An operation that gradients go through.

    Args:
        number: when it ran: calls count from 0.
        func: the ATen operation.
        args: its arguments.
        kwargs: those by name.
        outs: its results.
        place: the module and the line.
    """

    number: int
    func: Any
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    outs: Sequence[Tensor]
    place: Place

    @property
    def name(self) -> str:
        """The operation's name, without `aten::` and without what tells variants apart."""
        return str(self.func._schema.name).removeprefix("aten::").strip("_")

    @property
    def tensors(self) -> Iterator[Tensor]:
        """The tensors among its arguments."""
        return (each for each in tree_iter((self.args, self.kwargs)) if isinstance(each, Tensor))


@dataclass(eq=False)
class Step:
    """What happened until the first backward pass was over.

    Args:
        calls: the operations, in order.
        loss: what the pass started from.
        gradients: what arrived at each tensor.
    """

    calls: list[Call] = field(default_factory=list)
    loss: Tensor | None = None
    gradients: dict[Tensor, Tensor] = field(default_factory=dict)

    def users(self, tensor: Tensor) -> list[Call]:
        """Return the operations that a tensor is an argument of."""
        return self._users.get(tensor, [])

    def arrived(self, tensor: Tensor, index: int) -> float:
        """Return the gradient of an element."""
        return float(self.gradients[tensor].reshape(-1)[index])

    def finish(self) -> None:
        """Take note that the pass is over."""
        self._users: dict[Tensor, list[Call]] = {}
        for call in self.calls:
            for tensor in dict.fromkeys(call.tensors):
                self._users.setdefault(tensor, []).append(call)


class Seeing(TorchDispatchMode):
    """Keeps each operation that gradients go through, until the first backward pass is over.

    Args:
        step: where they go.
        place: tells where in the program something happens.
    """

    def __init__(self, step: Step, place: Callable[[], Place]) -> None:
        super().__init__()
        self._step = step
        self._place = place

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation, and keep it where gradients go through it."""
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        if torch.is_grad_enabled() and torch._C._current_autograd_node() is None:
            outs = [each for each in tree_iter(out) if isinstance(each, Tensor)]
            call = Call(len(self._step.calls), func, args, kwargs, outs, self._place())
            if any(each.requires_grad for each in call.tensors):
                self._step.calls.append(call)
        return out

    def begin(self, loss: Tensor) -> None:
        """Have the backward pass from a tensor note what arrives where."""
        step = self._step
        step.loss = loss
        reached = {tensor for call in step.calls for tensor in (*call.tensors, *call.outs)}
        for tensor in reached:
            if tensor.requires_grad:
                tensor.register_hook(self._noting(tensor))

    def _noting(self, tensor: Tensor) -> Callable[[Tensor], None]:
        def note(gradient: Tensor) -> None:
            self._step.gradients[tensor] = gradient.detach().clone()

        return note
