"""Numbers that were written in place: by an optimizer, by clipping, or by hand."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

from stepgrad.diagnosis.reasons.chain import Link, Number, Reason, same_kind
from stepgrad.numbers import gradient_inline, number
from stepgrad.recording.blocks import Write
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.titles import gradient_title, title


def latest_move(recording: Recording, node: int, position: int) -> tuple[Write, int] | None:
    """Return the latest write that moved a value; the latest of all, where none has moved it."""
    history = recording.history
    latest = found = history.value_write(node, position)
    while found is not None:
        block, write = found
        before = block.start + write
        if history.value(node, before) != block.after[write]:
            return found
        found = history.value_write(node, before)
    return latest


def explain_written_value(
    recording: Recording, node: int, written: tuple[Write, int], position: int
) -> Link:
    """Explain a value at a position by the write that `latest_move` has found."""
    block, write = written
    event, after = block.start + write, block.after[write]
    before = [Number("value", node, event), Number("gradient", node, event)]
    if isfinite(after):
        reason = _update(recording, node, block, write)
        if recording.history.value_write(node, position) != written:
            reason = replace(reason, text=f"{reason.text}; later writes do not move it")
        return Link([reason])
    found = [(number, number.read(recording)) for number in before]
    sick = [(number, x) for number, x in found if x is not None and not isfinite(x)]
    state = block.rule.at(write).numbers.values() if block.rule else ()
    born = not sick and all(map(isfinite, state))
    told = [_update(recording, node, block, write, birth=born)]
    if any(number.of == "value" and same_kind(x, after) for number, x in sick):
        return Link(told, before[:1], dull=True)
    return Link(told, [number for number, _ in sick] or before[1:])


def _update(
    recording: Recording, node: int, block: Write, write: int, *, birth: bool = False
) -> Reason:
    event = block.start + write
    name, narration = title(recording, node), narrate(recording, event)
    if block.rule:
        text = f"{name} is a parameter, set by this update: {' = '.join(narration.steps)}"
    else:
        before = recording.history.value(node, event)
        text = f"{name} is written by hand: {number(before or 0.0)} → {number(block.after[write])}"
    return Reason(event + 1, node, text, birth)


def explain_written_gradient(recording: Recording, node: int, block: Write, write: int) -> Link:
    """Explain a gradient that was cleared, clipped or set by hand."""
    event, after = block.start + write, block.after[write]
    name = gradient_title(recording, node)
    if block.rule is not None:
        text = f"{name} is clipped: {' = '.join(narrate(recording, event).steps)}"
        if isfinite(after):
            return Link([Reason(event + 1, node, text)], [Number("gradient", node, event)])
        infected = _not_finite_before(recording, block)
        then = [Number("gradient", infected, block.start)] if infected is not None else []
        return Link([Reason(event + 1, node, text, birth=infected is None)], then)
    before = gradient_inline(recording.history.grad(node, event))
    if block.writes.kinds[write] == "zero":
        return Link([Reason(event + 1, node, f"{name} is cleared: it was {before}")])
    text = f"{name} is written by hand: {before} → {number(after)}"
    return Link([Reason(event + 1, node, text, birth=not isfinite(after))])


def _not_finite_before(recording: Recording, block: Write) -> int | None:
    """Return the first node of some clipped gradients whose gradient was not finite before."""
    for node in block.writes.gradients:
        grad = recording.history.grad(node, block.start)
        if grad is not None and not isfinite(grad):
            return node
    return None
