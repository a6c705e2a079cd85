"""A forward pass over tensors while it is made (`Pass`), and the block that it becomes.

It is made in batches: all elements of one operation at once. The number of a node is its index in
the log; while its pass is being made that is not known, and it is `NEW` + its offset there.
"""

from __future__ import annotations

import ctypes
from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor

from stepgrad.engine.ops import CONSTANT, LEAF, Op
from stepgrad.recording.blocks import Forward
from stepgrad.recording.structure import Structure
from stepgrad.torch.arithmetic import value
from stepgrad.torch.calls import Call, Here, Named
from stepgrad.torch.cells import NONE, OTHER, Cells

NEW = 1 << 40
"""Node numbers from here on are those of the pass that is being made."""


class NoRoomError(Exception):
    """There is no memory for the nodes of an operation.

    Args:
        nodes: how many there are.
        room: for how many there is memory.
    """

    def __init__(self, nodes: int, room: int) -> None:
        super().__init__(nodes, room)
        self.nodes = nodes
        self.room = room


class Batch(NamedTuple):
    """Nodes that one operation has made at once.

    Args:
        op: the operation.
        start: the offset of the first in its pass.
        edges: the operands of each: one row for each node, one column for each slot.
        local: the local derivatives in the same places, where the operation stores them.
    """

    op: Op
    start: int
    edges: Tensor
    local: Tensor | None = None


