"""A recording's passes again, with more digits: what rounding has taken (`precision`).

Each operation of a pass, and each of its derivatives, is computed again from the same inputs and
parameters by the same formulas (`engine/ops.py`), with fifty digits in place of sixteen. Needs
mpmath, which is an extra.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, log10
from typing import Any

from stepgrad.diagnosis.numbers.digits import Arithmetic
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.engine.ops import ADD, SUB, Op
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.progress import advance
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import definition, title

DIGITS = 50
MOST = 100_000
"""How many nodes are computed again, at most: it takes some seconds."""

_ALL = 53 * log10(2)  # the digits of a float
_LOST, _BORN = 3.0, 2.0  # digits: worth telling; lost in one operation, and not before
_TOLD = 10

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


def precision(recording: Recording, digits: int = DIGITS, most: int = MOST) -> Sequence[Verdict]:
    """Compute passes again with more digits; return notes, the gravest first.

    A note is about a gate that is on another side with more digits; or about an operation in which
    digits are lost, and names what inherits the loss. The last note says what was looked at: the
    first backward pass, the last, and the one in the middle, as far as they have at most `most`
    nodes in all.

    Raises:
        StepgradError: mpmath is not installed; says how to get it.
    """
    passes = [block for block in recording.blocks if isinstance(block, Backward)]
    looked = [*_chosen(passes, most)]
    flips: list[Verdict] = []
    births: list[tuple[tuple[bool, float], Verdict]] = []
    for block in looked:
        again = Recomputed(recording, block, digits)
        flips += [_flip(recording, again, gate) for gate in again.flipped]
        births += _births(recording, block, again.losses)
    births.sort(key=lambda birth: birth[0])
    found = {each.text: each for each in [*flips, *(birth for _, birth in births)]}
    told = [*found.values()][:_TOLD]
    return [*told, _looked(looked, len(passes), len(found) - len(told), digits)]


class Recomputed:
    """The numbers of a backward pass, and of the forward passes under it, with more digits.

    `losses` are those that lost at least three digits, the worst first; `flipped` are the gates on
    another side of their kinks.

    Raises:
        StepgradError: mpmath is not installed; says how to get it.
    """

    def __init__(self, recording: Recording, block: Backward, digits: int = DIGITS) -> None:
        self._arithmetic = Arithmetic(digits)
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
            if digits >= _LOST:
                yield Loss(what, self._recorded[what], exact, digits, born[what])


def _lost(recorded: float, exact: Any) -> float:
    """How many decimal digits of a number are wrong."""
    rounded = float(exact)
    if not (isfinite(recorded) and isfinite(rounded)):
        return 0.0
    if not recorded or not rounded:
        return _ALL if recorded or exact else 0.0
    off = abs(recorded - rounded) / abs(rounded)
    return min(max(_ALL + log10(off), 0.0), _ALL) if off else 0.0


def _chosen(passes: Sequence[Backward], most: int) -> Iterator[Backward]:
    for which in dict.fromkeys((0, len(passes) - 1, len(passes) // 2)) if passes else ():
        most -= passes[which].sweep.width
        if most < 0:
            return
        yield passes[which]


def _births(
    recording: Recording, block: Backward, losses: Sequence[Loss]
) -> Iterator[tuple[tuple[bool, float], Verdict]]:
    """Yield a note for each operation in which digits are lost, and its rank, the worst first.

    Noise where the exact number is 0 comes last: there are no digits to lose.
    """
    families: dict[Quantity, list[Loss]] = defaultdict(list)
    for loss in losses:
        families[loss.born].append(loss)
    for born, family in families.items():
        first = next((loss for loss in family if loss.what == born), family[0])
        heirs = [loss.what for loss in family if loss is not first]
        yield (not first.exact, -first.digits), _birth(recording, block, first, heirs)


def _birth(recording: Recording, block: Backward, loss: Loss, heirs: Sequence[Quantity]) -> Verdict:
    gradient, node = loss.what
    shown = max(6, round(_ALL - loss.digits) + 2)
    values, gradients = ([n for of, n in heirs if of is kind] for kind in (False, True))
    inherit = [listed(recording, values)] if values else []
    inherit += [f"the gradients of {listed(recording, gradients)}"] if gradients else []
    text = (
        f"{_told(recording, block, loss.what)} loses {round(loss.digits)} of 16 digits: it is "
        f"{number(loss.recorded, shown)}, and {_written(loss.exact, shown)} with more digits"
        f"{'; inherited by ' if inherit else ''}{' and '.join(inherit)}"
    )
    arrivals = _arrivals(block, node)
    position = recording.history.made_at(node)
    if gradient:
        position = block.arrival(arrivals[-1]) if arrivals else block.start + 1
    return Verdict("precision", text, "", [position], [node], note=True)


def _told(recording: Recording, block: Backward, what: Quantity) -> str:
    """What a number is made of: `d = a − b`, or over which edges its gradient arrives."""
    gradient, node = what
    if gradient:
        edges = _arrivals(block, node)
        through = f"{len(edges)} contributions"
        if len(edges) == 1:
            through = f"through {title(recording, block.edge(edges[0])[0])}"
        return f"the gradient of {title(recording, node)} ({through})"
    made = recording.node(node)
    formula = definition(recording, made)
    return f"{made.name} = {formula}" if made.name else formula


def _written(exact: Any, digits: int = 6) -> str:
    """A number as text, even one that is too small for a float."""
    rounded = float(exact)
    if rounded or not exact:
        return number(rounded, digits)
    return str(exact.context.nstr(exact, 6)).replace("-", "−")


def _arrivals(block: Backward, node: int) -> Sequence[int]:
    column = block.column(node)
    return block.sweep.incoming[column] if column is not None else []


def _flip(recording: Recording, again: Recomputed, gate: int) -> Verdict:
    node = recording.node(gate)
    numbers = " and ".join(
        f"{title(recording, each)} is {number(again.recorded(each))}, with more digits "
        f"{_written(again.exact(each))}"
        for each in node.operands
    )
    text = (
        f"rounding decides the gate {title(recording, gate)} = {definition(recording, node)}: "
        f"{numbers}, on another side of the kink"
    )
    return Verdict("precision", text, "", [recording.history.made_at(gate)], [gate], note=True)


def _looked(looked: Sequence[Backward], passes: int, left_out: int, digits: int) -> Verdict:
    if not looked:
        text = "no backward pass is computed again" + ", because the first is too large" * bool(
            passes
        )
        return Verdict("precision", text, "", [], note=True)
    nodes = sum(block.sweep.width for block in looked)
    which = f"{len(looked)} of {passes:,} backward passes" if passes > 1 else "the backward pass"
    rest = f"where nothing else is said, at least {round(_ALL - _LOST)} of 16 digits are right"
    text = (
        f"{counted(nodes, 'node')} of {which} are computed again with {digits} digits: "
        f"{counted(left_out, 'smaller note') + ' left out' if left_out else rest}"
    )
    return Verdict("precision", text, "", [block.start + 1 for block in looked], note=True)
