"""Backward passes: logged as ours, compared with PyTorch's (`Backwards`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from stepgrad.printable import counted
from stepgrad.recording.foreign.remark import IDLE, Remark
from stepgrad.recording.foreign.rounded import limit
from stepgrad.torch.compared import Agreement, compared
from stepgrad.torch.functions import Functions
from stepgrad.torch.leaves import Change, Leaf, bits, gradient_changes
from stepgrad.torch.passes import Pass, precision
from stepgrad.torch.reverse import Reversed, reverse
from stepgrad.torch.tensors import Tensors


class Backwards:
    """Logs the backward passes that PyTorch has run, and compares the gradients."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._agreement = Agreement(tensors.recorder.log_remark, tensors.part)
        self.functions = Functions(tensors)
        # By optimizer, what there is to say of it; None of one whose parameters had gradients.
        self._optimizers: dict[int, Remark | None] = {}

    def hooked(self) -> None:
        """The program has registered a hook."""
        self._agreement.hooked = self._agreement.hooked or self._tensors.program.place()

    def stepping(self, optimizer: torch.optim.Optimizer) -> None:
        """An optimizer is about to write: note it if none of its parameters has a gradient.

        Its turn may come later, or be over: that is known at the end.
        """
        own = [each for group in optimizer.param_groups for each in group["params"]]
        if any(each.grad is not None for each in own):
            self._optimizers[id(optimizer)] = None
        if id(optimizer) in self._optimizers:
            return
        leaves = [leaf.tensor() for leaf in self._tensors.living()]
        others = sum(each is not None and each.grad is not None for each in leaves)
        if others:
            text = (
                f"the optimizer updates nothing: no gradient has come to its "
                f"{counted(len(own), 'tensor')}, and gradients have to {counted(others, 'other')}"
            )
            place = self._tensors.program.place()
            self._optimizers[id(optimizer)] = Remark(IDLE, None, place, text)

    def end(self) -> None:
        """The recording is over."""
        for remark in filter(None, self._optimizers.values()):
            self._agreement.say(remark)
        self._agreement.end()

    def passed(
        self,
        root: tuple[Pass, int],
        inputs: Sequence[Any],
        returned: Sequence[Tensor | None] | None,
    ) -> None:
        """A pass is over.

        Args:
            root: the node that it started from: its pass, and its offset there.
            inputs: the tensors whose gradients were asked for; empty for all leaves.
            returned: these gradients, if they are not added to those of the tensors.
        """
        tensors = self._tensors
        before = {leaf: leaf.left for leaf in tensors.living()}
        done = _Done(tensors.backward(*root), before)
        self._agreement.passed(done.coarsest)
        # Where one sample is recorded, a rule hands back the gradients of all.
        faults = () if tensors.samples.on else self.functions.judge(whole=not inputs)
        for each in faults:
            self._agreement.say(each)
        if returned is not None:
            for tensor, grad in zip(inputs, returned, strict=True):
                if not faults and isinstance(tensor, Tensor) and not tensors.borders.on:
                    numbers = tensors.beside.window(tensor)
                    if numbers is not None and grad is not None:
                        self._arrived(done, numbers, grad)
        if tensors.borders.on:
            self._agreement.partly()
            for crossing, grad in tensors.borders.inputs:
                self._arrived(done, crossing.numbers, grad)
        asked = {id(each) for each in inputs}
        for leaf, left in before.items():
            if returned is None and (not inputs or id(leaf.tensor()) in asked):
                self._added(done, leaf, silent=bool(faults))
            elif done.reaches(leaf):
                self._restore(leaf, left)

    def _added(self, done: _Done, leaf: Leaf, *, silent: bool) -> None:
        """Compare the gradient of a leaf; where PyTorch's is another, that is the one to go on."""
        ours, grad = leaf.left, leaf.grad
        if grad is None:
            leaf.seen()
            if done.reaches(leaf):  # a hook has used it and let it go
                self._restore(leaf, torch.zeros_like(ours))
            return
        theirs = _column(grad)
        odd, worst = compared(ours, theirs, done.limit, lambda: done.sizes(leaf.made))
        leaf.seen()
        if not odd.any():
            if done.reaches(leaf) and not self._tensors.partly(leaf):
                self._agreement.agreed(leaf.made.base, worst)
            return
        offsets = odd.nonzero().reshape(-1)
        if self._tensors.partly(leaf):
            self._agreement.partly()
        elif not silent:
            at = int(offsets[0])
            place = self._tensors.program.place()
            node = leaf.made.base + at
            self._agreement.differs(node, float(ours[at]), float(theirs[at]), place)
        leaf.made.left = torch.where(odd, theirs, ours)
        self._tensors.writing.add(leaf, Change("set", offsets, theirs[offsets]))

    def _arrived(self, done: _Done, numbers: Tensor, grad: Tensor) -> None:
        """Compare the gradient that PyTorch brings to nodes."""
        numbers = numbers.reshape(-1)
        theirs = _column(grad)
        ours = done.arrived(numbers)
        odd, worst = compared(ours, theirs, done.limit, lambda: done.sizes_at(numbers))
        odd &= numbers >= 0
        if odd.any():
            at = int(odd.nonzero()[0])
            node, place = int(numbers[at]), self._tensors.program.place()
            self._agreement.differs(node, float(ours[at]), float(theirs[at]), place)
        elif numbers.numel():
            self._agreement.agreed(int(numbers[0]), worst)

    def _restore(self, leaf: Leaf, before: Tensor) -> None:
        """Say that the gradient of a leaf is what it was: the pass was not to add to it."""
        after, leaf.made.left = leaf.left, before
        for change in gradient_changes(bits(after) != bits(before), before):
            self._tensors.writing.add(leaf, change)


