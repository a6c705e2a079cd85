"""Gates that rounding decides: `knife_edge`.

A gate such as relu passes a gradient on one side of its kink, and not on the other. Its argument is
a sum of rounded numbers. Where it is nearer to the kink than they were rounded, another order of
the sum, or more digits, may put it on the other side.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress

from stepgrad.diagnosis.numbers.exact import rounding
from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.engine.ops import ADD, DIV, MUL, NEG, OPS, SUB, Op
from stepgrad.numbers import number
from stepgrad.recording.blocks import Forward
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import Structure
from stepgrad.replay.telling.titles import definition, title

_NEAR = 2**-40
"""How near to its kink, beside the largest number around, a gate is looked at closely."""

_DEEPEST, _WORK = 2_000, 8_000
"""How many nodes are looked at closely, at most: for one gate, and for all."""

_GATES = bytes(
    code < len(OPS) and bool(OPS[code].partials) and OPS[code].forward.piecewise
    for code in range(256)
)
"""For `bytes.translate`: 1 for the codes of gates."""


@dataclass(frozen=True, slots=True)
class NearKink:
    """A gate whose argument is nearer to its kink than it may have been rounded.

    Args:
        node: the gate.
        made: the position just after it is made.
        argument: how far it is from its kink.
        error: how far rounding may have moved that.
    """

    node: int
    made: int
    argument: float
    error: float


def knife_edge(survey: Survey) -> Iterator[Verdict]:
    """Rounding decides on which side of its kink a gate is, and a gradient arrives there."""
    found = [edge for edge in near_kinks(survey) if _matters(survey, edge)]
    if not found:
        return
    recording, first = survey.recording, found[0]
    node = recording.node(first.node)
    gates = {title(recording, edge.node): edge.node for edge in reversed(found)}
    rest = [gate for gate in gates.values() if gate != first.node]
    also = f"; the same holds for {listed(recording, rest)}" if rest else ""
    near = f"{number(abs(first.argument))} from" if first.argument else "exactly at"
    text = (
        f"rounding decides whether {title(recording, first.node)} = {definition(recording, node)} "
        f"passes its gradient on: it is {near} its kink, and the numbers before it "
        f"are rounded by up to {number(first.error, 2)}{also}"
    )
    advice = (
        "Do not rely on the side it takes: move the argument off the kink (another bias or "
        "initial value), or use a smooth function (softplus for relu, a square for abs)."
    )
    events = [edge.made for edge in found[:4]]
    yield Verdict("knife_edge", text, advice, events, [*gates.values()])


def _matters(survey: Survey, edge: NearKink) -> bool:
    """Whether a backward pass brings the gate something to pass on."""
    forward = survey.recording.history.forward_of(edge.node)
    for each in survey.passes:
        block = each.block
        if forward in block.over:
            column = block.column(edge.node)
            if column is not None and block.grads[column]:
                return True
    return False


def near_kinks(survey: Survey) -> Iterator[NearKink]:
    """Yield the gates that rounding decides before the first update, in order.

    An update moves gates off the edge; or a training that ends at a kink, as that of |error| does,
    comes near it in the end. A gate that is near its kink in pass after pass is looked at closely
    the first, second, fourth, eighth time.
    """
    recording, times, work = survey.recording, Counter[tuple[Structure, int]](), _WORK
    end = survey.steps[0].position if survey.steps else survey.end
    for block in recording.blocks:
        if block.start >= end or work <= 0:
            return
        if not isinstance(block, Forward):
            continue
        for offset, argument in _near(recording, block):
            times[block.structure, offset] += 1
            seen = times[block.structure, offset]
            if seen & (seen - 1) or work <= 0:
                continue
            gate = block.base + offset
            made = recording.history.made_at(gate)
            cone = _Cone(recording, gate, made)
            work -= len(cone)
            error = cone.error()
            if 0 < error >= abs(argument):
                yield NearKink(gate, made, argument, error)


def _near(recording: Recording, block: Forward) -> Iterator[tuple[int, float]]:
    """Yield the gates of a forward pass that are near their kinks, each with its argument."""
    simple, others = _gates(block.structure)
    if not simple and not others:
        return
    values, position = block.values, block.start + block.length
    near = _NEAR * max(map(abs, values))
    for offset, ref in simple:
        if -near <= values[ref] <= near:
            yield offset, values[ref]
    for offset in others:
        operands = map(block.node, block.structure.operands(offset))
        a, *b = (recording.history.value(node, position) or 0.0 for node in operands)
        if -near <= a - sum(b) <= near:
            yield offset, a - sum(b)


@kept(1)
def _gates(structure: Structure) -> tuple[Sequence[tuple[int, int]], Sequence[int]]:
    """The gates of a pass by offset: those of one number computed there, with its ref; the others.

    What is given, a leaf or a constant, is not rounded, and decides by itself.
    """
    simple, others = [], []
    for offset in compress(range(len(structure)), structure.codes.translate(_GATES)):
        refs = structure.operands(offset)
        made = [ref for ref in refs if ref < 0 or structure.op(ref).partials]
        if len(refs) == 1 and refs[0] >= 0 and made:
            simple.append((offset, refs[0]))
        elif made:
            others.append(offset)
    return simple, others


_Signed = tuple[int, int]
"""A number that is computed, or its negative: the sign, and the node that stands for it."""


class _Cone:
    """What the argument of a gate is made of: all nodes that it depends on.

    Of computations that are alike, bit for bit and up to the sign, the first stands for all: their
    roundings are alike, too, and cancel where one is taken from the other.
    """

    def __init__(self, recording: Recording, gate: int, position: int) -> None:
        self._recording = recording
        self._position = position
        self._made: dict[int, tuple[Op, Sequence[int]]] = {}
        self._arguments = recording.operation(gate)[1]
        waiting = [*self._arguments]
        while waiting and len(self) < _DEEPEST:
            node = waiting.pop()
            if node not in self._made:
                self._made[node] = recording.operation(node)
                waiting.extend(self._made[node][1])
        self._complete = not waiting
        self._same: dict[int, _Signed] = {}

    def __len__(self) -> int:
        return len(self._made)

    def error(self) -> float:
        """By how much rounding may have moved the argument; 0 if there is too much to tell.

        That is, for each operation, an ulp of its result times the derivative of the argument with
        respect to it, all added up. An operation whose result is exact counts for nothing.
        """
        if not self._complete:
            return 0.0
        self._number()
        slopes: dict[int, float] = defaultdict(float)
        for side, node in zip((1, -1), self._arguments, strict=False):
            sign, like = self._same[node]
            slopes[like] += side * sign
        error = 0.0
        for node in sorted({like for _, like in self._same.values()}, reverse=True):
            op, operands = self._made[node]
            slope = slopes[node] * self._same[node][0]
            if not slope or not operands:
                continue
            inputs, out = [*map(self._value, operands)], self._value(node)
            error += abs(slope) * rounding(op, inputs, out)
            for local, operand in zip(op.local, operands, strict=True):
                sign, like = self._same[operand]
                slopes[like] += slope * local(*inputs, out) * sign
        return error

    def _number(self) -> None:
        """Find out which computations are alike."""
        found: dict[object, int] = {}
        for node in sorted(self._made):  # operands come first
            op, operands = self._made[node]
            sign, key = self._recipe(op, [self._same[each] for each in operands], node)
            self._same[node] = sign, key if isinstance(key, int) else found.setdefault(key, node)

    def _recipe(self, op: Op, parts: Sequence[_Signed], node: int) -> tuple[int, object]:
        """What a node is made of, up to the sign: equal for equal computations."""
        if not parts:
            value = self._value(node)
            return (-1 if value < 0 else 1), ("given", abs(value))
        signs = [sign for sign, _ in parts]
        likes = [like for _, like in parts]
        if op is NEG:
            return -signs[0], likes[0]
        if op is MUL or op is DIV:
            return signs[0] * signs[1], (op.code, *(sorted(likes) if op is MUL else likes))
        if op is ADD or op is SUB:
            signs[1] *= -1 if op is SUB else 1
            first, second = sorted(zip(likes, signs, strict=True))
            return first[1], (ADD.code, first[0], second[0], first[1] * second[1])
        return 1, (op.code, *parts)

    def _value(self, node: int) -> float:
        value = self._recording.history.value(node, self._position)
        assert value is not None, "what the gate is made of is made before it"
        return value
