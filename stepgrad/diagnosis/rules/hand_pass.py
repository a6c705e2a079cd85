"""A backward pass by hand: what was written, what is due, and why the two differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from stepgrad.engine.closeness import relative
from stepgrad.engine.dual import gradients, magnitudes
from stepgrad.engine.graph import Graph
from stepgrad.engine.tape import Place
from stepgrad.numbers import number
from stepgrad.recording.blocks import Backward, Write
from stepgrad.recording.recording import Recording
from stepgrad.recording.written import Written
from stepgrad.replay.telling.titles import gradient_title, line_of

LIMIT = 1e-5
"""How far a gradient may differ, relative to its terms: a person may compute with fewer digits."""


@dataclass(frozen=True)
class HandPass:
    """A backward pass by hand, from a root; `seeded` if its gradient was set to 1."""

    recording: Recording
    start: int
    wrote: Sequence[Written]
    root: int
    seeded: bool
    nodes: Sequence[int]
    graph: Graph

    @cached_property
    def place(self) -> Mapping[int, int]:
        """The place of each node in the graph."""
        return {node: place for place, node in enumerate(self.nodes)}

    @cached_property
    def due(self) -> Sequence[float]:
        """The true gradient of each place of the graph."""
        return gradients(self.graph)

    @cached_property
    def sizes(self) -> Sequence[float]:
        """The scale of the rounding error of each."""
        return magnitudes(self.graph)

    @cached_property
    def written(self) -> Mapping[int, Sequence[Written]]:
        """What was written to each node but the root, by the order in which nodes were finished."""
        found: dict[int, list[Written]] = {}
        for each in self.wrote:
            if each.node in self.place and each.node != self.root:
                found[each.node] = [*found.pop(each.node, ()), each]
        terms = {node: [w for w in wrote if self._is_term(w)] for node, wrote in found.items()}
        return {node: found[node] for node, wrote in terms.items() if wrote}

    def _is_term(self, each: Written) -> bool:
        """Whether a gradient was written, not cleared.

        A 0 is a term as well if the line that wrote it writes other numbers too, before the last
        gradient of a computed node: such a line does not clear.
        """
        return each.kind != "zero" or (each.place in self._lines and each.position < self._last)

    @cached_property
    def _lines(self) -> Set[Place]:
        lines = (each.place for each in self.wrote if each.kind != "zero")
        return {line for line in lines if line and line.line}

    @cached_property
    def _last(self) -> int:
        inner = self.nodes[: self.place[self.root]]
        computed = {node for node in inner if self.recording.node(node).operands}
        return max(
            (w.position for w in self.wrote if w.node in computed and w.kind != "zero"), default=0
        )

    @cached_property
    def _all_offs(self) -> Mapping[int, float]:
        return {node: self.off(node, wrote) for node, wrote in self.written.items()}

    @property
    def clear(self) -> bool:
        """Whether it is clear what it differentiates: it is seeded, or a computed node is right."""
        computed = self.recording.node
        return self.seeded or any(
            off <= LIMIT for node, off in self._all_offs.items() if computed(node).operands
        )

    @cached_property
    def offs(self) -> Mapping[int, float]:
        """How far each gradient is off, but for those that are corrected later."""
        return {
            node: off
            for node, off in self._all_offs.items()
            if not (off > LIMIT and self._mended(node))
        }

    def _mended(self, node: int) -> bool:
        """Whether a wrong gradient is corrected later, before a backward pass."""
        after = self.wrote[-1].block.start + self.wrote[-1].block.length
        later: list[Written] = []
        for block in self.recording.blocks_between(after, self.recording.length):
            if isinstance(block, Backward):
                break
            if isinstance(block, Write):
                places = block.writes.gradients.get(node, ())
                later += [Written(block, offset) for offset in places]
        return bool(later) and self.off(node, later) <= LIMIT

    def last(self, node: int) -> Written:
        """The last write of a gradient that does not clear it."""
        return [each for each in self.written[node] if self._is_term(each)][-1]

    def off_by(self, node: int) -> tuple[float, float, float, float]:
        """What was written last, what is due, the value of the node, and its gradient before."""
        place = self.place[node]
        before = self.recording.history.grad(node, self.start) or 0.0
        return self.last(node).after, self.due[place], self.graph.values[place], before

    def line(self, node: int) -> str:
        """The text of the line that writes it last; empty if that is not known."""
        place = self.last(node).place
        source = self.recording.source_of(place) if place else None
        if place is None or source is None or not place.line:
            return ""
        return source.lines[place.line - 1] if place.line <= len(source.lines) else ""

    def off(self, node: int, wrote: Iterable[Written]) -> float:
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
        """Say what is wrong with a gradient, where it was written last, and why, if that is clear.

        It is if the gradient takes from one that is written later, and if each time a term was
        written in place of the sum so far.
        """
        wrote = [each for each in self.written[node] if self._is_term(each)]
        last = wrote[-1]
        line = line_of(self.recording, last.place) if last.place else ""
        due = self.due[self.place[node]]
        late = next((out for out in self._terms(node) if self._written_after(out, last)), None)
        if late is not None:
            why = (
                f": it takes from {gradient_title(self.recording, self.nodes[late])}, written later"
            )
        elif sum_ := self._replaced(node, wrote):
            why = f" = {sum_}: `=` overwrites, use `+=`"
        else:
            why = ""
        return (
            f"{gradient_title(self.recording, node)} is {number(last.after)} by hand "
            f"(event {last.position}{line and ', '}{line}), but should be {number(due)}{why}"
        )

    def _terms(self, node: int) -> Mapping[int, Sequence[float]]:
        """The contributions to a gradient, by the place that they come from, the last place first.

        There are several from one place if it has the node as an operand more than once.
        """
        place = self.place[node]
        found = {
            out: [
                self.graph.edge(out, slot)(self.due[out])
                for slot, operand in self.graph.variable(out)
                if operand == place
            ]
            for out in range(len(self.graph) - 1, place, -1)
        }
        return {out: terms for out, terms in found.items() if terms}

    def _written_after(self, out: int, wrote: Written) -> bool:
        later = (w for w in self.wrote if w.node == self.nodes[out] and w.position > wrote.position)
        return any(each.kind != "zero" or each.position < self._last for each in later)

    def _replaced(self, node: int, wrote: Sequence[Written]) -> str:
        """Write the sum that a gradient should be, if single terms of it were written in turn."""
        grouped = [*self._terms(node).values()]
        size = self.sizes[self.place[node]]
        for terms in ([term for each in grouped for term in each], [*map(sum, grouped)]):
            single = all(
                any(relative(each.after, term, size) <= LIMIT for term in terms) for each in wrote
            )
            if single and len(wrote) > 1 and len(terms) > 1:
                return " + ".join(map(number, terms)).replace("+ −", "− ")
        return ""
