"""PyTorch's gradients, compared with the sums of the contributions in the log (`Agreement`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from stepgrad.engine.tape import Place
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.recording.foreign.remark import (
    AGREES,
    BACKWARD,
    DIFFERS,
    ESTIMATED,
    HOOKED,
    MASKED,
    NEAR,
    PART,
    ROUNDED,
    Remark,
)


class Compared(NamedTuple):
    """How gradients compare: which differ by more than rounding, and how far off the others are.

    That is relative to the largest of them, or, where they cancel, to their terms.
    """

    wrong: Tensor
    worst: float


def compared(
    ours: Tensor,
    theirs: Tensor,
    least: float,
    sizes: Callable[[], Tensor],
    tensors: Tensor | None = None,
) -> Compared:
    """Compare gradients.

    Args:
        ours: those in the log.
        theirs: PyTorch's.
        least: how far they may differ, relative to the terms.
        sizes: computes how large the terms of each are; asked only where that decides.
        tensors: for each, the number of the tensor that it is of; None if that is the same.
    """
    same = (ours == theirs) | (ours.isnan() & theirs.isnan())
    off = torch.where(same, 0.0, (ours - theirs).abs())
    relative = torch.where(same, 0.0, off / _largest(ours, theirs, tensors))
    if not (relative <= least).all():
        relative = torch.where(relative <= least, relative, off / sizes())
    wrong = ~(relative <= least)
    return Compared(wrong, float(relative[~wrong].max()) if (~wrong).any() else 0.0)


def _near(worst: float) -> str:
    return f"within {worst:.0e} of the largest" if worst else "to the last digit"


def _named(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _largest(ours: Tensor, theirs: Tensor, tensors: Tensor | None) -> Tensor:
    """Return the largest finite gradient of the tensor that each is of."""
    sizes = [each.abs().nan_to_num(0.0, 0.0, 0.0) for each in (ours, theirs)]
    largest = torch.maximum(*sizes)
    if tensors is None or not len(tensors):
        return largest.max() if len(largest) else torch.zeros(())
    top = largest.new_zeros(int(tensors.max()) + 1)
    return top.scatter_reduce_(0, tensors, largest, "amax")[tensors]


class Agreement:
    """What the comparisons of a recording come to.

    Args:
        remark: keeps a remark.
        part: says which part of the program is recorded, where that is not all of it.
    """

    def __init__(self, remark: Callable[[Remark], None], part: Callable[[], str]) -> None:
        self._remark = remark
        self._part = part
        self._tensors = set[int]()
        self._results = 0
        self._passes = 0
        self._worst = 0.0
        self._latest = 0.0  # in the pass that is compared
        self._wrong = False
        self._said = set[object]()
        self.hooked: Place | None = None  # where the program has registered a hook, if it has

    def begins(self, coarsest: torch.dtype) -> None:
        """A pass is to be compared; `coarsest` is the type of its coarsest numbers."""
        self._passes += 1
        self._latest = 0.0
        if coarsest is not torch.float64:
            self.say(Remark(ROUNDED, None, Place(), _named(coarsest)))

    def passed(self, root: int, coarsest: torch.dtype, place: Place) -> None:
        """A pass from a root is compared: say how near it is where PyTorch has rounded."""
        self._worst = max(self._worst, self._latest)
        if coarsest is not torch.float64 and not self._wrong:
            text = f"PyTorch's gradients ({_named(coarsest)}) agree {_near(self._latest)}"
            self._remark(Remark(NEAR, root, place, text))

    def agreed(self, tensor: int, worst: float) -> None:
        """The gradients of a tensor agree; `worst` is the largest relative difference."""
        self._tensors.add(tensor)
        self._latest = max(self._latest, worst)

    def agreed_between(self, results: int, worst: float) -> None:
        """The gradients of this many results of operations agree, as `agreed` has it."""
        self._results += results
        self._latest = max(self._latest, worst)

    def partly(self) -> None:
        """Some of PyTorch's gradients come from what is not recorded."""
        self.say(Remark(PART, None, Place(), self._part()))

    def differs(self, node: int, ours: float, theirs: float, place: Place, through: str) -> None:
        """PyTorch's gradient of a node is another than that in the log.

        It has come through an operation whose own gradient agrees: `through` names it.
        """
        text = f"PyTorch's gradient is {number(theirs)}, and its contributions add up to "
        text = f"{text}{number(ours)}"
        if self.hooked is None:
            text = f"{text}: the first difference comes through {through}" if through else text
            self.say(Remark(DIFFERS, node, place, text))
        else:
            self.say(Remark(HOOKED, node, self.hooked, f"{text}: the program has hooks"))

    def masked(self, node: int, local: float, place: Place, through: str) -> None:
        """PyTorch's gradient of a node is nan, through an operation that has received nothing."""
        text = (
            f"PyTorch's gradient is nan: {through or 'an operation'} multiplies by its local "
            f"derivative where no gradient arrives, and 0 · {number(local)} = nan"
        )
        self.say(Remark(MASKED, node, place, text))

    def say(self, remark: Remark) -> None:
        """Keep a remark, once for each line and kind, or for each node."""
        self._wrong |= remark.kind in (DIFFERS, BACKWARD, ESTIMATED, HOOKED, MASKED)
        key = remark.kind, remark.place if remark.place.line else (remark.node, remark.text)
        if key not in self._said:
            self._said.add(key)
            self._remark(remark)

    def end(self) -> None:
        """The recording is over: if all gradients agree, that is said."""
        if not self._tensors or self._wrong:
            return
        tensors = counted(len(self._tensors), "tensor")
        passes = counted(self._passes, "backward pass")
        if self._results:
            passes = f"{passes}, and {counted(self._results, 'result')} in between"
        text = f"PyTorch's gradients agree: {tensors} in {passes}, {_near(self._worst)}"
        self._remark(Remark(AGREES, None, Place(), text))
