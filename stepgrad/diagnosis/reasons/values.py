"""Why a value is what it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite

from stepgrad.diagnosis.reasons.arithmetic import Cause, cause
from stepgrad.diagnosis.reasons.chain import Link, Number, Reason, same_kind
from stepgrad.diagnosis.reasons.writes import explain_written_value, latest_move
from stepgrad.engine.ops import ADD
from stepgrad.numbers import number
from stepgrad.recording import events
from stepgrad.recording.recording import Node, Recording
from stepgrad.replay.telling.narration import computed
from stepgrad.replay.telling.titles import title

_FARTHEST = 1_000  # nodes through which a 0 is followed


def explain_value(recording: Recording, asked: Number) -> Link:
    """Explain a value by its operation, by an update, or as given."""
    index, history = asked.node, recording.history
    made = history.made_at(index)
    if asked.position < made:
        text = f"{title(recording, index)} is not computed yet: this event makes it"
        return Link([Reason(made, index, text)])
    written = latest_move(recording, index, asked.position)
    if written is not None:
        return explain_written_value(recording, index, written, asked.position)
    node = recording.node(index)
    if not node.operands:
        return Link([_given(recording, node, made)])
    decided, values, out = _decided(recording, node, made)
    if node.op is ADD and isfinite(out) and not (decided.words or decided.handed_on):
        addends = _addends(recording, node)
        if len(addends) > 2:
            return _sum(recording, node, addends)
    nodes = [node.operands[slot] for slot in decided.slots]
    infected = decided.handed_on and not isfinite(out)
    if infected:
        nodes = [_infected_by(recording, nodes[0])]
    elif decided.handed_on:
        nodes = [*_zeros_behind(recording, nodes, made)]
    born = not isfinite(out) and all(map(isfinite, values))
    then = numbers_to_follow(recording, nodes, made)
    return Link(_computed(recording, node, decided, born), then, dull=infected)


def _decided(recording: Recording, node: Node, made: int) -> tuple[Cause, Sequence[float], float]:
    """Return what decides a computed value, the numbers it is computed from, and the value."""
    values = [recording.history.value(operand, made) or 0.0 for operand in node.operands]
    out = recording.history.first_value(node.index)
    return cause(node.op, values, out), values, out


def _zeros_behind(recording: Recording, nodes: Sequence[int], position: int) -> Sequence[int]:
    """Follow zeros up to the nodes that are not 0 just because an operand is."""
    found, pending, seen = list[int](), [*nodes], {*nodes}
    while pending and len(seen) < _FARTHEST:
        node = recording.node(pending.pop(0))
        made = recording.history.made_at(node.index)
        if node.operands and recording.history.value_write(node.index, position) is None:
            decided, _, _ = _decided(recording, node, made)
            if decided.handed_on:
                new = [node.operands[slot] for slot in decided.slots]
                pending += [each for each in new if each not in seen]
                seen.update(new)
                continue
        found.append(node.index)
    return found


def _infected_by(recording: Recording, node: int) -> int:
    """Follow an infinity or a nan up to the node that did not just take it over from an operand.

    It may come from afar, so this looks at the columns, and only at those of the node's own pass.
    """
    forward, is_updated = recording.history.forward_of(node), recording.history.index.is_updated
    values, operands, base = forward.values, forward.structure.operands, forward.base
    at: int | None = node - base
    while at is not None and not is_updated(base + at):
        node, out = base + at, values[at]
        refs = (ref for ref in operands(at) if ref >= 0 and same_kind(values[ref], out))
        at = next(refs, None)
    return node if at is None else base + at


def _addends(recording: Recording, node: Node) -> Sequence[int]:
    """Return what a sum adds up, through its partial sums without names.

    The constant 0 that `sum()` begins with is not among them.
    """
    found: list[int] = []
    pending = [*node.operands]
    while pending:
        operand = recording.node(pending.pop())
        if operand.op is ADD and not operand.name:
            pending += operand.operands
        elif not operand.constant or recording.history.first_value(operand.index):
            found.append(operand.index)
    return found


def _sum(recording: Recording, node: Node, addends: Sequence[int]) -> Link:
    """Name the largest addend of a long sum."""
    made = recording.history.made_at(node.index)
    values = {each: recording.history.value(each, made) or 0.0 for each in addends}
    largest = max(values, key=lambda each: abs(values[each]))
    text = (
        f"{title(recording, node.index)} = {number(recording.history.first_value(node.index))}: "
        f"{title(recording, largest)} = {number(values[largest])} "
        f"is the largest of {len(addends):,} addends"
    )
    return Link([Reason(made, node.index, text)], numbers_to_follow(recording, [largest], made))


def numbers_to_follow(
    recording: Recording, nodes: Iterable[int], position: int
) -> Sequence[Number]:
    """Return the values of nodes, those that nothing computes first: there a chain ends.

    A finite constant explains itself.
    """
    history, found = recording.history, [*dict.fromkeys(nodes)]
    found = [
        node
        for node in found
        if not (recording.is_constant(node) and isfinite(history.first_value(node)))
    ]
    if len(found) > 1:
        found.sort(key=lambda node: bool(recording.node(node).operands))
    return [Number("value", node, position) for node in found]


def _given(recording: Recording, node: Node, made: int) -> Reason:
    """Say where a value that is not computed comes from."""
    value = recording.history.first_value(node.index)
    name = title(recording, node.index)
    if node.constant:
        text = f"{number(value)} is a constant of the program"
    elif recording.history.index.is_updated(node.index):
        text = f"{name} is a parameter, not updated yet: it starts at {number(value)}"
    else:
        text = f"{name} is given: {number(value)}"
    return Reason(made, node.index, text, not isfinite(value))


def _computed(recording: Recording, node: Node, decided: Cause, born: bool) -> Iterator[Reason]:
    """Say from what a value was computed, and what decides it."""
    made = recording.history.made_at(node.index)
    event = recording.events[made - 1]
    assert isinstance(event, events.Op), "a computed node has an event"
    told = computed(recording, event, made - 1)
    words = f": {decided.words}" if decided.words else ""
    text = f"{told.symbols} {told.numbers}{words}"
    yield Reason(made, node.index, text, born)
