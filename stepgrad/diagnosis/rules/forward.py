"""Values that are not what the operator gives: `3 - v` that computes v − 3 (`wrong_forward`).

Or not what the name of a method says, whose rule is the right one for that name (`misnamed`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from math import isclose

from stepgrad.diagnosis.rules.faults import Fault
from stepgrad.diagnosis.rules.formulas import Sample
from stepgrad.diagnosis.rules.lines import Lines
from stepgrad.diagnosis.rules.words import Words
from stepgrad.diagnosis.rules.wrote import SAME, Wrote
from stepgrad.engine.ops import BY_NAME, Op
from stepgrad.recording.blocks import Forward
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording

_NEAR = 1e-3
"""How far a value may be off its operator, relative to itself, without being a mistake."""


def wrong_forward(recording: Recording) -> Iterator[Fault]:
    """Yield a fault for the first odd node of each operation."""
    found = set[Op]()
    for node in sorted(odd(recording)):
        op, _ = recording.operation(node)
        if op not in found and not _nearly(recording, node, op):
            found.add(op)
            yield _fault(recording, node, op)


def misnamed(recording: Recording, wrote: Wrote, samples: Sequence[Sample]) -> Fault | None:
    """Return a fault if a method called `tanh` has the rule of tanh, and computes something else.

    Args:
        recording: where it is.
        wrote: a contribution that is wrong for what the method computes.
        samples: the numbers of such contributions.
    """
    op = BY_NAME.get(wrote.op.name)
    if op is None or not wrote.op.stored or len(op.partials) != len(wrote.op.partials):
        return None
    try:
        values = [op.value(*each.operands) for each in samples]
        rule = all(
            any(
                _same(each.taken, op.local[wrote.slot](*each.operands, out))
                for out in (value, each.out)
            )
            for each, value in zip(samples, values, strict=True)
        )
    except (ArithmeticError, ValueError):
        return None
    if not samples or not rule or _same(values[0], samples[0].out):
        return None
    text = Words(recording).misnamed(op, samples[0].operands, samples[0].out)
    position = recording.history.made_at(wrote.out)
    return Fault("wrong forward", position, text, (wrote.out,), Lines(recording).made(wrote.out))


@kept(1)
def odd(recording: Recording) -> Set[int]:
    """Return the nodes whose value is another than that of their operator.

    What is right for the rules of such a node is not known.
    """
    found = set[int]()
    for block in recording.blocks:
        if isinstance(block, Forward):
            for offset in block.structure.created:
                op = block.structure.op(offset)
                if op.partials and not op.stored:
                    value = op.value(*_numbers(recording, block, offset))
                    if not _same(value, block.values[offset]):
                        found.add(block.base + offset)
    return found


def _numbers(recording: Recording, block: Forward, offset: int) -> Sequence[float]:
    """The numbers of the operands of a node when it was made."""
    history = recording.history
    return [
        block.values[ref] if ref >= 0 else history.value(block.node(ref), block.start) or 0.0
        for ref in block.structure.operands(offset)
    ]


def _nearly(recording: Recording, node: int, op: Op) -> bool:
    """Whether a value is off by so little that it may be on purpose: `a / (b + 1e-8)`."""
    block = recording.history.forward_of(node)
    value, offset = block.values[node - block.base], node - block.base
    return isclose(value, op.value(*_numbers(recording, block, offset)), rel_tol=_NEAR)


def _same(one: float, other: float) -> bool:
    return one == other or (one != one and other != other) or isclose(one, other, rel_tol=SAME)


def _fault(recording: Recording, node: int, op: Op) -> Fault:
    block = recording.history.forward_of(node)
    numbers = _numbers(recording, block, node - block.base)
    value, lines = block.values[node - block.base], Lines(recording)
    turned = len(numbers) == 2 and _same(op.value(*reversed(numbers)), value)
    method = lines.methods(node)[0]
    text = Words(recording).forward(method, op, numbers, value, turned=turned)
    position = recording.history.made_at(node)
    return Fault("wrong forward", position, text, (node,), lines.made(node))
