"""What the program does with tensors, operation by operation (`Watching`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import compress
from typing import Any

import torch
from torch import Tensor
from torch._decomp import decomposition_table
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from stepgrad.torch.cells import Cells
from stepgrad.torch.counted import least_nodes
from stepgrad.torch.table import PLAIN, TABLE
from stepgrad.torch.tensors import Tensors

_SETTINGS = {"dtype", "device", "layout", "memory_format", "pin_memory", "non_blocking"}
"""Arguments that say how results are stored."""


class Watching(TorchDispatchMode):
    """Sees each ATen operation, and has the table do to nodes what it does to tensors."""

    def __init__(self, tensors: Tensors) -> None:
        super().__init__()
        self._tensors = tensors
        self.inside = 0  # an operation that is taken apart: autograd does not see its parts

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run an operation, and record it where gradients go through it."""
        kwargs = kwargs or {}
        if self._tensors.limits.idle or torch._C._current_autograd_node() is not None:
            return func(*args, **kwargs)
        tensors = [*_tensors(args), *_tensors(kwargs.values())]
        growing = [*filter(self.grows, tensors)]
        if growing:
            self._tensors.limits.check(growing)
        for each in growing:
            self._tensors.meet(each)
        if not growing or is_view(func):
            if func._schema.is_mutable and not self.inside:
                self._tensors.writing.begins(_written(func, args, kwargs))
            return func(*args, **kwargs)
        name = func._schema.name.removeprefix("aten::")
        if name in PLAIN:
            return func(*args, **kwargs)
        if func._schema.is_mutable:
            return self._in_place(name, func, args, kwargs)
        if name not in TABLE and func in decomposition_table:
            self.inside += 1
            try:
                with self:
                    return decomposition_table[func](*args, **kwargs)
            finally:
                self.inside -= 1
        convert = self._converted
        cells = convert(args), {k: convert(v) for k, v in kwargs.items() if k not in _SETTINGS}
        out = func(*args, **kwargs)
        self._tensors.limits.check(_tensors([out]))
        if any(each.is_floating_point() for each in _tensors([out])):
            self._made(name, cells, out)
        return out

    def grows(self, tensor: Tensor) -> bool:
        """Whether gradients go through a tensor."""
        if self.inside:
            return tensor in self._tensors.beside
        return tensor.requires_grad and torch.is_grad_enabled()

    def _converted(self, argument: Any) -> Any:
        def convert(part: Any) -> Any:
            if isinstance(part, Tensor) and part.is_floating_point():
                return self._tensors.cells(part, grows=self.grows(part))
            return part

        return tree_map(convert, argument)

    def _made(self, name: str, cells: tuple[Any, Any], out: Any) -> None:
        args, kwargs = cells
        with self._tensors.limits.making(name, self._tensors.made, least_nodes(name, args, out)):
            row = TABLE[name]
            since = len(self._tensors.made)
            result = row(*args, **kwargs)
        outs = out if isinstance(out, (tuple, list)) else [out]
        results = result if isinstance(result, (tuple, list)) else [result]
        for made, tensor in zip(results, outs, strict=False):
            if isinstance(made, Cells) and made.ids is not None:
                made.made.computed(made, tensor, since)
                self._tensors.beside.put(tensor, made.ids, made.made)

    def _in_place(
        self, name: str, func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        cells = self._converted(args), {k: self._converted(v) for k, v in kwargs.items()}
        out = func(*args, **kwargs)
        self._made(name.removesuffix("_"), cells, out)
        return out


def is_view(func: Any) -> bool:
    """Whether the result of an operation is a window on an operand's storage."""
    returns = func._schema.returns
    return not func._schema.is_mutable and any(each.alias_info is not None for each in returns)


def _written(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """Return the arguments that an operation writes to."""
    into = [each.alias_info is not None for each in func._schema.arguments]
    named = [
        kwargs[each.name]
        for each in func._schema.arguments
        if each.alias_info is not None and each.name in kwargs
    ]
    return _tensors([*compress(args, into), *named])


def _tensors(values: Any) -> list[Tensor]:
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _tensors(value)
    return found
