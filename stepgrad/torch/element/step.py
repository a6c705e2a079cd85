"""The operations of one step, as whole tensors, with the gradient that arrived at each (`Step`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from stepgrad.torch.calls import Call, Here
from stepgrad.torch.mode import is_view

_COPIES = {"aten::clone", "aten::_unsafe_view"}


@dataclass(eq=False)
class Operation:
    """An operation that gradients go through.

    Args:
        number: when it ran; the first is 0.
        func: the ATen operation.
        args: its arguments.
        kwargs: those by name.
        outs: its results.
        here: the call that it is in, and the line.
    """

    number: int
    func: Any
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    outs: Sequence[Tensor]
    here: Here

    @property
    def called(self) -> str:
        """What the program has called: `linear`; or else, the ATen operation."""
        name = self.here.call.name if self.here.call.shape is not None else ""
        return name or str(self.func._schema.name).removeprefix("aten::").strip("_")

    @property
    def moves(self) -> bool:
        """Whether its results are elements of its argument, in other places."""
        return is_view(self.func) or self.func._schema.name in _COPIES

    @property
    def tensors(self) -> Iterator[Tensor]:
        """The tensors among its arguments."""
        return (each for each in tree_iter((self.args, self.kwargs)) if isinstance(each, Tensor))


@dataclass(eq=False)
class Step:
    """What happened until a backward pass was over.

    Args:
        operations: those that gradients go through, in order.
        loss: what the pass started from.
        gradients: what arrived at each tensor.
        names: what the program calls tensors.
    """

    operations: list[Operation] = field(default_factory=list)
    loss: Tensor | None = None
    gradients: dict[Tensor, Tensor] = field(default_factory=dict)
    names: dict[Tensor, str] = field(default_factory=dict)

    def begins(self) -> None:
        """Operations that gradients go through come."""

    def enter(self, inputs: Sequence[Tensor]) -> None:
        """A model is called with these tensors."""

    def meet_all(self, tensors: Sequence[Tensor]) -> None:
        """A model is called that has these parameters."""

    def name(self, tensor: Tensor, name: str, call: Call) -> None:
        """Take note of what the program calls a tensor, or of the function that gave it."""
        self.names[tensor] = name or call.name

    @property
    def leaves(self) -> Iterator[Tensor]:
        """The tensors that it started from."""
        tensors = (each for operation in self.operations for each in operation.tensors)
        return (each for each in dict.fromkeys(tensors) if each.requires_grad and each.is_leaf)

    def users(self, tensor: Tensor) -> list[Operation]:
        """Return the operations that a tensor is an argument of."""
        return self._users.get(tensor, [])

    def arrived(self, tensor: Tensor, index: int) -> float:
        """Return the gradient of an element."""
        return float(self.gradients[tensor].reshape(-1)[index])

    def finish(self) -> None:
        """Take note that the pass is over."""
        self._users: dict[Tensor, list[Operation]] = {}
        for operation in self.operations:
            for tensor in dict.fromkeys(operation.tensors):
                self._users.setdefault(tensor, []).append(operation)


class Seeing(TorchDispatchMode):
    """Keeps each operation that gradients go through.

    Args:
        step: where they go.
        here: tells where in the program something happens.
    """

    def __init__(self, step: Step, here: Callable[[], Here]) -> None:
        super().__init__()
        self._step = step
        self._here = here

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
            number = len(self._step.operations)
            operation = Operation(number, func, args, kwargs, outs, self._here())
            if any(each.requires_grad for each in operation.tensors):
                self._step.operations.append(operation)
        return out


def listen(step: Step) -> None:
    """Have the backward pass that begins note what arrives where."""
    tensors = (each for op in step.operations for each in (*op.tensors, *op.outs))
    for tensor in dict.fromkeys(tensors):
        if tensor.requires_grad:
            tensor.register_hook(_noting(step, tensor))


def _noting(step: Step, tensor: Tensor) -> Callable[[Tensor], None]:
    def note(gradient: Tensor) -> None:
        step.gradients[tensor] = gradient.detach().clone()

    return note
