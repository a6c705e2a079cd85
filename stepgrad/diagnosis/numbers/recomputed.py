"""A backward pass again, with more digits (`Recomputed`), and what rounding has taken from it.

Each operation of a pass, and each of its derivatives, is computed again from the same inputs and
parameters by the same formulas (`engine/ops.py`). Needs mpmath, which is an extra.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, log10
from typing import Any

from stepgrad.diagnosis.numbers.digits import Arithmetic
from stepgrad.engine.ops import ADD, SUB, Op
from stepgrad.progress import advance
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording

ALL_DIGITS = 53 * log10(2)
"""The digits of a float."""

DIGITS = 50
"""With how many digits it is computed again."""

LOST = 3.0
"""How many lost digits are worth telling."""

_BORN = 2.0  # digits: lost in one operation, and not before

Quantity = tuple[bool, int]
"""A value, or a gradient (True), of a node."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Digits that rounding has taken from a number.

    Args:
        what: the value or the gradient.
        recorded: the number as it was recorded.
        exact: with more digits (an `mpf` of mpmath).
        digits: how many are lost, of about 16.
        born: where: the value or gradient of which nothing before it lost as much.
    """

    what: Quantity
    recorded: float
    exact: Any
    digits: float
    born: Quantity


class Recomputed:
    """The numbers of a backward pass, and of the forward passes under it, with more digits.

    `losses` are those that lost at least three digits, the worst first; `flipped` are the gates on
    another side of their kinks.

    Raises:
        StepgradError: mpmath is not installed; says how to get it.
    """

    def __init__(self, recording: Recording, block: Backward) -> None:
        self._arithmetic = Arithmetic(DIGITS)
        self._recording = recording
        self._history = recording.history
        self._block = block
        self._exact: dict[Quantity, Any] = {}
        self._recorded: dict[Quantity, float] = {}
        self._sources: dict[Quantity, list[Quantity]] = defaultdict(list)
        self.flipped: list[int] = []
        self._forward()
        self._backward()
        self.losses = sorted(self._losses(), key=lambda loss: -loss.digits)

    def exact(self, node: int, gradient: bool = False) -> Any:
        """A value or a gradient of the pass, with more digits (an `mpf` of mpmath)."""
        return self._exact[gradient, node]

    def recorded(self, node: int) -> float:
        """A value as it was recorded."""
        return self._recorded[False, node]

    def _forward(self) -> None:
        block, arithmetic = self._block, self._arithmetic
        computed = block.nodes[: block.sweep.computed]
        for done, node in enumerate(sorted(computed)):
            advance(done, len(computed) + block.sweep.edges)
            op, operands = self._recording.operation(node)
            made = self._history.made_at(node)
            for operand in operands:
                self._given(operand, made)
            inputs = [self._exact[False, operand] for operand in operands]
            recorded = self._recorded[False, node] = self._history.first_value(node)
            # A program's own function computes with floats.
            exact = arithmetic.number(recorded) if op.stored else arithmetic.value(op, inputs)
            if op is ADD or op is SUB:
                exact = arithmetic.settled(exact, inputs[0])
            self._exact[False, node] = exact
            self._sources[False, node] = [(False, operand) for operand in operands]
            if op.forward.piecewise and self._sides(op, operands, exact=False) != self._sides(
                op, operands, exact=True
            ):
                self.flipped.append(node)

    def _given(self, node: int, position: int) -> None:
        """A leaf or a constant is what it is at a position."""
        if not self._recording.operation(node)[1]:
            value = self._history.value(node, position)
            assert value is not None, "an operand is made before it is used"
            self._exact[False, node] = self._arithmetic.number(value)
            self._recorded[False, node] = value

    def _sides(self, op: Op, operands: Sequence[int], *, exact: bool) -> Sequence[object]:
        numbers = self._exact if exact else self._recorded
        given = {n: numbers[False, o] for n, o in zip(op.operands, operands, strict=True)}
        return [partial.sides(given) for partial in op.partials]

    def _backward(self) -> None:
        block, zero = self._block, self._arithmetic.number(0.0)
        nodes, sweep = block.nodes, block.sweep
        for node in nodes[sweep.computed :]:
            self._given(node, block.start)
        grads, largest = [zero] * len(nodes), [zero] * len(nodes)
        grads[0] += 1  # the root is the first
        edges = zip(sweep.outs, sweep.slots, sweep.receivers, strict=True)
        for done, (out, slot, receiver) in enumerate(edges, sweep.computed):
            advance(done, sweep.computed + sweep.edges)
            node = nodes[out]
            op, operands = self._recording.operation(node)
            inputs = [self._exact[False, each] for each in (*operands, node)]
            upstream = self._arithmetic.settled(grads[out], largest[out])
            if op.stored:
                local = self._history.local(node, slot, block.start)
                contribution = self._arithmetic.number(local) * upstream
            else:
                contribution = self._arithmetic.carry(op, slot, [*inputs, upstream])
            grads[receiver] += contribution
            largest[receiver] = max(largest[receiver], abs(contribution))
            names = dict(zip((*op.operands, "out"), (*operands, node), strict=True))
            used = [(False, names[name]) for name in op.partials[slot].names & names.keys()]
            self._sources[True, nodes[receiver]] += [(True, node), *used]
        for place, node in enumerate(nodes):
            self._exact[True, node] = self._arithmetic.settled(grads[place], largest[place])
            self._recorded[True, node] = self._received(place, node)

    def _received(self, place: int, node: int) -> float:
        """What a node received from the pass, without what a leaf had before."""
        block, history = self._block, self._history
        if place < block.sweep.computed or not history.grad(node, block.start):
            return block.grads[place]
        arrived = sum(history.edge(block, edge)[2] for edge in block.sweep.incoming[place])
        return arrived + (place == 0)  # the seed

    def _losses(self) -> Iterator[Loss]:
        lost: dict[Quantity, float] = {}
        born: dict[Quantity, Quantity] = {}
        for what, exact in self._exact.items():  # what a number is made of comes before it
            sources = self._sources[what]
            worst = max(sources, key=lambda each: lost.get(each, 0.0), default=what)
            before = lost.get(worst, 0.0) if worst != what else 0.0
            lost[what] = digits = _lost(self._recorded[what], exact)
            born[what] = what if digits >= before + _BORN else born.get(worst, what)
            if digits >= LOST:
                yield Loss(what, self._recorded[what], exact, digits, born[what])


def _lost(recorded: float, exact: Any) -> float:
    """How many decimal digits of a number are wrong."""
    rounded = float(exact)
    if not (isfinite(recorded) and isfinite(rounded)):
        return 0.0
    if not recorded or not rounded:
        return ALL_DIGITS if recorded or exact else 0.0
    off = abs(recorded - rounded) / abs(rounded)
    return min(max(ALL_DIGITS + log10(off), 0.0), ALL_DIGITS) if off else 0.0