class _Done:
    """A pass that is logged, with what it adds to compare with."""

    def __init__(self, backward: Reversed, before: Mapping[Leaf, Tensor]) -> None:
        self._backward = backward
        self._before = {leaf.made: left for leaf, left in before.items()}
        reached = zip(backward.over, backward.reached, strict=True)
        self._reached = {made for made, there in reached if there.any()}
        self.coarsest = max((made.coarsest for made in backward.over), key=precision)
        self.limit = limit(precision(self.coarsest))

    @cached_property
    def _sizes(self) -> Sequence[Tensor]:
        return reverse(self._backward.root, self._backward.over[0], sizes=True).gradients

    def reaches(self, leaf: Leaf) -> bool:
        """Whether a leaf tensor takes part."""
        return leaf.made in self._reached

    def sizes(self, made: Pass) -> Tensor:
        """How large the terms of the gradients of a pass's nodes are."""
        over = self._backward.over
        if made not in over:
            return torch.zeros(len(made), dtype=torch.float64)
        return self._sizes[over.index(made)]

    def sizes_at(self, numbers: Tensor) -> Tensor:
        """How large the terms of the gradients of nodes are."""
        return self._gathered(numbers, self._sizes)

    def arrived(self, numbers: Tensor) -> Tensor:
        """What nodes have received from this pass."""
        columns = [
            grads - self._before[made] if made in self._before else grads
            for made, grads in zip(self._backward.over, self._backward.gradients, strict=True)
        ]
        return self._gathered(numbers, columns)

    def _gathered(self, numbers: Tensor, columns: Sequence[Tensor]) -> Tensor:
        found = torch.zeros(numbers.shape, dtype=torch.float64)
        for made, column in zip(self._backward.over, columns, strict=True):
            own = (numbers >= made.base) & (numbers < made.base + len(made))
            found[own] = column[numbers[own] - made.base]
        return found


def _column(grad: Tensor) -> Tensor:
    return grad.detach().to_dense().to(torch.float64).reshape(-1)
