"""Backward passes: logged as ours, compared with PyTorch's (`Backwards`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import isfinite, isnan
from typing import Any

import torch
from torch import Tensor

from stepgrad.engine.tape import Place
from stepgrad.recording.foreign.remark import LOSS, Remark
from stepgrad.recording.foreign.rounded import limit
from stepgrad.torch.between import column
from stepgrad.torch.compared import Agreement, compared
from stepgrad.torch.functions import Functions
from stepgrad.torch.holders import Holders
from stepgrad.torch.leaves import Change, Leaf, bits, gradient_changes
from stepgrad.torch.losses import misgiven
from stepgrad.torch.passes import Pass, precision
from stepgrad.torch.reverse import Reversed, reverse
from stepgrad.torch.tensors import Tensors


class Backwards:
    """Logs the backward passes that PyTorch has run, and compares the gradients."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._agreement = Agreement(tensors.recorder.log_remark, tensors.part)
        self.functions = Functions(tensors)
        self.holders = Holders(tensors)
        self._looked = set[Place]()  # lines whose losses are known

    def hooked(self) -> None:
        """The program has registered a hook."""
        self._agreement.hooked = self._agreement.hooked or self._tensors.program.place()

    def end(self) -> None:
        """The recording is over."""
        for remark in (*self.holders.remarks(), *self._tensors.program.modes.remarks()):
            self._agreement.say(remark)
        for remark in self.holders.off():  # several on one line
            self._tensors.recorder.log_remark(remark)
        self._agreement.end()

    def begins(self, root: tuple[Pass, int], outputs: Sequence[Tensor]) -> None:
        """A pass from some tensors is being made; look at their losses, once for each line."""
        here = self._tensors.program.place()
        self._tensors.program.modes.passing()
        if here not in self._looked:
            self._looked.add(here)
            made, offset = root
            for text in misgiven(outputs):
                self._agreement.say(Remark(LOSS, made.base + offset, Place(), text))
            for remark in self._tensors.program.crossed.said(outputs):
                self._agreement.say(remark)

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
        done = Done(tensors.backward(*root), before)
        self._agreement.begins(done.coarsest)
        # Where one sample is recorded, PyTorch's gradients are those of all.
        faults = () if tensors.samples.on else self.functions.judge(whole=not inputs)
        for each in faults:
            self._agreement.say(each)
        silent = bool(faults) or not (tensors.samples.on or self._agree_between(done))
        if returned is not None:
            for tensor, grad in zip(inputs, returned, strict=True):
                if not silent and isinstance(tensor, Tensor) and not tensors.borders.on:
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
                self._added(done, leaf, silent=silent)
            elif done.reaches(leaf):
                self._restore(leaf, left)
        made, offset = root
        self._agreement.passed(made.base + offset, done.coarsest, tensors.program.place())

    def _agree_between(self, done: Done) -> bool:
        """Compare the gradients of the results in between; return whether they agree.

        The newest that differs is the first that PyTorch has computed otherwise.
        """
        for made, grads in zip(done.backward.over, done.backward.gradients, strict=True):
            arrived = self._tensors.between.arrived(made)
            if arrived is None:
                continue
            offsets, theirs = arrived.offsets, arrived.gradients
            ours = grads[offsets]

            def sizes(made: Pass = made, offsets: Tensor = offsets) -> Tensor:
                return done.sizes(made)[offsets]

            odd, worst = compared(ours, theirs, done.limit, sizes, arrived.which)
            if odd.any():
                odd &= ~arrived.used_inside(odd)
            if odd.any():
                newest = arrived.which[torch.where(odd, offsets, -1).argmax()]
                at = int((odd & (arrived.which == newest)).nonzero()[0])
                self._differs(done, made, int(offsets[at]), float(ours[at]), float(theirs[at]))
                return False
            self._agreement.agreed_between(len(arrived.results), worst)
        return True

    def _differs(self, done: Done, made: Pass, offset: int, ours: float, theirs: float) -> None:
        """PyTorch's gradient of a node is another: say through which operation it comes."""
        takers = [*done.backward.takers(made, offset)]
        masking = [each for each in takers if not isfinite(each[1])]
        masked = isnan(theirs) and isfinite(ours) and bool(masking)
        names = {here.call.name: here for here, _ in (masking if masked else takers)}
        through = " or ".join(f"`{name}`" for name in names if name)
        program = self._tensors.program
        here = next(iter(names.values()), None)
        place = program.place() if here is None else program.placed(here)
        if masked:
            self._agreement.masked(made.base + offset, masking[0][1], place, through)
        else:
            self._agreement.differs(made.base + offset, ours, theirs, place, through)

    def _added(self, done: Done, leaf: Leaf, *, silent: bool) -> None:
        """Compare the gradient of a leaf; where PyTorch's is another, that is the one to go on."""
        ours, grad = leaf.left, leaf.grad
        if grad is None:
            leaf.seen()
            if done.reaches(leaf):  # a hook has used it and let it go
                self._restore(leaf, torch.zeros_like(ours))
            return
        theirs = column(grad)
        if done.reaches(leaf):
            self.holders.reached(leaf)
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
            self._differs(done, leaf.made, at, float(ours[at]), float(theirs[at]))
        leaf.made.left = torch.where(odd, theirs, ours)
        self._tensors.writing.add(leaf, Change("set", offsets, theirs[offsets]))

    def _arrived(self, done: Done, numbers: Tensor, grad: Tensor) -> None:
        """Compare the gradient that PyTorch brings to nodes."""
        numbers = numbers.reshape(-1)
        theirs = column(grad)
        ours = done.arrived(numbers)
        odd, worst = compared(ours, theirs, done.limit, lambda: done.sizes_at(numbers))
        odd &= numbers >= 0
        if odd.any():
            at = int(odd.nonzero()[0])
            made = next(each for each in done.backward.over if each.holds(int(numbers[at])))
            offset = int(numbers[at]) - made.base
            self._differs(done, made, offset, float(ours[at]), float(theirs[at]))
        elif numbers.numel():
            self._agreement.agreed(int(numbers[0]), worst)

    def _restore(self, leaf: Leaf, before: Tensor) -> None:
        """Say that the gradient of a leaf is what it was: the pass was not to add to it."""
        after, leaf.made.left = leaf.left, before
        for change in gradient_changes(bits(after) != bits(before), before):
            self._tensors.writing.add(leaf, change)


