"""What is recorded of tensors: forward passes, backward passes, leaves and writes (`Tensors`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from stepgrad.recording.foreign.remark import FIXED, Remark
from stepgrad.recording.kept import Bounded
from stepgrad.recording.places import Places
from stepgrad.recording.recorder import Recorder
from stepgrad.recording.structure import Context, Structure
from stepgrad.torch.beside import Beside
from stepgrad.torch.between import Between
from stepgrad.torch.borders import Borders
from stepgrad.torch.calls import Call
from stepgrad.torch.cells import NONE, Cells
from stepgrad.torch.counted import Count
from stepgrad.torch.leaves import Leaf
from stepgrad.torch.passes import NEW, Pass
from stepgrad.torch.program import Program, unseen
from stepgrad.torch.reverse import Reversed, Sweeps, reverse
from stepgrad.torch.samples import Samples
from stepgrad.torch.writes import Writing


class Tensors:
    """The tensors of a program, as nodes of a recording.

    Args:
        recorder: where everything goes.
        steps: the training steps to record; None for all.
        batch_row: the sample of each batch to record; None for all.
        layers: the paths of the modules to record; empty for all of the program.
        again: what follows options on a command line that runs it again; empty if there is none.
    """

    def __init__(
        self,
        recorder: Recorder,
        steps: range | None,
        batch_row: int | None,
        layers: Sequence[str],
        again: str,
    ) -> None:
        self.samples = Samples(batch_row)
        self.beside = Beside()
        self.between = Between()
        self.leaves: dict[int, Leaf] = {}  # by the index of the first node
        self.recorder = recorder
        places = Places(recorder.log.sources) if recorder.lines else None
        self.program = Program(places, self, lambda: recorder.closed, steps)
        self.limits = self.program.limits
        self.borders = Borders(layers, self.limits, self.beside, lambda: self.made)
        self.program.borders = self.borders
        self.limits.again = again
        self.writing = Writing(
            recorder, self.beside, self.living, self.settle_forward, self.program.place
        )
        self._made: Pass | None = None
        self._most = recorder.room
        self._fixed = False
        self._numbers: WeakIdKeyDictionary = WeakIdKeyDictionary()  # constants of this pass
        self._known: WeakIdKeyDictionary = WeakIdKeyDictionary()  # the leaf that a tensor is
        self._structures: dict[bytes, list[Structure]] = {}
        self._contexts = Bounded[object, Context](64)
        self._sweeps = Sweeps()

    # Forward.

    @property
    def made(self) -> Pass:
        """The forward pass that is being made."""
        if self._made is None:
            self.writing.look()
            self._made = Pass(self.program.here, self.recorder.room)
        return self._made

    @property
    def waiting(self) -> int:
        """How many nodes it has by now."""
        made = self._made
        return 0 if made is None else len(made)

    def cells(self, tensor: Tensor, *, grows: bool) -> Cells:
        """Return the cells of a tensor; `grows` is whether gradients go through it."""
        if not grows:
            return self._plain(tensor)
        made = self.made
        data = tensor.detach().to(torch.float64, copy=True)
        ids = self.beside.window(tensor)
        ids = self.leaf(tensor) if ids is None else ids.clone()
        made.uses.update(self.beside.passes_of(tensor))
        ids = None if (ids == NONE).all() else ids
        return Cells(made, ids, data, self.samples.kinds(tensor))

    def begins(self) -> None:
        """Operations that gradients go through come: log what was written, if a step begins."""
        recorded = not self.limits.idle
        if self.limits.begins() and recorded:
            self.samples.begin()
            with unseen():
                self.writing.look()

    def enter(self, inputs: Sequence[Tensor]) -> None:
        """A model is called: of a batch among its inputs, one sample may be followed."""
        if not self.limits.idle:
            self.samples.enter(inputs)
            self.limits.check_row(self.samples.row, self.samples.size)

    def meet(self, tensor: Tensor) -> None:
        """Log a tensor that gradients go through, if it is a leaf that is not known yet."""
        if self.writing.due:
            self.writing.look()
        # A leaf may itself be a view of a tensor that asks for no gradient.
        whole = tensor if tensor._base is None or tensor.is_leaf else tensor._base
        if whole.is_leaf and whole.requires_grad and whole not in self._known:
            self.leaf(whole)

    def meet_all(self, tensors: Sequence[Tensor]) -> None:
        """Log tensors as `meet` does, if there is room for all of them.

        That a model has parameters that ask for no gradient is noted once.
        """
        if not self._fixed and not all(each.requires_grad for each in tensors):
            self._fixed = True
            self.recorder.log_remark(Remark(FIXED, None, self.program.place(), ""))
        new = [each for each in tensors if each.requires_grad and each not in self._known]
        made = Pass(self.program.here, self.recorder.room)
        with self.limits.storing(made, sum(each.numel() for each in new)):
            for each in new:
                self.meet(each)

    def give_up(self, nodes: int) -> None:
        """Let go of the pass that is being made: there is no room for this many more nodes."""
        made, self._made = self.made, None
        count = Count(self.recorder.room, self._most, self.program.modules.trained)
        count.add_made(made.moves, len(made))
        count.add(nodes, self.program.here().call.module)
        self.limits.count = count

    def _plain(self, tensor: Tensor) -> Cells:
        """Return a tensor of plain numbers: the same constants wherever the pass uses it."""
        version, cells = self._numbers.get(tensor, (None, None))
        if cells is None or version != tensor._version:
            data = tensor.detach().to_dense().to(torch.float64, copy=True)
            cells = Cells(self.made, None, data, self.samples.kinds(tensor))
            self._numbers[tensor] = tensor._version, cells
        return cells

    def leaf(self, tensor: Tensor) -> Tensor:
        """Log a leaf for each element of a tensor, and return their numbers.

        A tensor without elements is not logged: a pass has at least one node.
        """
        if not tensor.numel():
            return torch.empty(tensor.shape, dtype=torch.int64)
        self.limits.check_world(self.recorder.log.world)
        name, here = self.program.leaf(tensor)
        made = Pass(lambda: here, self.recorder.room)
        with self.limits.storing(made, tensor.numel()):
            ids = made.leaves(tensor.detach().to(torch.float64, copy=True)).ids
        assert ids is not None
        if name:
            made.name(name, ids)
        self._log(made)
        ids = made.absolute(ids)
        self.beside.put_leaf(tensor, ids, made)
        self.leaves[made.base] = self._known[tensor] = Leaf(name, tensor, made)
        return ids

    def name(self, tensor: Tensor, name: str, call: Call) -> None:
        """Name the nodes that a tensor has in the pass that is being made (see `Pass.name`)."""
        ids = self.beside.window(tensor)
        if ids is not None and self._made is not None:
            self._made.name(name, ids, call)

    def leaf_of(self, tensor: Tensor) -> Leaf | None:
        """Return the leaf that a tensor is, if it is known."""
        leaf: Leaf | None = self._known.get(tensor)
        return leaf

    def partly(self, leaf: Leaf) -> bool:
        """Whether a leaf receives gradients from what is not recorded."""
        return self.samples.on or self.borders.shares(leaf.tensor())

    def part(self) -> str:
        """Say which part of the program is recorded, and which is taken as given."""
        return self.borders.said if self.borders.on else self.samples.said

    def living(self) -> Iterator[Leaf]:
        """Yield the leaf tensors that the program still has; forget the others."""
        for base, leaf in [*self.leaves.items()]:
            tensor = leaf.tensor()
            if tensor is None:
                del self.leaves[base]
            elif tensor.shape == leaf.shape:
                self._keep(leaf, tensor)
                yield leaf

    def _keep(self, leaf: Leaf, tensor: Tensor) -> None:
        """Put the nodes of a leaf beside its storage, if the program has given it another."""
        numbers = self.beside.window(tensor)
        first = NONE if numbers is None or not numbers.numel() else int(numbers.reshape(-1)[0])
        if first != leaf.made.base and len(leaf.made):
            ids = torch.arange(leaf.made.base, leaf.made.base + len(leaf.made))
            self.beside.put_leaf(tensor, ids.view(leaf.shape), leaf.made)

    # Into the log.

    def settle(self) -> None:
        """Log the pass that is being made, and what was written since."""
        self.settle_forward()
        self.writing.flush()

    def settle_forward(self) -> None:
        """Log the pass that is being made."""
        self.program.name_results()
        made, self._made = self._made, None
        numbers, self._numbers = self._numbers, WeakIdKeyDictionary()
        if made is None or not len(made):
            return
        for tensor, name in self.program.results.held(numbers):
            _, cells = numbers[tensor]
            if cells.ids is not None:
                made.name(name, cells.ids)
        self._log(made)

    def _log(self, made: Pass) -> None:
        self.writing.flush()
        recorder = self.recorder
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
        made.forward = recorder.log_forward(
            structure, tuple(earlier), context, values, made.locals()
        )
        # One that has only moved nodes has made none, and is not in the log.
        by_base = {each.base: each for each in made.uses if len(each)}
        made.earlier = [by_base[each.base] for each in earlier]
        made.uses = set()
        self.beside.settle(made, made.absolute)

    def _same(self, structure: Structure) -> Structure:
        alike = self._structures.setdefault(structure.codes, [])
        for each in alike:
            if each.is_like(structure):
                return each
        alike.append(structure)
        return structure

    # Backward.

    def root(
        self, outputs: Sequence[Tensor], upstream: Sequence[Tensor | None]
    ) -> tuple[Pass, int] | None:
        """Return the node that a backward pass starts from: the pass that has made it, its offset.

        Where that is not one element, with the gradient 1, it is a new node: the sum of all
        elements, each times its gradient. None if none of the tensors was recorded.
        """
        result: Cells | None = None
        for out, grad in zip(outputs, upstream, strict=True):
            self.meet(out)
            if out not in self.beside:
                continue
            cells = self.cells(out, grows=True)
            if grad is not None and not bool((grad == 1).all()):
                cells = cells * grad.detach().to(torch.float64)
            total = cells.moved(lambda each: each.reshape(-1)).total()
            result = total if result is None else result + total
        result = self.borders.with_rest(result, outputs, self.program.results.held)
        if result is None or result.ids is None:
            return None
        made, among = result.made, {result.made, *result.made.uses}
        self.settle()
        number = int(result.ids)
        index = number - NEW + made.base if number >= NEW else number
        made = next(each for each in among if each.holds(index))
        return made, index - made.base

    def backward(self, made: Pass, root: int) -> Reversed:
        """Log a backward pass from a node of a pass."""
        backward = reverse(root, made)
        sweep, over, column = self._sweeps.column(root, backward)
        self.recorder.log_backward(sweep, over, column)
        for each, grads in zip(backward.over, backward.gradients, strict=True):
            if each.left is not None:
                each.left = grads.clone()
        return backward
