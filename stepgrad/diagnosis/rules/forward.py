"""Values that are not what the operator gives: `3 - v` that computes v − 3 (`wrong_forward`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose

from stepgrad.diagnosis.rules.faults import Fault
from stepgrad.diagnosis.rules.lines import Lines
from stepgrad.diagnosis.rules.words import Words
from stepgrad.diagnosis.rules.wrote import SAME
from stepgrad.engine.ops import Op
from stepgrad.recording.blocks import Forward
from stepgrad.recording.recording import Recording


def wrong_forward(recording: Recording) -> Iterator[Fault]:
    """Yield the first node of each operation whose value is another than that of the operator."""
    found = set[Op]()
    for block in recording.blocks:
        if not isinstance(block, Forward):
            continue
        structure = block.structure
        for offset in structure.created:
            op = structure.op(offset)
            if op.partials and not op.stored and op not in found:
                numbers = _numbers(recording, block, offset)
                value = block.values[offset]
                if not _same(op.value(*numbers), value):
                    found.add(op)
                    yield _fault(recording, block.base + offset, op, numbers, value)


def _numbers(recording: Recording, block: Forward, offset: int) -> Sequence[float]:
    """The numbers of the operands of a node when it was made."""
    history = recording.history
    return [
        block.values[ref] if ref >= 0 else history.value(block.node(ref), block.start) or 0.0
        for ref in block.structure.operands(offset)
    ]


def _same(one: float, other: float) -> bool:
    return one == other or (one != one and other != other) or isclose(one, other, rel_tol=SAME)


def _fault(
    recording: Recording, node: int, op: Op, numbers: Sequence[float], value: float
) -> Fault:
    turned = len(numbers) == 2 and _same(op.value(*reversed(numbers)), value)
    text = Words(recording).forward(op, numbers, value, turned=turned)
    place = Lines(recording).made(node)
    return Fault("wrong forward", recording.history.made_at(node), text, (node,), place)