class Done:
    """A pass that is logged, with what it adds to compare with."""

    def __init__(self, backward: Reversed, before: Mapping[Leaf, Tensor]) -> None:
        self.backward = backward
        self._before = {leaf.made: left for leaf, left in before.items()}
        reached = zip(backward.over, backward.reached, strict=True)
        self._reached = {made for made, there in reached if there.any()}
        self.coarsest = max((made.coarsest for made in backward.over), key=precision)
        self.limit = limit(precision(self.coarsest))

    @cached_property
    def _sizes(self) -> Sequence[Tensor]:
        return reverse(self.backward.root, self.backward.over[0], sizes=True).gradients

    def reaches(self, leaf: Leaf) -> bool:
        """Whether a leaf tensor takes part."""
        return leaf.made in self._reached

    def sizes(self, made: Pass) -> Tensor:
        """How large the terms of the gradients of a pass's nodes are."""
        over = self.backward.over
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
            for made, grads in zip(self.backward.over, self.backward.gradients, strict=True)
        ]
        return self._gathered(numbers, columns)

    def _gathered(self, numbers: Tensor, columns: Sequence[Tensor]) -> Tensor:
        found = torch.zeros(numbers.shape, dtype=torch.float64)
        for made, each in zip(self.backward.over, columns, strict=True):
            own = (numbers >= made.base) & (numbers < made.base + len(made))
            found[own] = each[numbers[own] - made.base]
        return found
