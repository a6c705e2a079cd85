"""Engines that write final gradients, not contributions: they are summed up elsewhere.

Such an engine sums in a dict, in a list or in a variable, or asks each node's users. No single
write is a contribution of a rule then, so only what is there at the end can be judged (`finals`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from heapq import heapify, heappop, heappush
from itertools import groupby
from typing import TypeGuard

from stepgrad.diagnosis.rules.faults import Fault
from stepgrad.diagnosis.rules.lines import Lines, replacing
from stepgrad.diagnosis.rules.words import Words
from stepgrad.diagnosis.rules.wrote import tolerance, unknown
from stepgrad.engine.ops import CONSTANT
from stepgrad.engine.tape import Place, clears
from stepgrad.recording.blocks import Block, Write
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.recording import Recording


@dataclass(frozen=True, slots=True)
class Finals:
    """A stretch of events in which an engine writes final gradients.

    Args:
        start: the position before its first event.
        end: the position after its last one.
        places: the lines that write.
        fault: the first gradient that is wrong; None if all are right.
    """

    start: int
    end: int
    places: Set[Place | None]
    fault: Fault | None

    def has(self, fault: Fault) -> bool:
        """Whether a fault is in what the stretch wrote."""
        if fault.kind == "wrong node":
            return fault.place in self.places
        return self.start < fault.position <= self.end


def finals(recording: Recording) -> Iterator[Finals]:
    """Yield the stretches in which gradients are final as they are written, or running sums.

    They are those in which every final gradient is right, and those in which one line has set all
    of them but the seed.
    """
    for writes, stretch in groupby(recording.blocks, key=_of_gradients):
        found = _judged(recording, [*filter(_of_gradients, stretch)]) if writes else None
        if found is not None:
            yield found


_Written = ForeignBackward | Write


def _of_gradients(block: Block) -> TypeGuard[_Written]:
    return isinstance(block, ForeignBackward) or (
        isinstance(block, Write) and not block.writes.updates
    )


def _judged(recording: Recording, blocks: Sequence[_Written]) -> Finals | None:
    start, end = blocks[0].start, blocks[-1].start + blocks[-1].length
    written, again = _written(blocks)
    roots = _roots(recording, written, end)
    if not roots or (len(roots) == 1 and not again <= replacing(recording)):  # else running sums
        return None
    due = _due(recording, roots, start)
    if not due or any(grad and node not in written for node, (grad, _) in due.items()):
        return None
    last = _due(recording, {max(roots): roots[max(roots)]}, start) or due  # replaces, perhaps
    fits = partial(_fits, recording, start, end)
    wrong = next((n for n in due if not (fits(n, due[n]) or fits(n, last.get(n, due[n])))), None)
    places = {place for _, place in written.values()}
    if wrong is None:
        return Finals(start, end, places, None)
    lines = Lines(recording)
    setting = {place for node, (_, place) in written.items() if node not in roots}
    if len(roots) > 1 or again or wrong in roots:
        return None
    if len(setting) != 1 or not all(map(lines.replaces, setting)):
        return None
    position, place = written[wrong]
    found = recording.history.grad(wrong, end) or 0.0
    text = Words(recording).final(wrong, found, due[wrong][0])
    return Finals(start, end, places, Fault("wrong sum", position, text, (wrong,), place))


def _fits(recording: Recording, start: int, end: int, node: int, due: tuple[float, float]) -> bool:
    """Whether what is there at the end of a stretch is what is due, up to how far it may be off.

    A leaf may add it to what an earlier pass has left.
    """
    grad, off = due
    found = recording.history.grad(node, end) or 0.0
    left = 0.0 if recording.operation(node)[1] else recording.history.grad(node, start) or 0.0
    return abs(found - grad) <= off or abs(found - left - grad) <= off


def _written(
    blocks: Sequence[_Written],
) -> tuple[Mapping[int, tuple[int, Place | None]], Set[Place | None]]:
    """Where each gradient was written last, and by which line; and the lines that wrote again.

    Clearing it before does not count.
    """
    found: dict[int, tuple[int, Place | None]] = {}
    cleared, again = set[int](), set[Place | None]()
    for block in blocks:
        for offset, node in enumerate(_nodes(block)):
            place = block.place(offset)
            seedless = isinstance(block, ForeignBackward) and not offset and not _line(place)
            if seedless:
                continue
            if node in found and node not in cleared:
                again.add(place)
            found[node] = block.start + offset + 1, place
            (cleared.add if clears(block.after[offset]) else cleared.discard)(node)
    return found, again


def _nodes(block: _Written) -> Iterator[int]:
    """The node of each write."""
    if isinstance(block, Write):
        yield from block.writes.nodes
    else:
        nodes = block.nodes
        yield block.root
        yield from map(nodes.__getitem__, block.sweep.receivers)


def _line(place: Place | None) -> int | None:
    return None if place is None else place.line


def _roots(recording: Recording, written: Collection[int], end: int) -> Mapping[int, float]:
    """The nodes that passes start from, as nothing that is written uses them; each with its seed.

    That is 1; or what is there, if a node uses it whose own gradient is written later. The seed of
    such a node, which comes after the stretch that it belongs to, starts nothing here.
    """
    history = recording.history
    below = {node: {*recording.operation(node)[1]} for node in written}
    used = set[int]().union(*below.values())
    tops = [node for node in written if node not in used and not below[node].isdisjoint(written)]
    found = dict[int, float]()
    for node in tops or sorted(written)[-1:]:
        is_used = history.forward_of(node).users(node)
        found[node] = (is_used and history.grad(node, end)) or 1.0
    return found


def _due(
    recording: Recording, roots: Mapping[int, float], position: int
) -> Mapping[int, tuple[float, float]] | None:
    """The true gradient of each node that roots are made of, and how far it may be off.

    Each node comes after its users. None where a derivative is not known.
    """
    found = {root: (seed, 0.0) for root, seed in roots.items()}
    waiting = [-root for root in roots]
    heapify(waiting)
    while waiting:
        out = -heappop(waiting)
        op, operands = recording.operation(out)
        grad, off = found[out]
        for slot, node in enumerate(operands):
            if recording.operation(node)[0] is CONSTANT:
                continue
            part = recording.history.local(out, slot, position)
            if unknown(part):
                return None
            if node not in found:
                heappush(waiting, -node)
            sum_, may = found.get(node, (0.0, 0.0))
            more = abs(off * part) + tolerance(op) * abs(grad * part)
            found[node] = sum_ + grad * part, may + more
    return dict(sorted(found.items(), reverse=True))
