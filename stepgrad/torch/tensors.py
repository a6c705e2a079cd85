"""What is recorded of tensors: forward passes, backward passes, leaves and writes (`Tensors`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from stepgrad.engine.tape import Place
from stepgrad.recording.kept import Bounded
from stepgrad.recording.recorder import Recorder
from stepgrad.recording.structure import Context, Structure
from stepgrad.torch.beside import Beside
from stepgrad.torch.cells import NONE, Cells
from stepgrad.torch.leaves import Leaf
from stepgrad.torch.passes import Named, Pass
from stepgrad.torch.reverse import Sweeps, reverse


class Tensors:
    """The tensors of a program, as nodes of a recording.

    Args:
        recorder: where everything goes.
        place: tells where in the program something happens.
    """

    def __init__(self, recorder: Recorder, place: Callable[[], Place]) -> None:
        self.beside = Beside()
        self.leaves: dict[int, Leaf] = {}  # by the index of the first node
        self._recorder = recorder
        self._place = place
        self._made: Pass | None = None
        self._numbers: WeakIdKeyDictionary = WeakIdKeyDictionary()  # constants of this pass
        self._structures: dict[bytes, list[Structure]] = {}
        self._contexts = Bounded[object, Context](64)
        self._sweeps = Sweeps()
        self._left: WeakKeyDictionary[Pass, Tensor] = WeakKeyDictionary()

    # Forward.

    @property
    def made(self) -> Pass:
        """The forward pass that is being made."""
        if self._made is None:
            self._made = Pass(self._place, self._recorder.room)
        return self._made

    def cells(self, tensor: Tensor, *, grows: bool) -> Cells:
        """Return the cells of a tensor; `grows` is whether gradients go through it."""
        if not grows:
            return self._plain(tensor)
        data = tensor.detach().to(torch.float64, copy=True)
        ids = self.beside.window(tensor)
        ids = self.leaf(tensor) if ids is None else ids.clone()
        return Cells(self.made, None if (ids == NONE).all() else ids, data)

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

    def leaf(self, tensor: Tensor, name: str = "") -> Tensor:
        """Log a leaf for each element of a tensor, and return their numbers."""
        made = Pass(self._place, self._recorder.room)
        ids = made.leaves(tensor.detach().to(torch.float64, copy=True)).ids
        assert ids is not None
        if name:
            made.names.append(Named(0, name, tuple(tensor.shape)))
        self.beside.put(tensor, ids, made)
        self._log(made)
        self._left[made] = torch.zeros(len(made), dtype=torch.float64)
        self.leaves[made.base] = Leaf(name, tensor, made)
        return made.absolute(ids)

    def settle(self) -> None:
        """Log the pass that is being made."""
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
        key = tuple(made.names), tuple(made.places)
        context = self._contexts.get(key)
        if context is None:
            names = [name for tensor in made.names for name in tensor.elements]
            context = self._contexts[key] = Context.of(names, made.places)
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
