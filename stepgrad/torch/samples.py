"""Of a batch, one sample's path (`Samples`): which numbers of a program depend on that sample.

Each number is of one of three kinds, and what is computed from several is of the largest of theirs:
what depends on the sample; else, what depends on another one; else, what depends on none.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

from stepgrad.torch.cells import NONE, OTHER, SAMPLE, Cells


class Samples:
    """The kinds of the numbers of tensors, beside their storages.

    Args:
        row: which sample of each batch is followed; None if all are.
    """

    def __init__(self, row: int | None) -> None:
        self.row = row
        self.size: int | None = None  # how many samples the batch of this step has
        self._beside: dict[int, tuple[StorageWeakRef, Tensor]] = {}

    @property
    def on(self) -> bool:
        """Whether one sample is followed."""
        return self.row is not None

    @property
    def said(self) -> str:
        """Which sample is followed, in a sentence."""
        return (
            f"only the path of sample {self.row} is recorded: other samples enter as constants, "
            "and what they add to the gradients of parameters is as PyTorch computed it"
        )

    def begin(self) -> None:
        """A training step begins: what comes is another batch."""
        self.size = None
        for key, (storage, _) in [*self._beside.items()]:
            if storage.expired():
                del self._beside[key]

    def enter(self, inputs: Iterable[Tensor]) -> None:
        """A model is called: the first of its inputs that has rows tells how large the batch is.

        All inputs with as many rows are batches: a row is a sample.
        """
        for each in inputs:
            if each.ndim:
                self.size = len(each) if self.size is None else self.size
                if self.on and len(each) == self.size and self.kinds(each) is None:
                    kinds = torch.full((self.size,), OTHER, dtype=torch.int8)
                    kinds[torch.arange(self.size) == self.row] = SAMPLE
                    self.put(each, _along_rows(kinds, each.shape))

    def kinds(self, tensor: Tensor) -> Tensor | None:
        """Return the kind of each number of a tensor; None if it depends on no sample."""
        found = self._beside.get(tensor.untyped_storage()._cdata) if self._beside else None
        return None if found is None else _window(found[1], tensor)

    def put(self, tensor: Tensor, kinds: Tensor) -> None:
        """Say of which kinds the numbers of a tensor are."""
        storage = tensor.untyped_storage()
        if storage._cdata not in self._beside:
            length = storage.nbytes() // tensor.element_size()
            blank = torch.zeros(length, dtype=torch.int8)
            self._beside[storage._cdata] = StorageWeakRef(storage), blank
        _window(self._beside[storage._cdata][1], tensor).copy_(kinds)

    def carry(self, operands: Iterable[Tensor], results: Iterable[Tensor]) -> None:
        """Say of which kinds the results of an operation on plain numbers are."""
        if not self._beside:
            return
        known = [(each, kinds) for each in operands if (kinds := self.kinds(each)) is not None]
        for out in results:
            parts = [_carried(kinds, out.shape) for _, kinds in known]
            found = [each for each in parts if each is not None]
            if found:
                self.put(out, torch.stack(found).amax(0))

    def kept(self, cells: Cells, operands: Iterable[Tensor], out: Tensor) -> Cells:
        """Return what an operation gives, and keep of which kinds that is.

        Args:
            cells: what it makes of its operands that are cells.
            operands: the others: an index that depends on a sample selects what depends on it.
            out: what PyTorch gives.
        """
        kinds = cells.kinds
        for each in operands:
            known = self.kinds(each)
            carried = None if known is None else _carried(known, out.shape)
            if carried is not None:
                kinds = carried if kinds is None else torch.maximum(kinds, carried)
        if kinds is None:
            return cells
        self.put(out, kinds)
        ids = None if cells.ids is None else cells.ids.masked_fill(kinds == OTHER, NONE)
        return Cells(cells.made, ids, cells.data, kinds)


def _carried(kinds: Tensor, shape: torch.Size) -> Tensor | None:
    """Return the kinds of a result of some shape: by element, or else by row; None if by neither.

    What has as many elements ahead has more dimensions behind: `one_hot`, `embedding`.
    """
    if kinds.ndim and shape[: kinds.ndim] == kinds.shape:
        return kinds.reshape([*kinds.shape, *[1] * (len(shape) - kinds.ndim)]).expand(shape)
    if kinds.ndim and shape and shape[0] == len(kinds):
        return _along_rows(kinds.reshape(len(kinds), -1).amax(1), shape)
    return None


def _along_rows(kinds: Tensor, shape: torch.Size) -> Tensor:
    return kinds.reshape([-1, *[1] * (len(shape) - 1)]).expand(shape)


def _window(kinds: Tensor, tensor: Tensor) -> Tensor:
    return kinds.as_strided(tensor.size(), tensor.stride(), tensor.storage_offset())
