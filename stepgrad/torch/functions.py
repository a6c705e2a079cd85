"""The program's own `autograd.Function`s: is what each hands back the derivative of its forward?

A call is recorded as what its `forward` does, operation by operation. When PyTorch runs its
`backward`, the gradients that come in and go out are kept, and afterwards compared with those that
the recorded operations hand on: a wrong rule is found where it is, whatever comes before and after.
"""

from __future__ import annotations

import linecache
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from stepgrad.engine.tape import Place
from stepgrad.numbers import number
from stepgrad.recording.foreign.remark import BACKWARD, ESTIMATED, Remark
from stepgrad.recording.foreign.rounded import limit
from stepgrad.recording.source import path_of
from stepgrad.torch.between import Result
from stepgrad.torch.compared import compared
from stepgrad.torch.passes import NEW, Pass, precision
from stepgrad.torch.reverse import contributions
from stepgrad.torch.tensors import Tensors

Gradients = Sequence["Tensor | None"]


@dataclass
class Call:
    """A call of a function.

    Args:
        function: its class.
        made: the pass that it was recorded in.
        span: the offsets of its nodes there.
        inputs: the node numbers of each tensor argument; None of those without.
        outputs: the same of its results.
    """

    function: type
    made: Pass
    span: range
    inputs: Sequence[Tensor | None]
    outputs: Sequence[Tensor | None]


class Functions:
    """The calls of custom functions that were recorded and not yet judged."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._ran: list[tuple[Call, Gradients, Gradients]] = []

    def called(
        self, function: type, made: Pass, span: range, inputs: Sequence[Tensor], out: Any
    ) -> None:
        """Keep a call, and have its node in PyTorch's graph tell what its rule does."""
        outs = out if isinstance(out, tuple) else (out,)
        nodes = (each.grad_fn for each in outs if isinstance(each, Tensor))
        node = next((each for each in nodes if each is not None), None)
        if node is not None:
            asked = [each if each.requires_grad else None for each in inputs]
            call = Call(function, made, span, self._numbers(asked), self._numbers(outs))
            node.register_hook(partial(self._hand, call))
            for each, numbers in zip(outs, call.outputs, strict=True):
                if numbers is not None:
                    self._tensors.between.result(each, Result(made, span, numbers))

    def _hand(self, call: Call, returned: Gradients, received: Gradients) -> None:
        self._ran.append((call, _detached(received), _detached(returned)))

    def _numbers(self, tensors: Sequence[Any]) -> Sequence[Tensor | None]:
        beside = self._tensors.beside
        found = (beside.window(each) if isinstance(each, Tensor) else None for each in tensors)
        return [None if each is None else each.clone() for each in found]

    def judge(self, *, whole: bool) -> Sequence[Remark]:
        """Compare what the rules of the latest pass have returned; return what is wrong with them.

        Where the pass is not `whole`, what a rule does not return may not have been asked for.
        """
        ran, self._ran = self._ran, []
        judged = (_judged(*each, whole=whole) for each in ran if each[0].made.forward is not None)
        return [each for each in judged if each is not None]


def _judged(call: Call, received: Gradients, returned: Gradients, *, whole: bool) -> Remark | None:
    local = _Local(call)
    theirs = local.placed(call.inputs, returned)
    ours = local.handed_on(received)

    def sizes() -> Tensor:
        return local.handed_on(received, sizes=True)

    odd, _ = compared(ours, theirs, limit(precision(call.made.coarsest)), sizes)
    odd = odd[len(call.span) : -1]
    for numbers, grad in zip(call.inputs, returned, strict=False):
        if grad is None and numbers is not None and not whole:
            odd[local.entries(numbers.reshape(-1)) - len(call.span)] = False
    if not odd.any():
        return None
    wrong = odd & torch.isin(local.outer, local.derived())
    entry = int((wrong if wrong.any() else odd).nonzero()[0])
    node = int(local.outer[entry])
    theirs, ours = theirs[len(call.span) :], ours[len(call.span) :]
    text = f"`{call.function.__name__}.backward` returns {number(float(theirs[entry]))}"
    if wrong.any():
        text += f", and the derivative of its forward is {number(float(ours[entry]))}"
    else:
        text += ": nothing in its forward has a derivative to compare that with"
    node = node - NEW + call.made.base if node >= NEW else node
    kind = BACKWARD if wrong.any() else ESTIMATED
    return Remark(kind, node, _defined(call.function), text)


