"""PyTorch's gradients of the results in between (`Between`).

At each result of an operation stands a node of PyTorch's graph, and a hook before it gets the
gradient that has come there. The graph holds the hook, and what the hook knows goes with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple
from weakref import ref

import torch
from torch import Tensor

from stepgrad.torch.cells import NONE
from stepgrad.torch.passes import NEW, Pass


class Result(NamedTuple):
    """A result of an operation.

    Args:
        made: the pass that its nodes were made in.
        span: the offsets there of all nodes that the operation has made.
        numbers: the node of each element. Only those that the operation has made are its own: the
            others belong to the tensors that they were moved from.
    """

    made: Pass
    span: range
    numbers: Tensor

    def own(self) -> Tensor:
        """Return the offset of each element's node; `NONE` where that is not its own."""
        offsets = self.numbers.reshape(-1) - NEW
        return offsets.masked_fill((offsets < self.span.start) | (offsets >= self.span.stop), NONE)


class Arrived(NamedTuple):
    """The gradients that have come to results of a pass, side by side.

    Args:
        results: the results.
        which: for each element, the number of its result.
        offsets: for each element, the offset of its node.
        gradients: what has come there. Where several elements have the same node, that is the sum.
    """

    results: Sequence[Result]
    which: Tensor
    offsets: Tensor
    gradients: Tensor

    def used_inside(self, which: Tensor) -> Tensor:
        """Return which elements of some results the operation itself has used on the way.

        What has come to these nodes is more than what has come to the result.
        """
        inside = torch.zeros_like(which)
        for number in self.which[which].unique().tolist():
            result = self.results[number]
            edges = [
                each.edges.reshape(-1) - NEW
                for each in result.made.batches
                if each.start in result.span
            ]
            own = which & (self.which == number)
            inside[own] = torch.isin(self.offsets[own], torch.cat(edges))
        return inside


class Between:
    """Hears of the gradients that come to results while a backward pass runs."""

    def __init__(self) -> None:
        self._pending: list[tuple[ref[Tensor], Result]] = []
        self._heard: list[tuple[Result, Tensor]] | None = None

    def result(self, tensor: Tensor, result: Result) -> None:
        """An operation has a result. Its place in PyTorch's graph is known when it is over."""
        self._pending.append((ref(tensor), result))

    def join(self) -> None:
        """Have PyTorch's graph tell what comes to the latest results: their operation is over."""
        pending, self._pending = self._pending, []
        for known, result in pending:
            tensor = known()
            # What comes through the base of a view that was written to does not come to the view.
            if tensor is not None and not tensor._is_view() and tensor.grad_fn is not None:
                hear = partial(self._hear, result, tensor.output_nr)
                tensor.grad_fn.register_prehook(hear)

    def _hear(self, result: Result, number: int, gradients: Sequence[Tensor | None]) -> None:
        gradient = gradients[number]
        if self._heard is not None and gradient is not None:
            self._heard.append((result, gradient))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Keep what a backward pass that runs inside brings to results, and compare it there."""
        self.join()
        self._heard = []
        try:
            yield
        finally:
            self._heard = None

    def arrived(self, made: Pass) -> Arrived | None:
        """Return what has come to the results of a pass; None if nothing has."""
        heard = [(result, grad) for result, grad in self._heard or () if result.made is made]
        if not heard:
            return None
        results = [result for result, _ in heard]
        sizes = torch.tensor([each.numbers.numel() for each in results])
        which = torch.arange(len(results)).repeat_interleave(sizes)
        offsets = torch.cat([each.own() for each in results])
        gradients = torch.cat([column(grad) for _, grad in heard])
        own = offsets != NONE
        which, offsets, gradients = which[own], offsets[own], gradients[own]
        total = torch.zeros(len(made), dtype=torch.float64).index_add_(0, offsets, gradients)
        return Arrived(results, which, offsets, total[offsets])


def column(gradient: Tensor) -> Tensor:
    """Return the elements of a gradient in one row, in float64."""
    return gradient.detach().to_dense().to(torch.float64).reshape(-1)
