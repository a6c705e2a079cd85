"""Tensors that gradients are asked of: parameters, and others that require a gradient (`Leaf`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from weakref import ref

import torch
from torch import Tensor

from stepgrad.engine.tape import WriteKind
from stepgrad.torch.passes import Pass

_INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class Change(NamedTuple):
    """Numbers of a leaf tensor that the program has written: which elements, and the new ones."""

    kind: WriteKind
    offsets: Tensor
    after: Tensor


class Leaf:
    """A tensor of leaves, as the log knows it.

    Args:
        name: what the program calls it; may be empty.
        tensor: the tensor.
        made: the pass that has made its nodes.
    """

    def __init__(self, name: str, tensor: Tensor, made: Pass) -> None:
        self.name = name
        self.made = made
        self.shape: Sequence[int] = tensor.shape
        self.tensor = ref(tensor)
        made.left = torch.zeros(len(made), dtype=torch.float64)
        self._data = tensor.detach().clone()  # what the tensor was when it was last looked at
        self._grad: Tensor | None = None

    @property
    def left(self) -> Tensor:
        """The gradient of each element, as it is in the log."""
        assert self.made.left is not None, "it is a pass of leaves"
        return self.made.left

    @property
    def grad(self) -> Tensor | None:
        """The gradient that PyTorch holds; None if there is none, or the tensor is gone."""
        tensor = self.tensor()
        grad = tensor.grad if tensor is not None and tensor.is_leaf else None
        return grad.to_dense() if grad is not None and grad.is_sparse else grad

    def seen(self) -> None:
        """Take the gradients that the tensor has now as known: a pass has brought them."""
        grad = self.grad
        self._grad = None if grad is None else grad.detach().clone()

    def regarded(self) -> Tensor:
        """Take the gradients that the tensor has now as those in the log, and return them."""
        self.seen()
        if self._grad is None:
            self.made.left = torch.zeros_like(self.left)
        else:
            self.made.left = self._grad.to(torch.float64).reshape(-1)
        return self.left

    def written(self) -> Tensor | None:
        """Take the values that the tensor has now as known, and return them, one for each leaf."""
        tensor = self.tensor()
        if tensor is None:
            return None
        self._data = tensor.detach().clone()
        values = self._data.to(torch.float64).reshape(-1)
        self.made.column[:] = values
        return values

    def changes(self) -> Iterator[Change]:
        """Yield what is no longer as it was when it was last looked at, bit for bit."""
        tensor = self.tensor()
        if tensor is None or tensor.shape != self.shape:
            return
        changed = _differ(tensor.detach(), self._data)
        if changed.any():
            values = self.written()
            assert values is not None, "the tensor is there"
            yield Change("update", changed.nonzero().reshape(-1), values[changed])
        yield from self._gradient()

    def _gradient(self) -> Iterator[Change]:
        grad, before = self.grad, self._grad
        if grad is None and before is None:
            return
        if grad is None:
            changed, after = ~_clear(self.left), torch.zeros_like(self.left)
        else:
            flat = grad.detach().reshape(-1)
            known = torch.zeros_like(flat) if before is None else before
            changed, after = _differ(flat, known), flat.to(torch.float64)
            if changed.any():  # where PyTorch has rounded to 0, the log may not have
                changed |= _clear(after) & ~_clear(self.left)
        self.seen()
        self.made.left = torch.where(changed, after, self.left)
        yield from gradient_changes(changed, after)


def gradient_changes(changed: Tensor, after: Tensor) -> Iterator[Change]:
    """Yield how gradients were written: those that were cleared, and the others."""
    kinds: tuple[WriteKind, WriteKind] = "zero", "set"
    cleared = _clear(after)
    for kind, which in zip(kinds, (changed & cleared, changed & ~cleared), strict=True):
        if which.any():
            yield Change(kind, which.nonzero().reshape(-1), after[which])


def bits(tensor: Tensor) -> Tensor:
    """Return the bits of each number, as integers, in one row: nan is equal to itself, −0 not 0."""
    flat = tensor.contiguous().view(_INTEGERS[tensor.element_size()])
    return flat.reshape(-1)


def _differ(one: Tensor, other: Tensor) -> Tensor:
    if one.dtype != other.dtype:  # of a model that was converted
        one, other = one.to(torch.float64), other.to(torch.float64)
    return bits(one) != bits(other)


def _clear(grads: Tensor) -> Tensor:
    return bits(grads) == 0
