"""Losses that are given something else than they take: seen in PyTorch's graph (`misgiven`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import e
from typing import Any

from torch import Tensor

from stepgrad.numbers import number

_SHAPES = {
    "AliasBackward0",
    "CloneBackward0",
    "PermuteBackward0",
    "ReshapeAliasBackward0",
    "SqueezeBackward0",
    "SqueezeBackward1",
    "ToCopyBackward0",
    "TransposeBackward0",
    "UnsafeViewBackward0",
    "UnsqueezeBackward0",
    "ViewBackward0",
}
"""What gives the same numbers in another shape."""

_NLL = {"NllLossBackward0", "NllLoss2DBackward0"}
_ABOVE = 1e-3
"""From where on a number is no log-probability that was rounded."""

_LARGEST = "stepgrad: the largest number given"

_BCE = "BinaryCrossEntropyWithLogitsBackward0"


def keep(given: Sequence[Any], out: Tensor) -> None:
    """Keep what nll_loss was given in PyTorch's graph: PyTorch lets it go before the pass is over.

    A loss that is not reduced may be a way to pick numbers.
    """
    if given and given[0].numel() and not out.ndim and out.grad_fn is not None:
        out.grad_fn.metadata[_LARGEST] = float(given[0].detach().amax())


def misgiven(outputs: Sequence[Tensor]) -> Iterator[str]:
    """Say which losses on the way to some tensors are not given what they take, and what follows.

    Each mistake is said once.
    """
    found = dict.fromkeys(
        said
        for taker, giver in _edges(outputs)
        if (said := _said(taker, _behind(giver), direct=giver.name() not in _SHAPES))
    )
    return iter(found)


def _edges(outputs: Sequence[Tensor]) -> Iterator[tuple[Any, Any]]:
    """Yield each operation of a graph with each that gives it an operand."""
    stack: list[Any] = [each.grad_fn for each in outputs if each.grad_fn is not None]
    seen = {*stack}
    while stack:
        taker = stack.pop()
        for giver, _ in taker.next_functions:
            if giver is not None:
                yield taker, giver
                if giver not in seen:
                    seen.add(giver)
                    stack.append(giver)


def _behind(giver: Any) -> Any:
    """Return what has computed the numbers that an operation gives."""
    while giver.name() in _SHAPES and giver.next_functions[0][0] is not None:
        giver = giver.next_functions[0][0]
    return giver


def _said(taker: Any, giver: Any, *, direct: bool) -> str:
    """Say what an operation gets from another, `direct`ly or in another shape, and cannot use."""
    loss, given = taker.name(), giver.name()
    if loss == "LogSoftmaxBackward0" and given == "SoftmaxBackward0":
        classes = _shape(taker)[_dim(taker)]
        return (
            "the log-softmax of a softmax is taken, though cross_entropy takes logits: "
            f"with {classes} classes, no probability gets above {e / (e + classes - 1):.3g}"
        )
    if loss == _BCE and given == "SigmoidBackward0":
        return (
            "binary_cross_entropy_with_logits takes logits, and gets the result of a sigmoid: "
            f"no probability gets below 0.5 or above {e / (e + 1):.3g}"
        )
    if loss in _NLL and given == "SoftmaxBackward0":
        return "nll_loss takes log-probabilities, and gets the probabilities of a softmax"
    if loss in _NLL and given == "LogSoftmaxBackward0" and direct:
        classes = min(1, len(_shape(giver)) - 1)
        if _dim(giver) != classes:
            return (
                f"the classes of nll_loss are along dim {classes}, and the log-softmax that it "
                f"gets is over dim {_dim(giver)}: the probabilities of a sample do not add up to 1"
            )
    if (above := taker.metadata.get(_LARGEST, 0)) > _ABOVE:
        return (
            f"nll_loss takes log-probabilities, and gets numbers above 0, such as {number(above)}"
        )
    return ""


def _shape(operation: Any) -> Sequence[int]:
    """Return the shape of an operation's result."""
    return tuple(operation._input_metadata[0].shape)


def _dim(operation: Any) -> int:
    """Return the dimension that a softmax is over."""
    dim: int = operation._saved_dim
    if dim >= 1 << 63:  # a negative one, read without its sign
        dim -= 1 << 64
    return dim % max(len(_shape(operation)), 1)
