"""Tensors that gradients are asked of: parameters, and others that require a gradient (`Leaf`)."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import ref

from torch import Tensor

from stepgrad.torch.passes import Pass


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
        self.data = tensor.detach().clone()
        self.grad: Tensor | None = None
