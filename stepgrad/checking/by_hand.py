"""Backward passes that a program writes by hand, compared with reverse mode on the recorded graph.

A pass by hand is a run of writes to gradients, some of them of computed nodes that no backward pass
has reached. It starts from the newest of these if that one is set to 1. Otherwise it starts from
the result that all of them lead to, and counts only if one of them is right: only then is it clear
what is differentiated. Gradients that are clipped, scaled or cleared after `backward()` do not
count, nor do writes to leaves only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from stepgrad.checking.comparison import Comparison, relative
from stepgrad.checking.passes import graph_of
from stepgrad.engine.dual import gradients, magnitudes
from stepgrad.engine.graph import Graph
from stepgrad.numbers import number
from stepgrad.recording.blocks import Backward, Forward, Write
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import line_of, title

LIMIT = 1e-5
"""How far a gradient may differ, relative to its terms: a person may compute with fewer digits."""

MOST = 16
"""The most passes to check: the first, the last, and some between."""


@dataclass(frozen=True, slots=True)
class _Wrote:
    """A write to a gradient: its block and its place in the block."""

    block: Write
    offset: int

    @property
    def node(self) -> int:
        return self.block.writes.nodes[self.offset]

    @property
    def after(self) -> float:
        return self.block.after[self.offset]

    @property
    def clears(self) -> bool:
        return self.block.writes.kinds[self.offset] == "zero"


@dataclass(frozen=True)
class _Pass:
    """A backward pass by hand, from a root; `seeded` if its gradient was set to 1."""

    recording: Recording
    start: int
    wrote: Sequence[_Wrote]
    root: int
    seeded: bool
    nodes: Sequence[int]
    graph: Graph

    @cached_property
    def place(self) -> Mapping[int, int]:
        return {node: place for place, node in enumerate(self.nodes)}

    @cached_property
    def due(self) -> Sequence[float]:
        """The true gradient of each place of the graph."""
        return gradients(self.graph)

    @cached_property
    def sizes(self) -> Sequence[float]:
        return magnitudes(self.graph)

    @cached_property
    def written(self) -> Mapping[int, Sequence[_Wrote]]:
        """What was written to each node but the root, by the order in which nodes were finished."""
        found: dict[int, list[_Wrote]] = {}
        for each in self.wrote:
            if each.node in self.place and each.node != self.root:
                found[each.node] = [*found.pop(each.node, ()), each]
        return {n: all_ for n, all_ in found.items() if not all(each.clears for each in all_)}

    def off(self, node: int, wrote: Iterable[_Wrote]) -> float:
        """How far a gradient is off when it is nearest to the true one; nan if not known.

        Later writes may scale it or clear it, and it may add to what was there before.
        """
        place = self.place[node]
        before = self.recording.history.grad(node, self.start) or 0.0
        found = [
            relative(each.after, due, max(self.sizes[place], abs(before)))
            for each in wrote
            for due in (self.due[place], before + self.due[place])
        ]
        return min(found)

    def told(self, node: int) -> str:
        """Say what is wrong with a gradient, and where it was written last."""
        place, wrote = self.place[node], self.written[node]
        last = [each for each in wrote if not each.clears][-1]
        at = last.block.writes.place(last.offset)
        line = line_of(self.recording, at) if at else ""
        event = last.block.start + last.offset + 1
        terms = [
            self.graph.edge(out, slot)(self.due[out])
            for out in range(len(self.graph))
            for slot, operand in self.graph.variable(out)
            if operand == place
        ]
        alone = [each for each in terms if relative(last.after, each, self.sizes[place]) <= LIMIT]
        why = ""
        if len(terms) > 1 and alone:
            sum_ = " + ".join(map(number, terms[::-1])).replace("+ −", "− ")
            why = f" = {sum_}: `=` overwrites, use `+=`"
        return (
            f"{title(self.recording, node)}.grad is {number(last.after)} by hand "
            f"(event {event}{line and ', '}{line}), but should be {number(self.due[place])}{why}"
        )


def by_hand(recording: Recording) -> Iterator[Comparison]:
    """Compare gradients that a program wrote by hand with the true ones; nothing if it wrote none.

    It names the first that differs, in the order in which they were finished.
    """
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


def _runs(recording: Recording) -> Iterator[tuple[int, list[_Wrote]]]:
    """Yield runs of writes to gradients, each with the position before it.

    A pass, or a computation, ends a run; a run counts if a computed node is written in it.
    """
    start, wrote = 0, list[_Wrote]()
    for block in (*recording.blocks, None):
        if isinstance(block, Write):
            start = start if wrote else block.start
            if block.rule is None:
                wrote += [
                    _Wrote(block, offset)
                    for offset, kind in enumerate(block.writes.kinds)
                    # Writes by the recorder itself, for unrecorded passes, have no place.
                    if kind != "update" and block.writes.place(offset)
                ]
        elif block is None or isinstance(block, (Forward, Backward)):
            if any(recording.node(each.node).operands for each in wrote if not each.clears):
                yield start, wrote
            wrote = []


def _pass(recording: Recording, start: int, wrote: Sequence[_Wrote]) -> _Pass | None:
    """Return a run of writes as a pass by hand; None if it cannot be understood as one."""
    computed = {w.node for w in wrote if not w.clears and recording.node(w.node).operands}
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
    return _Pass(recording, start, wrote, root, seeded, nodes, graph)


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


def _mended(each: _Pass, node: int) -> bool:
    """Whether a wrong gradient is corrected later, before a backward pass."""
    after = each.wrote[-1].block.start + each.wrote[-1].block.length
    later: list[_Wrote] = []
    for block in each.recording.blocks_between(after, each.recording.length):
        if isinstance(block, Backward):
            break
        if isinstance(block, Write):
            places = block.writes.gradients.get(node, ())
            later += [_Wrote(block, offset) for offset in places]
    return bool(later) and each.off(node, later) <= LIMIT
