"""Node numbers beside tensors (`Beside`).

They stand beside storages, not beside tensors: a tensor is a window on its storage, and its nodes
are the same window on the numbers beside that. So views need no rule, and what is written through
one is seen through the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

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

    def settle(self, made: Pass, absolute: Callable[[Tensor], Tensor]) -> None:
        """Take the final numbers of a pass; forget storages that are gone."""
        for key, (storage, numbers, passes) in [*self._beside.items()]:
            if storage.expired():
                del self._beside[key]
            elif made in passes:
                numbers.copy_(absolute(numbers))

    def passes(self) -> Iterator[Pass]:
        """Yield the passes whose nodes stand beside a storage that is alive."""
        for each in self._beside.values():
            if not each.storage.expired():
                yield from each.passes

    def passes_of(self, tensor: Tensor) -> Collection[Pass]:
        """Return the passes that have made nodes of its storage."""
        found = self._find(tensor)
        return () if found is None else found.passes

    def _found(self, tensor: Tensor) -> _Beside:
        found = self._find(tensor)
        if found is None:
            storage = tensor.untyped_storage()
            length = storage.nbytes() // tensor.element_size()
            blank = torch.full((length,), NONE, dtype=torch.int64)
            found = self._beside[storage._cdata] = _Beside(StorageWeakRef(storage), blank, set())
        return found

    def _find(self, tensor: Tensor) -> _Beside | None:
        return self._beside.get(tensor.untyped_storage()._cdata)


def _window(numbers: Tensor, tensor: Tensor) -> Tensor:
    return numbers.as_strided(tensor.size(), tensor.stride(), tensor.storage_offset())
