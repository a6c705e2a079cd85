"""The backward pass over batches: what arrives at each node, and the sweep that it is."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from stepgrad.recording.blocks import Forward
from stepgrad.recording.sweep import Sweep
from stepgrad.torch.arithmetic import carry
from stepgrad.torch.calls import Here
from stepgrad.torch.passes import NEW, Batch, Pass, as_bytes


class Reversed(NamedTuple):
    """A backward pass.

    Args:
        root: the node that it starts from: its offset in the first pass that it goes over.
        over: the passes that it goes over, newest first.
        gradients: for each of them, the gradient of each node.
        reached: for each of them, whether it takes part.
    """

    root: int
    over: Sequence[Pass]
    gradients: Sequence[Tensor]
    reached: Sequence[Tensor]

    def takers(self, made: Pass, offset: int) -> Iterator[tuple[Here, float]]:
        """Yield where the program was when it computed with a node, and the local derivative."""
        for each in self.over:
            node = NEW + offset if each is made else made.base + offset
            for batch in each.batches:
                for at, slot in (batch.edges == node).nonzero().tolist():
                    operands = [self._value(each, number) for number in batch.edges[at].tolist()]
                    out = each.column[batch.start + at]
                    stored = None if batch.local is None else batch.local[at : at + 1]
                    local = contributions(
                        batch._replace(local=stored),
                        torch.tensor([operands], dtype=torch.float64),
                        out[None],
                        torch.ones(1, dtype=torch.float64),
                    )
                    yield each.here(batch.start + at), float(local[0, slot])

    def _value(self, made: Pass, number: int) -> float:
        """Return the value of an operand of a pass."""
        if number >= NEW:
            return float(made.column[number - NEW])
        holder = next(each for each in self.over if each.holds(number))
        return float(holder.column[number - holder.base])


def reverse(root: int, start: Pass, *, sizes: bool = False) -> Reversed:
    """Run the backward pass from a node of a pass.

    Args:
        root: its offset there.
        start: the pass.
        sizes: whether to add up absolute values: how large the terms of each gradient are.
    """
    over = _reachable(start)
    ends = torch.tensor([0, *(len(each) for each in over)]).cumsum(0)
    spans = {each: slice(*span) for each, span in zip(over, pairwise(ends.tolist()), strict=True)}
    gradients = torch.zeros(int(ends[-1]), dtype=torch.float64)
    reached = torch.zeros(int(ends[-1]), dtype=torch.bool)
    for each in over:
        if each.left is not None:
            gradients[spans[each]] = each.left.abs() if sizes else each.left
    gradients[spans[start].start + root] += 1
    reached[spans[start].start + root] = True
    values = torch.cat([each.column for each in over])
    shifts = [(each.base, spans[each].start - each.base) for each in reversed(over)]
    for number, each in enumerate(over, 1):
        first = spans[each].start
        for batch in reversed(each.batches):
            here = slice(first + batch.start, first + batch.start + len(batch.edges))
            taking = reached[here]
            if not taking.any():
                continue
            to = _entries(batch.edges, first, shifts[:-number])
            passed = contributions(batch, values[to], values[here], gradients[here])
            passed = passed.abs() if sizes else passed
            if not taking.all():
                to, passed = to[taking], passed[taking]
            reached[to.reshape(-1)] = True
            # The newest node hands on first.
            gradients.index_add_(0, to.flip(0).reshape(-1), passed.flip(0).reshape(-1))
    return Reversed(
        root,
        over,
        [gradients[spans[each]] for each in over],
        [reached[spans[each]] for each in over],
    )


def contributions(batch: Batch, operands: Tensor, out: Tensor, upstream: Tensor) -> Tensor:
    """Return what each operand of each node of a batch receives: a row for each node.

    The values are those of now: who writes to one after the forward pass changes the derivatives.
    """
    if batch.local is not None:
        return upstream.unsqueeze(1) * batch.local
    parts = (rule(*operands.unbind(1), out, upstream) for rule in carry(batch.op))
    return torch.stack([part.expand(len(upstream)) for part in parts], 1)


def _entries(edges: Tensor, first: int, shifts: Sequence[tuple[int, int]]) -> Tensor:
    """Return where the operands of a batch stand among the nodes of all passes.

    `shifts` are the passes, oldest first: their bases, and by how much their nodes are moved.
    """
    if not edges.numel() or int(edges.min()) >= NEW:  # usually
        return edges + (first - NEW)
    found = edges
    for base, shift in shifts:
        found = torch.where(edges >= base, edges + shift, found)
    return torch.where(edges >= NEW, edges + (first - NEW), found)


def _reachable(start: Pass) -> list[Pass]:
    found, todo = {start}, [start]
    while todo:
        new = {*todo.pop().earlier} - found
        found |= new
        todo += new
    return sorted(found, key=lambda each: -each.base)


class Sweeps:
    """The sweeps of a recording: passes that go the same way share one."""

    def __init__(self) -> None:
        self._known: dict[object, tuple[Sweep, Sequence[tuple[int, Tensor]]]] = {}

    def column(
        self, root: int, backward: Reversed
    ) -> tuple[Sweep, tuple[Forward, ...], array[float]]:
        """Return the sweep of a pass, the forward passes that it goes over, and its column."""
        taking = [
            (each, grads)
            for each, grads, reached in zip(*backward[1:], strict=True)
            if reached.any()
        ]
        number = {each: at for at, (each, _) in enumerate(taking)}
        computes = {
            each
            for each, reached in zip(backward.over, backward.reached, strict=True)
            if any(
                reached[batch.start] or reached[batch.start :][: len(batch.edges)].any()
                for batch in each.batches
            )
        }
        links = tuple(
            tuple(number.get(one, -1) for one in each.earlier) if each in computes else None
            for each, _ in taking
        )
        forwards = tuple(_logged(each) for each, _ in taking)
        structures = tuple(each.structure for each in forwards)
        key = structures, links, root
        if key not in self._known:
            sweep = Sweep.walked(structures, links, root)
            where = [(number, torch.tensor(offsets)) for number, offsets in sweep.stretches]
            self._known[key] = sweep, where
        sweep, entries = self._known[key]
        parts = [taking[number][1][offsets] for number, offsets in entries]
        return sweep, forwards, array("d", as_bytes(torch.cat(parts)))


def _logged(made: Pass) -> Forward:
    assert made.forward is not None, "it is in the log"
    return made.forward
