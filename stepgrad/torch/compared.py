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
    HOOKED,
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


def compared(ours: Tensor, theirs: Tensor, least: float, sizes: Callable[[], Tensor]) -> Compared:
    """Compare gradients.

    Args:
        ours: those in the log.
        theirs: PyTorch's.
        least: how far they may differ, relative to the terms.
        sizes: computes how large the terms of each are; asked only where that decides.
    """
    same = (ours == theirs) | (ours.isnan() & theirs.isnan())
    off = torch.where(same, 0.0, (ours - theirs).abs())
    relative = torch.where(same, 0.0, off / _largest(ours, theirs))
    if not (relative <= least).all():
        relative = torch.where(relative <= least, relative, off / sizes())
    wrong = ~(relative <= least)
    return Compared(wrong, float(relative[~wrong].max()) if (~wrong).any() else 0.0)


def _largest(*columns: Tensor) -> float:
    finite = [each[each.isfinite()].abs() for each in columns]
    return max((float(each.max()) for each in finite if each.numel()), default=0.0)


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
        self._passes = 0
        self._worst = 0.0
        self._wrong = False
        self._said = set[object]()
        self.hooked: Place | None = None  # where the program has registered a hook, if it has

    def passed(self, coarsest: torch.dtype) -> None:
        """A pass is over; `coarsest` is the type of its coarsest numbers."""
        self._passes += 1
        if coarsest is not torch.float64:
            self.say(Remark(ROUNDED, None, Place(), str(coarsest).removeprefix("torch.")))

    def agreed(self, tensor: int, worst: float) -> None:
        """The gradients of a tensor, known by a number, agree up to so much."""
        self._tensors.add(tensor)
        self._worst = max(self._worst, worst)

    def partly(self) -> None:
        """Some of PyTorch's gradients come from what is not recorded."""
        self.say(Remark(PART, None, Place(), self._part()))

    def differs(self, node: int, ours: float, theirs: float, place: Place) -> None:
        """PyTorch's gradient of a node is another than that in the log."""
        text = f"PyTorch's gradient is {number(theirs)}, and its contributions add up to "
        text = f"{text}{number(ours)}"
        if self.hooked is None:
            self.say(Remark(DIFFERS, node, place, text))
        else:
            self.say(Remark(HOOKED, node, self.hooked, f"{text}: the program has hooks"))

    def say(self, remark: Remark) -> None:
        """Keep a remark, once for each line and kind, or for each node."""
        self._wrong |= remark.kind in (DIFFERS, BACKWARD, HOOKED)
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
        near = f"within {self._worst:.0e} of the largest" if self._worst else "to the last digit"
        text = f"PyTorch's gradients agree: {tensors} in {passes}, {near}"
        self._remark(Remark(AGREES, None, Place(), text))