def _detached(gradients: Gradients) -> Gradients:
    return [None if each is None else each.detach() for each in gradients]


class _Local:
    """The nodes of a call, then what they are computed from, then one entry for all else."""

    def __init__(self, call: Call) -> None:
        self._call = call
        numbers = [each.reshape(-1) for each in call.inputs if each is not None]
        outer = torch.cat(numbers).unique()
        self.outer = outer[outer >= 0]
        self._size = len(call.span) + len(self.outer) + 1

    def entries(self, numbers: Tensor) -> Tensor:
        """Return where nodes stand."""
        span, outer = self._call.span, self.outer
        own = numbers - NEW - span.start
        at = torch.searchsorted(outer, numbers).clamp(max=max(len(outer) - 1, 0))
        known = outer[at] == numbers if len(outer) else torch.zeros_like(own, dtype=torch.bool)
        found = torch.where(known, at + len(span), self._size - 1)
        return torch.where((own >= 0) & (own < len(span)), own, found)

    def derived(self) -> Tensor:
        """Return the nodes of the inputs that the results depend on, of each input all or none.

        Of an input, a row may leave out elements where the derivative is 0: a ReLU does.
        """
        call = self._call
        batches = [each.edges for each in call.made.batches if each.start in call.span]
        taken = [*batches, *(each for each in call.outputs if each is not None)]
        taken = torch.cat([each.reshape(-1) for each in taken]) if taken else torch.empty(0)
        inputs = [each.reshape(-1) for each in call.inputs if each is not None]
        found = [each for each in inputs if torch.isin(each, taken).any()]
        return torch.cat(found) if found else torch.empty(0, dtype=torch.int64)

    def placed(self, nodes: Sequence[Tensor | None], gradients: Gradients) -> Tensor:
        """Add up gradients of tensors, each at its node."""
        found = torch.zeros(self._size, dtype=torch.float64)
        for numbers, grad in zip(nodes, gradients, strict=False):
            if numbers is not None and grad is not None:
                column = grad.to(torch.float64).expand(numbers.shape).reshape(-1)
                found.index_add_(0, self.entries(numbers.reshape(-1)), column)
        return found

    def handed_on(self, received: Gradients, *, sizes: bool = False) -> Tensor:
        """Run the recorded operations of the call backward; or add up the sizes of the terms."""
        call, made = self._call, self._call.made
        found = self.placed(call.outputs, received)
        found = found.abs() if sizes else found
        for batch in reversed(made.batches):
            if batch.start in call.span:
                count = len(batch.edges)
                out = made.column[batch.start :][:count]
                upstream = found[batch.start - call.span.start :][:count]
                passed = contributions(batch, _values(made, batch.edges), out, upstream)
                passed = passed.abs() if sizes else passed
                found.index_add_(0, self.entries(batch.edges.reshape(-1)), passed.reshape(-1))
        return found


def _values(made: Pass, edges: Tensor) -> Tensor:
    values = torch.empty(edges.shape, dtype=torch.float64)
    own = edges >= NEW
    values[own] = made.column[edges[own] - NEW]
    for each in made.earlier:
        there = (edges >= each.base) & (edges < each.base + len(each))
        values[there] = each.column[edges[there] - each.base]
    return values


def _defined(function: type) -> Place:
    code = getattr(function.__dict__.get("backward", None), "__func__", None)
    code = getattr(code, "__code__", None)
    if code is None:
        return Place()
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 :]
    decorators = next((at for at, line in enumerate(lines) if "def " in line), 0)
    return Place("", code.co_firstlineno + decorators, path_of(code.co_filename))
