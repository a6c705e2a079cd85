"""Node numbers beside tensors (`Beside`).

They stand beside storages, not beside tensors: a tensor is a window on its storage, and its nodes
are the same window on the numbers beside that. So views need no rule, and what is written through
one is seen through the others.

Gradients know no storages: `h.detach().requires_grad_()` is a leaf on the storage of `h`. Where
there are nodes already, those of a leaf are beside the leaf itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils.weak import WeakIdKeyDictionary

from stepgrad.torch.cells import NONE
from stepgrad.torch.passes import NEW, Pass


class _Beside(NamedTuple):
    storage: StorageWeakRef
    numbers: Tensor
    passes: set[Pass]  # those whose nodes are here: kept alive as long as the storage


class Beside:
    """The numbers beside each storage that is alive."""

    def __init__(self) -> None:
        self._beside: dict[int, _Beside] = {}
        self._leaves: WeakIdKeyDictionary = WeakIdKeyDictionary()  # those with numbers of their own

    def __contains__(self, tensor: Tensor) -> bool:
        return self._find(tensor) is not None

    def window(self, tensor: Tensor) -> Tensor | None:
        """Return the numbers of a tensor's elements, `NONE` where there is no node.

        None if no element of its storage has one.
        """
        found = self._find(tensor)
        return None if found is None else _window(found.numbers, tensor)

    def clear(self, tensor: Tensor) -> None:
        """Say that a tensor's elements are plain numbers."""
        _window(self._found(tensor).numbers, tensor).fill_(NONE)

    def put(self, tensor: Tensor, numbers: Tensor, made: Pass) -> None:
        """Put nodes beside a tensor's elements; `made` is the pass that has made them."""
        found = self._found(tensor)
        _window(found.numbers, tensor).copy_(numbers)
        found.passes.add(made)
        if ((numbers > NONE) & (numbers < NEW)).any():  # moved there from earlier passes
            found.passes.update(made.uses)

    def put_leaf(self, leaf: Tensor, numbers: Tensor, made: Pass) -> None:
        """Put the nodes of the log beside a leaf; those that are there stay other tensors'."""
        found = self._found(leaf, mine=False)
        there = _window(found.numbers, leaf)
        free = there == NONE
        if not free.all():
            own = self._leaves[leaf] = _blank(leaf)
            _window(own.numbers, leaf).copy_(numbers)
            own.passes.add(made)
        there[free] = numbers[free]
        found.passes.add(made)

    def settle(self, made: Pass, absolute: Callable[[Tensor], Tensor]) -> None:
        """Take the final numbers of a pass; forget storages that are gone."""
        for key, each in [*self._beside.items()]:
            if each.storage.expired():
                del self._beside[key]
        for each in self._all():
            if made in each.passes:
                each.numbers.copy_(absolute(each.numbers))

    def passes(self) -> Iterator[Pass]:
        """Yield the passes whose nodes stand beside a storage that is alive."""
        for each in self._all():
            if not each.storage.expired():
                yield from each.passes

    def passes_of(self, tensor: Tensor) -> Collection[Pass]:
        """Return the passes that have made nodes of its storage."""
        found = self._find(tensor)
        return () if found is None else found.passes

    def _all(self) -> Iterator[_Beside]:
        yield from self._beside.values()
        yield from self._leaves.values()

    def _found(self, tensor: Tensor, *, mine: bool = True) -> _Beside:
        found = self._find(tensor) if mine else self._shared(tensor)
        if found is None:
            found = self._beside[tensor.untyped_storage()._cdata] = _blank(tensor)
        return found

    def _find(self, tensor: Tensor) -> _Beside | None:
        return (self._own(tensor) if self._leaves else None) or self._shared(tensor)

    def _own(self, tensor: Tensor) -> _Beside | None:
        whole = tensor if tensor._base is None or tensor.is_leaf else tensor._base
        own: _Beside | None = self._leaves.get(whole)
        # The program may have given the leaf another storage.
        same = own is not None and own.storage.cdata == tensor.untyped_storage()._cdata
        return own if same else None

    def _shared(self, tensor: Tensor) -> _Beside | None:
        return self._beside.get(tensor.untyped_storage()._cdata)


def _blank(tensor: Tensor) -> _Beside:
    storage = tensor.untyped_storage()
    length = storage.nbytes() // tensor.element_size()
    blank = torch.full((length,), NONE, dtype=torch.int64)
    return _Beside(StorageWeakRef(storage), blank, set())


def _window(numbers: Tensor, tensor: Tensor) -> Tensor:
    return numbers.as_strided(tensor.size(), tensor.stride(), tensor.storage_offset())
