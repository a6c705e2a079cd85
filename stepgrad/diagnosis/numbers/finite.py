"""Where numbers stop being finite (`non_finite`).

An infinity may be meant: a mask of −inf goes through exp to 0, and a maximum begins with −inf. So
the search begins at results: values that nothing uses, roots of passes, gradients of leaves, and
what is written. From the first of them that is not finite, reasons lead back to where that began.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import isfinite

from stepgrad.diagnosis.numbers.domains import remedy
from stepgrad.diagnosis.reasons import Number, Of, Reason, chain
from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.numbers import number
from stepgrad.recording import events
from stepgrad.recording.blocks import Backward, Column, Forward, Write
from stepgrad.recording.recording import Recording
from stepgrad.recording.written import written

_SHOWN, _TOLD = 4, 3
"""The most reasons for the numbers at the beginning: as evidence, and in words."""

_LONGEST = 40  # reasons of a chain that are read

CAUSES = (
    "not_cleared", "doubled", "overwritten", "stale",
    "wrong_parameters", "updated_twice", "uphill", "step_too_long", "unbounded",
    "exploding",
)  # fmt: skip
"""The causes of a training that diverges: an overflow in the end is only their consequence."""


def non_finite(survey: Survey) -> Iterator[Verdict]:
    """Find where the first result that is not finite comes from."""
    recording = survey.recording
    result = next(_results(survey), None)
    if result is None:
        return
    reasons, birth = _beginning(recording, result)
    why = reasons[reasons.index(birth) + 1 :][:_SHOWN]
    told = "; ".join(f"{each.text} (event {each.position:,})" for each in why[:_TOLD])
    text = f"{birth.text} (event {birth.position:,})" + (f", because {told}" if told else "")
    positions = [birth.position, *(each.position for each in why)]
    nodes = [birth.node, *(each.node for each in why)]
    if result.position != birth.position:
        found = number(result.read(recording) or 0.0)
        text += f"; so {result.name(recording)} is {found} at event {result.position:,}"
        positions.append(result.position)
        nodes.append(result.node)
    trained = any(step.position < birth.position for step in survey.steps)
    advice = _advice(recording, birth, trained=trained)
    diverged = trained and advice == _GROWS
    unless = CAUSES if diverged else ("pytorch",) if advice == _BY_HAND else ()
    yield Verdict(
        "non_finite",
        text,
        advice,
        [*dict.fromkeys(positions)],
        [*dict.fromkeys(nodes)],
        unless=unless,
        lasts=diverged,
    )


def _beginning(recording: Recording, result: Number) -> tuple[Sequence[Reason], Reason]:
    """Return a chain of reasons, and the one of them with which a result stops being finite.

    Reasons explain a nan by a nan. An infinity that the result is made of, too, may be older.
    """
    reasons = [*islice(chain(recording, result), _LONGEST)]
    births = [each for each in reasons if each.birth]
    birth = min(births or reasons[:1], key=lambda each: each.position)
    first = min(_overflows(recording, result), default=None)
    if first is None or (made := recording.history.made_at(first)) >= birth.position:
        return reasons, birth
    reasons = [*islice(chain(recording, Number("value", first, made)), _LONGEST)]
    return reasons, reasons[0]


def _overflows(recording: Recording, result: Number) -> Iterator[int]:
    """Yield the nodes a value is made of that are the first on their way not to be finite."""
    if result.of != "value":
        return
    value, made_at = recording.history.value, recording.history.made_at
    pending, seen = [result.node], {result.node}
    while pending:
        node = pending.pop()
        operands = recording.operation(node)[1]
        made = made_at(node)
        wild = [each for each in operands if not isfinite(value(each, made) or 0.0)]
        if operands and not wild and not isfinite(recording.history.first_value(node)):
            yield node
        pending += [each for each in wild if each not in seen]
        seen.update(wild)


def _results(survey: Survey) -> Iterator[Number]:
    """Yield the results that are not finite, in order, from the first block that has any."""
    blocks = survey.recording.blocks
    if survey.unreliable is None:
        return
    for place in range(blocks.index(survey.unreliable), len(blocks)):
        match blocks[place]:
            case Forward() as block:
                yield from _ends(survey.recording, block, place)
            case Backward() as block:
                yield from _gradients(survey.recording, block)
            case Write() as block:
                yield from _written(block)


def _ends(recording: Recording, block: Forward, place: int) -> Iterator[Number]:
    """Yield the values and tangents that nothing uses."""
    columns: list[tuple[Of, Column]] = [("value", block.values)]
    if block.tangents is not None:
        columns.append(("tangent", block.tangents))
    if all(all(map(isfinite, column)) for _, column in columns):
        return
    used = {*block.structure.refs}
    ends = (offset for offset in block.structure.created if offset not in used)
    for offset in ends:
        node = block.base + offset
        for of, column in columns:
            if not isfinite(column[offset]) and not _used_later(recording, node, place):
                yield Number(of, node, recording.history.made_at(node))


def _used_later(recording: Recording, node: int, place: int) -> bool:
    later = recording.blocks[place + 1 :]
    return any(isinstance(block, Forward) and block.ref(node) is not None for block in later)


def _gradients(recording: Recording, block: Backward) -> Iterator[Number]:
    """Yield the root, and the gradients of leaves, the first to arrive first."""
    value = recording.history.value(block.root, block.start)
    if value is not None and not isfinite(value):
        yield Number("value", block.root, block.start)
    sweep, found = block.sweep, []
    for column in range(sweep.computed, sweep.width):
        if not isfinite(block.grads[column]):
            node = block.node(column)
            for edge in sweep.incoming[column]:
                grad = recording.history.grad(node, block.arrival(edge))
                if not isfinite(grad or 0.0):
                    found.append(Number("gradient", node, block.arrival(edge)))
                    break
    yield from sorted(found, key=lambda each: each.position)


def _written(block: Write) -> Iterator[Number]:
    """Yield what is written."""
    for each in written(block):
        if not isfinite(each.after):
            of: Of = "value" if each.kind == "update" else "gradient"
            yield Number(of, each.node, each.position)


_GROWS = "Find out what grows: lower the learning rate, clip the gradients, or scale the inputs."
_LARGE = "Find out what is so large: scale it, or compute with logarithms."
_GIVEN = "Check where the number comes from: the program takes it in like this."
_BY_HAND = "Look at the line that writes it."


def _advice(recording: Recording, birth: Reason, *, trained: bool) -> str:
    """Say what people do about the event in which a number stops being finite.

    `trained` is whether parameters have been updated before it.
    """
    position = birth.position
    grows = _GROWS if trained else _LARGE
    if recording.is_constant(birth.node):
        return _GIVEN
    match recording.events[position - 1]:
        case events.Op(node=node, value=value):
            slot: int | None = _steep(recording, node, position) if isfinite(value) else None
            return _remedy(recording, node, position, slot) or grows
        case events.Accumulate(local=local, out=out, slot=slot) if not isfinite(local):
            return _remedy(recording, out, position, slot) or grows
        case events.Leaf():
            return _GIVEN
        case events.SetGrad(rule=None) | events.Update(rule=None):
            return _BY_HAND
        case events.Update():
            return _GROWS
    return grows


def _remedy(recording: Recording, index: int, position: int, slot: int | None) -> str:
    node = recording.node(index)
    values = [recording.history.value(each, position) or 0.0 for each in node.operands]
    return remedy(node.op, values, slot)


def _steep(recording: Recording, node: int, position: int) -> int | None:
    """Return the operand of which a tangent gets a derivative that is not finite."""
    slots = range(len(recording.node(node).operands))
    local = recording.history.local
    return next((each for each in slots if not isfinite(local(node, each, position))), None)