class Pass:
    """The nodes of one forward pass.

    Args:
        here: tells where the program is.
        room: the most nodes that it may have.
    """

    def __init__(self, here: Callable[[], Here], room: int) -> None:
        self.batches: list[Batch] = []
        self.names: list[Named] = []
        self.moves: list[tuple[int, Here]] = []  # from which offset on nodes were made where
        self.forward: Forward | None = None
        self.earlier: Sequence[Pass] = ()
        self.uses = set[Pass]()  # those whose nodes it may have used, while it is being made
        self.left: Tensor | None = None  # of leaves: the gradients that are there, as in the log
        self.coarsest = torch.float64  # of the types of its numbers
        self.column = torch.empty(0, dtype=torch.float64)
        self._codes = bytearray()
        self._values: list[Tensor] = []
        self._own: list[tuple[Tensor, Tensor]] = []
        self._now = here
        self._room = room

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def base(self) -> int:
        """The index of the first node, once the pass is in the log."""
        assert self.forward is not None, "it is in the log"
        return self.forward.base

    def here(self, offset: int) -> Here:
        """Return where the program was when it made a node."""
        return self.moves[bisect_right(self.moves, offset, key=lambda each: each[0]) - 1][1]

    def holds(self, index: int) -> bool:
        """Whether a node of the log is one of this pass."""
        return self.forward is not None and self.base <= index < self.base + len(self)

    def cells(self, numbers: Cells | Tensor | float) -> Cells:
        """Return cells as they are, and numbers as cells without nodes."""
        if isinstance(numbers, Cells):
            return numbers
        return Cells(self, None, torch.as_tensor(numbers, dtype=torch.float64))

    def leaves(self, data: Tensor) -> Cells:
        """Make a leaf for each element."""
        return Cells(self, self._add(LEAF, data), data)

    def make(self, op: Op, operands: Sequence[Cells]) -> Cells:
        """Make a node of an operation for each element of its operands, which broadcast."""
        data = value(op)(*(each.data for each in operands))
        shape = data.shape
        kinds = _kinds(operands, shape)
        if kinds is not None:
            return self._of_sample(op, operands, data, kinds)
        if all(each.ids is None for each in operands):
            return Cells(self, None, data)
        edges = [self.numbered(each).expand(shape).reshape(-1) for each in operands]
        start = len(self)
        ids = self._add(op, data)
        if len(self) > start:
            self.batches.append(Batch(op, start, torch.stack(edges, 1)))
        return Cells(self, ids, data)

    def stored(self, op: Op, data: Tensor, edges: Tensor, local: Tensor) -> Tensor:
        """Make nodes of an operation that stores its local derivatives; return their numbers."""
        self.make_room(edges.numel())
        start = len(self)
        ids = self._add(op, data)
        self.batches.append(Batch(op, start, edges, local))
        return ids

    def _of_sample(self, op: Op, operands: Sequence[Cells], data: Tensor, kinds: Tensor) -> Cells:
        """Make nodes of an operation for the elements that do not depend on other samples."""
        shape = data.shape
        there = torch.zeros(shape, dtype=torch.bool)
        for each in operands:
            if each.ids is not None:
                there |= each.ids != NONE
        there &= kinds != OTHER
        if not there.any():
            return Cells(self, None, data, kinds)
        edges = []
        for each in operands:
            used = torch.zeros(each.data.numel(), dtype=torch.bool)
            used[torch.arange(len(used)).view(each.shape).expand(shape)[there]] = True
            edges.append(self.numbered(each, used.view(each.shape)).expand(shape)[there])
        start = len(self)
        ids = torch.full(shape, NONE)
        ids[there] = self._add(op, data[there])
        self.batches.append(Batch(op, start, torch.stack(edges, 1)))
        return Cells(self, ids, data, kinds)

    def computed(self, cells: Cells, out: Tensor, since: int) -> None:
        """Take the program's own numbers for nodes from offset `since` on.

        Its arithmetic need not be ours: it may round to float32, or add up in another order.
        """
        if cells.ids is not None:
            self.coarsest = max(self.coarsest, out.dtype, key=precision)
            new = cells.ids >= NEW + since
            self._own.append((cells.ids[new] - NEW, out[new].to(torch.float64)))

    def make_room(self, nodes: int) -> None:
        """Look whether there is memory for more nodes.

        Raises:
            NoRoomError: there is not.
        """
        if len(self) + nodes > self._room:
            raise NoRoomError(nodes, self._room - len(self))

    def name(self, name: str, ids: Tensor, call: Call | None = None) -> None:
        """Name the nodes of a tensor, as far as they are of this pass.

        Without a name, they are called after the function that is called, if that has made them.
        """
        offsets = (ids.reshape(-1) - NEW).tolist()
        made = [offset for offset in offsets if offset >= 0]
        if made and (name or self.here(made[0]).call is call):
            self.names.append(Named(name, tuple(ids.shape), tuple(offsets), call))

    def numbered(self, cells: Cells, used: Tensor | None = None) -> Tensor:
        """Return the node of each element; plain numbers become constants, once.

        Of `used`, a mask, only those elements need a node.
        """
        if cells.ids is None and used is None:
            cells.ids = self._add(CONSTANT, cells.data)
            return cells.ids
        if cells.ids is None:
            cells.ids = torch.full(cells.shape, NONE)
        plain = cells.ids == NONE if used is None else (cells.ids == NONE) & used
        if plain.any():
            cells.ids = cells.ids.masked_scatter(plain, self._add(CONSTANT, cells.data[plain]))
        return cells.ids

    def _add(self, op: Op, data: Tensor) -> Tensor:
        start, count = len(self), data.numel()
        here = self._now()
        if not self.moves or self.moves[-1][1] != here:
            self.moves.append((start, here))
        self.make_room(count)
        flat = data.reshape(-1)  # first: where this cannot be done, no nodes are half made
        self._codes += bytes([op.code]) * count
        self._values.append(flat)
        return torch.arange(NEW + start, NEW + start + count).view(data.shape)

    # What becomes of it in the log.

    def values(self) -> array[float]:
        """Return the values of all nodes, and keep them for the way back."""
        if self._values:
            self.column = torch.cat(self._values)
        for offsets, out in self._own:
            self.column[offsets] = out
        self._values, self._own = [], []
        return array("d", as_bytes(self.column))

    def structure(
        self, forward_of: Callable[[int], Forward]
    ) -> tuple[Structure, Sequence[Forward]]:
        """Return what it is made of, and the passes in the log that it uses."""
        edges = [each.edges.reshape(-1) for each in self.batches]
        refs = torch.cat(edges) if edges else torch.empty(0, dtype=torch.int64)
        own = refs - NEW
        old = own < 0
        outer, ranks = _ranked(refs[old])
        own[old] = ranks.bitwise_not()  # `~k` is number k of those from earlier passes
        earlier: list[Forward] = []
        numbers = torch.zeros_like(outer)
        offsets = torch.zeros_like(outer)
        done = 0
        while done < len(outer):
            forward = forward_of(int(outer[done]))
            end = int((outer >= forward.base).sum())
            numbers[done:end] = len(earlier)
            offsets[done:end] = outer[done:end] - forward.base
            earlier.append(forward)
            done = end
        own, numbers, offsets = map(_ints, (own, numbers, offsets))
        ops = [[each.op] * len(each.edges) for each in self.batches if each.local is not None]
        rows = tuple(chain.from_iterable(ops))
        return Structure(bytes(self._codes), own, numbers, offsets, rows), earlier

    def locals(self) -> array[float]:
        """Return the local derivatives that are stored, in the order of the nodes."""
        columns = [each.local.reshape(-1) for each in self.batches if each.local is not None]
        return array("d", as_bytes(torch.cat(columns)) if columns else b"")

    def absolute(self, ids: Tensor) -> Tensor:
        """Return node numbers with those of this pass, which is in the log now, as indices."""
        return torch.where(ids >= NEW, ids - NEW + self.base, ids)


def _kinds(operands: Sequence[Cells], shape: torch.Size) -> Tensor | None:
    """Return on which samples results depend; None if on none."""
    found = [each.kinds.expand(shape) for each in operands if each.kinds is not None]
    return torch.stack(found).amax(0) if found else None


def precision(dtype: torch.dtype) -> float:
    """Return the distance from 1 to the next number of a type."""
    return torch.finfo(dtype).eps


def as_bytes(tensor: Tensor) -> bytes:
    """Return the numbers of a tensor as they are in memory."""
    tensor = tensor.contiguous()
    return ctypes.string_at(tensor.data_ptr(), tensor.nbytes) if tensor.numel() else b""


def _ranked(numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Return what numbers occur, the largest first, and for each of them which of these it is."""
    if not len(numbers):
        return numbers, numbers
    least = numbers.min()
    occurs = torch.zeros(int(numbers.max() - least) + 1, dtype=torch.bool)
    occurs[numbers - least] = True
    ranks = occurs.flip(0).cumsum(0).flip(0) - 1
    return (occurs.nonzero().reshape(-1) + least).flip(0), ranks[numbers - least]


def _ints(tensor: Tensor) -> array[int]:
    return array("i", as_bytes(tensor.to(torch.int32)))
