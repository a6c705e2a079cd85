"""Backward passes that a program writes by hand, compared with reverse mode on the recorded graph.

A pass by hand is a run of writes to gradients, some of them of computed nodes that no backward pass
has reached. It starts from the newest of these if that one is set to 1. Otherwise it starts from
the result that all of them lead to, and counts only if one of them is right: only then is it clear
what is differentiated. Gradients that are clipped, scaled or cleared after `backward()` do not
count, nor do writes to leaves only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stepgrad.checking.comparison import Comparison
from stepgrad.checking.hand_pass import LIMIT, HandPass
from stepgrad.checking.passes import graph_of
from stepgrad.diagnosis.rules.wrote import foreign_passes
from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.recording import Recording
from stepgrad.recording.written import Written, written
from stepgrad.replay.telling.titles import line_of, title

MOST = 16
"""The most passes to check: the first, the last, and some between."""


def by_hand(recording: Recording) -> Iterator[Comparison]:
    """Compare gradients that a program wrote by hand with the true ones; nothing if it wrote none.

    It names the first that differs, in the order in which they were finished.
    """
    if foreign_passes(recording.blocks):  # the rules are judged, and write the gradients
        return
    runs = [*_runs(recording)]
    some = runs[:: -(-len(runs) // MOST)] if runs else []
    passes = [found for start, wrote in some if (found := _pass(recording, start, wrote))]
    compared, worst, where, first = 0, 0.0, "", ""
    for each in passes:
        offs = {node: each.off(node, wrote) for node, wrote in each.written.items()}
        right = any(off <= LIMIT for node, off in offs.items() if recording.node(node).operands)
        if not each.seeded and not right:
            continue
        for node, off in offs.items():
            if off > LIMIT and _mended(each, node):
                continue
            compared += off == off
            if off > worst:
                worst, where = off, title(recording, node)
            if off > LIMIT and not first:
                first = each.told(node)
    if compared:
        yield Comparison(
            "written by hand", len(passes), compared, 0, worst, LIMIT, where, first=first
        )


def unclear(recording: Recording) -> str:
    """Say that gradients were written by hand of which it is not clear what was differentiated.

    Empty if there are none, or if there is a backward pass, whose gradients they may adjust.
    """
    if any(isinstance(block, Backward) for block in recording.blocks):
        return ""
    for block in recording.blocks:
        for first in _writes(block):
            if first.kind != "zero":
                line = line_of(recording, first.place) if first.place else ""
                return (
                    f"gradients written by hand, from event {first.position}{line and ', '}{line}, "
                    "are not compared: it is not clear what is differentiated; set the gradient of "
                    "one output to 1 first"
                )
    return ""


def _writes(block: Block) -> Iterator[Written]:
    """Yield the writes to gradients by hand in a block.

    The recorder itself writes those of passes that were not recorded; they have no place.
    """
    if isinstance(block, Write) and block.rule is None:
        yield from (each for each in written(block) if each.kind != "update" and each.place)


def _runs(recording: Recording) -> Iterator[tuple[int, list[Written]]]:
    """Yield runs of writes to gradients, each with the position before it.

    A pass, or a computation, ends a run; a run counts if a computed node is written in it.
    """
    start, wrote = 0, list[Written]()
    for block in (*recording.blocks, None):
        if isinstance(block, Write):
            start = start if wrote else block.start
            wrote += _writes(block)
        elif block is None or isinstance(block, (Forward, Backward)):
            if any(recording.node(each.node).operands for each in wrote if each.kind != "zero"):
                yield start, wrote
            wrote = []


def _pass(recording: Recording, start: int, wrote: Sequence[Written]) -> HandPass | None:
    """Return a run of writes as a pass by hand; None if it cannot be understood as one."""
    computed = {w.node for w in wrote if w.kind != "zero" and recording.node(w.node).operands}
    root = max(computed)
    seeded = any(each.node == root and each.after == 1.0 for each in wrote)
    if not seeded:
        results = _results(recording, root, start)
        if len(results) != 1:
            return None
        [root] = results
    nodes, graph = graph_of(recording, root, start)
    made = recording.history.made_at(root)
    blocks = recording.blocks_between(made, start)
    if not computed.issubset(nodes) or any(isinstance(block, Backward) for block in blocks):
        return None
    return HandPass(recording, start, wrote, root, seeded, nodes, graph)


def _results(recording: Recording, node: int, position: int) -> list[int]:
    """Return what a node leads to at a position: nodes that use it and are not used further."""
    above, used = {node}, set[int]()
    for later in range(node + 1, recording.size):
        if recording.history.made_at(later) > position:
            break
        sources = above.intersection(recording.node(later).operands)
        if sources:
            above.add(later)
            used |= sources
    return sorted(above - used)


def _mended(each: HandPass, node: int) -> bool:
    """Whether a wrong gradient is corrected later, before a backward pass."""
    after = each.wrote[-1].block.start + each.wrote[-1].block.length
    later: list[Written] = []
    for block in each.recording.blocks_between(after, each.recording.length):
        if isinstance(block, Backward):
            break
        if isinstance(block, Write):
            places = block.writes.gradients.get(node, ())
            later += [Written(block, offset) for offset in places]
    return bool(later) and each.off(node, later) <= LIMIT
