"""Backward passes that a program writes by hand, and gradients in them that are wrong: `by_hand`.

A pass by hand is a run of writes to gradients, some of them of computed nodes that no backward pass
has reached. It starts from the newest of these if that one is set to 1. Otherwise it starts from
the result that all of them lead to, and counts only if one of them is right: only then is it clear
what is differentiated. Gradients that are clipped, scaled or cleared after `backward()` do not
count, nor do writes to leaves only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from math import isclose

from stepgrad.diagnosis.rules.hand_pass import LIMIT, HandPass
from stepgrad.diagnosis.rules.remarks import blurred
from stepgrad.diagnosis.rules.wrote import foreign_passes
from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.foreign.rounded import coarseness
from stepgrad.recording.graph import graph_of
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.writes import Writes
from stepgrad.recording.written import Written, written

MOST = 16
"""The most passes to look at: the first, the last, and some between."""

_MEANT = re.compile(
    r"\b(min|max|sign|round)\(|clip|clamp|noise|random|gauss|uniform|surrogate|straight|scale|norm"
    r"|/ *(len\(|n\b|m\b|batch|size|count|num)",
    re.I,
)
"""What a line has that writes something else than the gradient on purpose, such as a mean."""

_DECAY = 0.1
"""The largest part of its value that weight decay adds to a gradient."""


def by_hand(survey: Survey) -> Iterator[Verdict]:
    """A gradient that the program writes by hand is not the true one."""
    recording = survey.recording
    passes, limit = hand_passes(recording), max(LIMIT, coarseness(recording.remarks))
    for each in passes:
        wrong = [node for node, off in each.offs.items() if off > limit]
        if not wrong or _meant(passes, each, wrong):
            continue
        first, *more = wrong
        follow = "; later ones may follow from it" if more else ""
        yield Verdict(
            "by_hand",
            f"{each.told(first)}{follow}",
            "What a node receives is the gradient of each node that uses it times the local "
            "derivative, added up.",
            [each.last(first).position],
            [first],
            unless=("overwritten",),
            wrong=True,
        )
        return


def _meant(passes: Sequence[HandPass], each: HandPass, wrong: Sequence[int]) -> bool:
    """Whether a line changes gradients on purpose: it clips, disturbs, scales, decays or smooths.

    They are scaled if those of all leaves are off by the same factor, and no others are. Weight
    decay adds a small part of each value, and momentum a part of the gradient before.
    """
    if any(_MEANT.search(each.line(node)) for node in wrong):
        return True
    if any(each.recording.node(node).operands for node in wrong):
        return False
    leaves = {node for node in each.offs if not each.recording.node(node).operands}
    if len(leaves) > 1 and leaves == {*wrong}:
        off = [each.off_by(node) for node in leaves]
        if any(_factor((got - b * before, due) for got, due, _, before in off) for b in (0, 1)):
            return True
    off = [pass_.off_by(node) for pass_ in passes for node in wrong if node in pass_.offs]
    decay = _factor((got - due, value) for got, due, value, _ in off)
    momentum = _factor((got - due, before) for got, due, _, before in off if before)
    return 0 < decay <= _DECAY or 0 < momentum < 1


def _factor(pairs: Iterable[Sequence[float]]) -> float:
    """Return the factor from the second number of each pair to the first; 0 if they have none.

    Nor has a single pair.
    """
    known = [(first, second) for first, second in pairs if first or second]
    if len(known) < 2 or not all(second for _, second in known):
        return 0.0
    factor = known[0][0] / known[0][1]
    same = all(isclose(first, factor * second, rel_tol=LIMIT) for first, second in known)
    return factor if same else 0.0


@kept(1)
def hand_passes(recording: Recording) -> Sequence[HandPass]:
    """Return passes that a program wrote by hand, of which it is clear what they differentiate."""
    # The rules of an engine are judged, and write the gradients.
    if foreign_passes(recording.blocks) or blurred(recording):
        return []
    runs = [*_runs(recording)]
    some = runs[:: -(-len(runs) // MOST)] if runs else []
    found = (_pass(recording, *each) for each in some)
    return [each for each in found if each is not None and each.clear]


def by_hand_in(block: Block) -> Iterator[Written]:
    """Yield the writes to gradients by hand in a block.

    The recorder itself writes those of passes that were not recorded; they have no place.
    """
    if isinstance(block, Write) and block.rule is None:
        yield from (each for each in written(block) if each.kind != "update" and each.place)


def _runs(recording: Recording) -> Iterator[tuple[int, list[Written]]]:
    """Yield runs of writes to gradients, each with the position before it.

    A pass, or a computation, ends a run; a run counts if a computed node is written in it.
    """
    blocks, computed = list[Write](), dict[Writes, bool]()  # writes are shared by many steps
    for block in (*recording.blocks, None):
        if isinstance(block, Write):
            blocks.append(block)
            if block.writes not in computed:
                written_to = block.writes.gradients
                computed[block.writes] = any(recording.operation(node)[1] for node in written_to)
        elif block is None or isinstance(block, (Forward, Backward)):
            if any(computed[each.writes] for each in blocks):
                yield from _run(recording, blocks)
            blocks = []


def _run(recording: Recording, blocks: Sequence[Write]) -> Iterator[tuple[int, list[Written]]]:
    start, wrote = 0, list[Written]()
    for block in blocks:
        start = start if wrote else block.start
        wrote += by_hand_in(block)
    if any(recording.node(each.node).operands for each in wrote if each.kind != "zero"):
        yield start, wrote


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
