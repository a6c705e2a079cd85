"""What is recorded of tensors: forward passes, backward passes, leaves and writes (`Tensors`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import getpid
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from stepgrad.recording.kept import Bounded
from stepgrad.recording.places import Places
from stepgrad.recording.recorder import Recorder
from stepgrad.recording.structure import Context, Structure
from stepgrad.torch.beside import NONE, Beside
from stepgrad.torch.calls import Call
from stepgrad.torch.cells import Cells
from stepgrad.torch.leaves import Leaf
from stepgrad.torch.passes import NoRoomError, Pass
from stepgrad.torch.program import Program
from stepgrad.torch.refused import RefusedError, check_made, check_tensors, too_large, unknown
from stepgrad.torch.reverse import Sweeps, reverse


class Tensors:
    """The tensors of a program, as nodes of a recording.

    Args:
        recorder: where everything goes.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.beside = Beside()
        self.leaves: dict[int, Leaf] = {}  # by the index of the first node
        self._recorder = recorder
        self._process = getpid()
        self._ended = False
        places = Places(recorder.log.sources) if recorder.lines else None
        self.program = Program(places, self)
        self._made: Pass | None = None
        self._numbers: WeakIdKeyDictionary = WeakIdKeyDictionary()  # constants of this pass
        self._structures: dict[bytes, list[Structure]] = {}
        self._contexts = Bounded[object, Context](64)
        self._sweeps = Sweeps()
        self._left: WeakKeyDictionary[Pass, Tensor] = WeakKeyDictionary()

    # What cannot be recorded.

    @property
    def idle(self) -> bool:
        """Whether nothing is recorded: the recording has ended, or this is a forked process."""
        return self._ended or self._recorder.closed or getpid() != self._process

    def check(self, tensors: Iterable[Tensor]) -> None:
        """Look whether tensors of an operation can be recorded.

        Raises:
            RefusedError: some cannot.
        """
        with self._refusing():
            check_tensors(tensors, self.program.where)

    @contextmanager
    def making(self, name: str, nodes: int) -> Iterator[None]:
        """Make the nodes of an operation inside.

        Args:
            name: that of the operation.
            nodes: how many there are at least.

        Raises:
            RefusedError: they cannot be made.
        """
        with self._refusing():
            try:
                self.made.make_room(nodes)
                yield
            except NoRoomError as error:
                where = self.program.where()
                raise too_large(error.nodes, error.room, where) from None
            except Exception as error:
                raise unknown(name, self.program.where()) from error

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except RefusedError:
            self._ended = True  # what comes next would be recorded without it
            raise

    # Forward.

    @property
    def made(self) -> Pass:
        """The forward pass that is being made."""
        if self._made is None:
            self._made = Pass(self.program.here, self._recorder.room)
        return self._made

    def cells(self, tensor: Tensor, *, grows: bool) -> Cells:
        """Return the cells of a tensor; `grows` is whether gradients go through it."""
        if not grows:
            return self._plain(tensor)
        data = tensor.detach().to(torch.float64, copy=True)
        ids = self.beside.window(tensor)
        if ids is None:
            with self._refusing():
                check_made(tensor, self.program.where)
            ids = self.leaf(tensor)
        ids = ids.clone()
        plain = ids == NONE  # the others were written into a tensor of numbers
        if plain.any():
            ids[plain] = self.made.constants(data[plain])
        return Cells(self.made, ids, data)

    def meet(self, tensor: Tensor) -> None:
        """Log a tensor that gradients go through, if it is a leaf that is not known yet."""
        whole = tensor if tensor._base is None else tensor._base
        if whole.is_leaf and whole not in self.beside:
            self.leaf(whole)

    def _plain(self, tensor: Tensor) -> Cells:
        """Return a tensor of plain numbers: the same constants wherever the pass uses it."""
        version, cells = self._numbers.get(tensor, (None, None))
        if cells is None or version != tensor._version:
            cells = Cells(self.made, None, tensor.detach().to(torch.float64, copy=True))
            self._numbers[tensor] = tensor._version, cells
        return cells

    def leaf(self, tensor: Tensor) -> Tensor:
        """Log a leaf for each element of a tensor, and return their numbers."""
        name, here = self.program.leaf(tensor)
        made = Pass(lambda: here, self._recorder.room)
        ids = made.leaves(tensor.detach().to(torch.float64, copy=True)).ids
        assert ids is not None
        if name:
            made.name(name, ids)
        self.beside.put(tensor, ids, made)
        self._log(made)
        self._left[made] = torch.zeros(len(made), dtype=torch.float64)
        self.leaves[made.base] = Leaf(name, tensor, made)
        return made.absolute(ids)

    def name(self, tensor: Tensor, name: str, call: Call) -> None:
        """Name the nodes that a tensor has in the pass that is being made."""
        ids = self.beside.window(tensor)
        if ids is not None and self._made is not None:
            self._made.name(name, ids, call)

    def settle(self) -> None:
        """Log the pass that is being made."""
        self.program.name_results()
        made, self._made = self._made, None
        self._numbers = WeakIdKeyDictionary()
        if made is not None and len(made):
            self._log(made)

    def _log(self, made: Pass) -> None:
        recorder = self._recorder
        recorder.settle()
        values = made.values()
        structure, earlier = made.structure(recorder.log.history.forward_of)
        structure = self._same(structure)
        key = named, places = self.program.described(made.moves, made.names, len(made))
        context = self._contexts.get(key)
        if context is None:
            # Of several names, the first is that of the result.
            names = {at: name for each in reversed(named) for at, name in each.elements}
            context = self._contexts[key] = Context.of([*names.items()], places)
        made.forward = recorder.log_forward(structure, tuple(earlier), context, values)
        by_base = {each.base: each for each in self._passes()}
        made.earlier = [by_base[each.base] for each in earlier]
        self.beside.settle(made, made.absolute)

    def _passes(self) -> Iterator[Pass]:
        for each in self.beside.passes():
            if each.forward is not None:
                yield each
        yield from self._left

    def _same(self, structure: Structure) -> Structure:
        alike = self._structures.setdefault(structure.codes, [])
        for each in alike:
            if each.is_like(structure):
                return each
        alike.append(structure)
        return structure

    # Backward.

    def backward(self, root: Tensor) -> None:
        """Log a backward pass from a tensor of one element, which is seeded with 1."""
        self.settle()
        numbers = self.beside.window(root)
        assert numbers is not None, "it was recorded"
        index = int(numbers.reshape(()))
        made = next(each for each in self._passes() if each.base <= index < each.base + len(each))
        backward = reverse(index - made.base, made, dict(self._left))
        sweep, over, column = self._sweeps.column(index - made.base, backward)
        self._recorder.log_backward(sweep, over, column)
        for each, grads in zip(backward.over, backward.gradients, strict=True):
            if each in self._left:
                self._left[each] = grads.clone()

    def gradient(self, leaf: Leaf) -> Tensor:
        """Return the gradient of a leaf tensor, as it is in the log."""
        return self._left[leaf.made].view(leaf.shape)
