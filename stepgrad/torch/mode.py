"""What the program does with tensors, operation by operation (`Watching`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from inspect import signature
from itertools import compress
from typing import Any

import torch
from torch import Tensor
from torch._decomp import decomposition_table
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from stepgrad.torch.between import Result
from stepgrad.torch.cells import Cells
from stepgrad.torch.counted import Count, least_nodes
from stepgrad.torch.opaque import WHOLE, alike, recorded_whole
from stepgrad.torch.passes import NoRoomError
from stepgrad.torch.table import PLAIN, TABLE, Row
from stepgrad.torch.tensors import Tensors
from stepgrad.torch.versions import Versions

_SETTINGS = {"dtype", "device", "layout", "memory_format", "pin_memory", "non_blocking"}
"""Arguments that say how results are stored."""


class Watching(TorchDispatchMode):
    """Sees each ATen operation, and has the table do to nodes what it does to tensors."""

    def __init__(self, tensors: Tensors) -> None:
        super().__init__()
        self._tensors = tensors
        self.versions = Versions()
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
        if torch._C._current_autograd_node() is not None:
            return func(*args, **kwargs)
        self._tensors.between.join()
        if func._schema.is_mutable and not self.inside:
            spot, name = self._tensors.program.here().spot, func._schema.name
            written = _written(func, args, kwargs)
            self.versions.writes(written, name.removeprefix("aten::"), spot)
        tensors = [*_tensors(args), *_tensors(kwargs.values())]
        growing = [*filter(self.grows, tensors)]
        limits = self._tensors.limits
        if growing:
            self._tensors.begins()
        if limits.count is not None:
            return self._counted(limits.count, func, args, kwargs)
        if limits.idle:
            return func(*args, **kwargs)
        if not growing:
            return self._unrecorded(func, args, kwargs)
        if self._tensors.borders.outside:
            limits.check_stray(self._tensors.borders.strays(growing))
            return func(*args, **kwargs)
        limits.check(growing)
        for each in growing:
            self._tensors.meet(each)
        name = func._schema.name.removeprefix("aten::")
        if func._schema.is_mutable and name.endswith("_"):
            name = name.removesuffix("_")  # what it does to numbers, it does to nodes
        if name in PLAIN:
            out = self._plain(func(*args, **kwargs))
            self._tensors.samples.carry(tensors, _tensors(_parts(out)))
            return out
        if name in TABLE:
            return self._by_row(name, func, args, kwargs)
        if func._can_decompose():  # in PyTorch itself: it is nothing but these operations
            with self:
                return func.decompose(*args, **kwargs)
        return self._without_row(name, func, args, kwargs)

    def _without_row(
        self, name: str, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        if is_view(func):
            out = func(*args, **kwargs)
            self._tensors.limits.check(_tensors(_parts(out)))
            return out
        if name in WHOLE or _functional(name, func) not in decomposition_table:
            return self._whole(name, func, args, kwargs)
        return self._taken_apart(name, func, args, kwargs)

    def _counted(
        self, count: Count, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        """Run an operation, and count the nodes that it would make."""
        out = func(*args, **kwargs)
        name = func._schema.name.removeprefix("aten::")
        growing = any(map(self.grows, _tensors([*args, *kwargs.values()])))
        outside = self._tensors.borders.outside
        if growing and name in TABLE and not is_view(func) and not outside:
            first = next(iter(_tensors(_parts(out))), None)
            few = 0 if first is None else first.numel()
            path = self._tensors.program.here().call.module
            count.add(least_nodes(name, args, out) or few, path)
        return out

    def _unrecorded(self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run an operation on plain numbers."""
        if func._schema.is_mutable and not self.inside:
            self._tensors.writing.begins(_written(func, args, kwargs))
        out = func(*args, **kwargs)
        if self._tensors.samples.on and not is_view(func):
            operands = [*_tensors(args), *_tensors(kwargs.values())]
            self._tensors.samples.carry(operands, _tensors(_parts(out)))
        return out

    def _by_row(self, name: str, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        row = TABLE[name]
        settings = {k: v for k, v in kwargs.items() if k not in _SETTINGS}
        cells, named = self._converted(args), self._converted(settings)
        out = func(*args, **kwargs)
        self._tensors.limits.check(_tensors([out]))
        if not any(map(torch.is_floating_point, _tensors([out]))):
            return out
        since = len(self._tensors.made)
        if takes_out(row):
            named["out"] = out
        least = 0 if self._tensors.samples.on else least_nodes(name, args, out)
        try:
            with self._tensors.limits.making(name, self._tensors.made, least):
                results = _parts(row(*cells, **named))
        except NoRoomError as error:
            if self.inside:
                raise
            self._tensors.give_up(error.nodes)
            return out
        self._keep(results, out, since, _selecting((args, kwargs)))
        return out

    def _whole(self, name: str, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Record an operation as one node for each element, with PyTorch's own derivatives."""
        cells, named = self._converted((args, dict(kwargs)))
        out = func(*args, **kwargs)
        self._tensors.limits.check(_tensors([out]))
        since = len(self._tensors.made)
        try:
            with self._tensors.limits.making(name, self._tensors.made):
                whole = _functional(name, func)
                results = recorded_whole(name, whole, cells, named, _parts(out))
        except NoRoomError as error:
            if self.inside:
                raise
            self._tensors.give_up(error.nodes)
            return out
        # An element may depend on any other of its sample.
        self._keep(results, out, since, [*_tensors(args), *_tensors(kwargs.values())])
        return out

    def _taken_apart(
        self, name: str, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        """Record the operations that PyTorch takes this one apart into; return its own result."""
        given, named = tree_map(self._copied, (args, dict(kwargs)))
        out = func(*args, **kwargs)
        self._tensors.limits.check(_tensors([out]))
        if not any(map(torch.is_floating_point, _tensors([out]))):
            return out
        since = len(self._tensors.made)
        self.inside += 1
        try:
            with self._tensors.limits.making(name, self._tensors.made), self:
                results = _parts(decomposition_table[_functional(name, func)](*given, **named))
                if not all(map(alike, results, _parts(out))):
                    raise NotImplementedError(
                        "PyTorch takes it apart into operations with other results"
                    )
            cells = [self._converted(each) for each in results]
        except NoRoomError as error:
            if self.inside > 1:
                raise
            self._tensors.give_up(error.nodes)
            return out
        finally:
            self.inside -= 1
        self._keep(cells, out, since, _selecting((args, kwargs)))
        return out

    def _keep(
        self, results: Sequence[Any], out: Any, since: int, selecting: Sequence[Tensor]
    ) -> None:
        """Put the nodes of results beside them; those from `since` on take the results' values.

        Operands that are indices or masks are `selecting`.
        """
        for given, tensor in zip(results, _parts(out), strict=False):
            cells = given
            if isinstance(given, Cells) and self._tensors.samples.on:
                cells = self._tensors.samples.kept(given, selecting, tensor)
            if isinstance(cells, Cells) and cells.ids is not None:
                cells.made.computed(cells, tensor, since)
                self._tensors.beside.put(tensor, cells.ids, cells.made)
                if not self.inside and len(cells.made) > since:
                    span = range(since, len(cells.made))
                    self._tensors.between.result(tensor, Result(cells.made, span, cells.ids))
            else:
                self._plain([tensor])

    def _copied(self, part: Any) -> Any:
        """Return a copy in float64 of a tensor, with its nodes where gradients go through it."""
        if not isinstance(part, Tensor) or not part.is_floating_point():
            return part
        copy = part.detach().to(torch.float64, copy=True)
        kinds = self._tensors.samples.kinds(part)
        if kinds is not None:
            self._tensors.samples.put(copy, kinds)
        if self.grows(part):
            cells = self._tensors.cells(part, grows=True)
            if cells.ids is not None:
                self._tensors.beside.put(copy, cells.ids, cells.made)
        return copy

    def _plain(self, out: Any) -> Any:
        """Say that results are plain numbers, though autograd may take them for more."""
        for each in filter(torch.is_floating_point, _tensors(_parts(out))):
            if not self.inside or each in self._tensors.beside:
                self._tensors.beside.clear(each)
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


@cache
def takes_out(row: Row) -> bool:
    """Whether a row needs what PyTorch has computed."""
    return "out" in signature(row).parameters


def _functional(name: str, func: Any) -> Any:
    """Return the form of an operation that writes nothing in place."""
    if not func._schema.is_mutable:
        return func
    return getattr(getattr(torch.ops.aten, name, None), func._overloadname, None)


def _parts(result: Any) -> Sequence[Any]:
    return result if isinstance(result, (tuple, list)) else [result]


def is_view(func: Any) -> bool:
    """Whether the result of an operation is a window on an operand's storage."""
    if func._schema.is_mutable:  # of the operand itself, a window may be moved: `transpose_`
        return torch.Tag.inplace_view in func.tags
    return any(each.alias_info is not None for each in func._schema.returns)


def _written(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """Return the arguments that an operation writes to."""
    into = [each.alias_info is not None for each in func._schema.arguments]
    named = [
        kwargs[each.name]
        for each in func._schema.arguments
        if each.alias_info is not None and each.name in kwargs
    ]
    return _tensors([*compress(args, into), *named])


def _selecting(arguments: Any) -> list[Tensor]:
    """Return the arguments that are indices or masks."""
    tensors = (each for each in tree_leaves(arguments) if isinstance(each, Tensor))
    return [each for each in tensors if not each.is_floating_point()]


def _tensors(values: Any) -> list[Tensor]:
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _tensors(value)
    return found
