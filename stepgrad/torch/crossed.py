"""Losses over every prediction with every target, where shapes broadcast by mistake (`Crossed`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from stepgrad.engine.tape import Place
from stepgrad.recording.foreign.remark import CROSSED, Remark
from stepgrad.torch.calls import shape_text

_PAIRING = {"sub", "rsub", "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"}
"""What takes a prediction and a target."""

_ALONG = {"pow", "square", "abs", "mul", "mean", "sum", "div"}
"""What makes a loss of differences."""

_SHAPED = {"UnsqueezeBackward0", "ViewBackward0", "ReshapeAliasBackward0", "UnsafeViewBackward0"}
"""What makes a column of a row."""


class Crossed:
    """Follows differences of N × 1 predictions and N targets, or the other way round.

    They broadcast to N × N. Whoever wants all pairs gives one of them its shape; and has no use for
    the mean of their squares alone.
    """

    def __init__(self, place: Callable[[], Place]) -> None:
        self._place = place
        self._from = WeakIdKeyDictionary()  # of a result, the remark on the difference

    def computed(self, name: str, given: Sequence[Any], out: Sequence[Tensor]) -> None:
        """A function has computed something."""
        tensors = [each for each in given if isinstance(each, Tensor)]
        if name in _PAIRING and len(tensors) > 1 and out and _broadcasts(*tensors[:2]):
            one, other = (shape_text(each.shape) for each in tensors[:2])
            rows = max(tensors[0].shape)
            text = (
                f"a prediction and a target of shapes {one} and {other} broadcast to {rows} × "
                f"{rows}: the loss is over each prediction with each target"
            )
            self._from[out[0]] = Remark(CROSSED, None, self._place(), text)
        elif name in _ALONG and len(self._from) and tensors and out:
            found = [self._from.get(each) for each in tensors]
            if None not in found and (out[0].shape == tensors[0].shape or not out[0].ndim):
                self._from[out[0]] = found[0]

    def said(self, outputs: Sequence[Tensor]) -> Iterator[Remark]:
        """Yield what there is to say of the losses that a pass begins with."""
        yield from (self._from[each] for each in outputs if not each.ndim and each in self._from)


def _broadcasts(one: Tensor, other: Tensor) -> bool:
    """Whether a column and a row of as many meet, of which one is computed and the other data."""
    column, row = (one, other) if one.ndim > 1 else (other, one)
    size = row.numel()
    if size < 2 or (tuple(column.shape), tuple(row.shape)) != ((size, 1), (size,)):
        return False
    made = [each for each in (column, row) if each.grad_fn is not None]
    learnt = sum(each.requires_grad for each in (column, row))
    return len(made) == learnt == 1 and not _shaped(column)


def _shaped(column: Tensor) -> bool:
    """Whether a column is made of a row, as for all pairs."""
    if column.grad_fn is not None:
        return column.grad_fn.name() in _SHAPED
    return column._base is not None and column._base.ndim < column.ndim
