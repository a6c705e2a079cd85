"""How a backward pass goes that is like an earlier one (`Plan`), and finding it (`Plans`).

Which nodes take part follows from the structures of the passes that it goes over, and from the node
that it starts from. So it is worked out once for all of a kind; one that has come often is compiled
(`compiled.backward`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from itertools import compress
from typing import NamedTuple

from stepgrad.engine.backward import ancestors
from stepgrad.engine.node import Node
from stepgrad.engine.ops import CONSTANT, LEAF
from stepgrad.recording.blocks import Forward
from stepgrad.recording.compiled import Compiling, Run, backward
from stepgrad.recording.known import Known
from stepgrad.recording.structure import Structure
from stepgrad.recording.sweep import Stretch, Sweep, newest_first, stretched
from stepgrad.recording.template import Made

_KEPT = 1 << 10  # parts of passes that need not be worked out again

_TRIED = 8
"""Of how many plans from a root it is tried whether they fit: they may take turns."""


class Participants(NamedTuple):
    """The Values that take part in a backward pass: computed nodes, and leaves."""

    order: Sequence[Node]
    leaves: Sequence[Node]


class _Part(NamedTuple):
    """What is reached of a forward pass.

    Args:
        edges: how many edges lead out of its nodes.
        computed: which computed nodes of each earlier pass are reached, by its number.
        earlier: the numbers of all earlier passes that are reached.
        idle: the refs that are not reached.
    """

    edges: int
    computed: Mapping[int, Sequence[int]]
    earlier: frozenset[int]
    idle: Sequence[int]


class Plan:
    """A sweep, and what helps to run the next pass of that kind."""

    def __init__(self, sweep: Sweep, idle: Sequence[int], *, alone: bool) -> None:
        self.sweep = sweep
        self.alone = alone  # whether it computes over a single forward pass, and leaves of others
        self._idle = idle
        size = sweep.edges if sweep.order is None else 0
        self._compiling = Compiling[Run](size, partial(backward, sweep))

    def run(self) -> Run | None:
        """Return code for the pass, if it has come often enough."""
        return self._compiling.due()

    def over(self, forward: Forward) -> list[Forward] | None:
        """Return the passes that it goes over, if they hang together as those of the sweep do.

        `forward` is the one that has made the root.
        """
        structures = self.sweep.structures
        if len(structures) == 1:
            return [forward]
        over: list[Forward] = [forward]
        for number, earlier, to in self._links:
            other = over[number].earlier[earlier]
            if to == len(over):
                if other.structure is not structures[to] or other.base >= over[-1].base:
                    return None
                over.append(other)
            elif other is not over[to]:
                return None
        return over

    @cached_property
    def _links(self) -> Sequence[tuple[int, int, int]]:
        """Which pass uses which other one; each is first met as the next of those that are known.

        Empty where they are not met in their order.
        """
        met = sorted(
            (to, number, earlier)
            for number, links in enumerate(self.sweep.links)
            for earlier, to in enumerate(links or ())
            if to >= 0
        )
        return [(number, earlier, to) for to, number, earlier in met]

    def participants(self, made: Made) -> Participants:
        """Pick who takes part in a pass that goes over a single forward pass."""
        computed, leaves = made.forward.structure.taking_part(self._idle)
        idle = {~ref for ref in self._idle if ref < 0}
        outer = (value for k, value in enumerate(made.outer) if k not in idle)
        order, own = [*compress(made.nodes, computed)], [*compress(made.nodes, leaves)]
        return Participants(order[::-1], [*own[::-1], *outer])


class Plans:
    """The plans of all backward passes of a log."""

    def __init__(self, known: Known, forward_of: Callable[[int], Forward]) -> None:
        self._known = known
        self._forward_of = forward_of
        self._plans: dict[object, Plan] = {}
        self._parts: dict[object, _Part] = {}
        # Those that have come lately, by the structure and the offset of the root.
        self._usual: dict[tuple[Structure, int], list[Plan]] = {}

    def find(self, root: Node) -> tuple[Plan, tuple[Forward, ...]]:
        """Return the plan of a pass from `root`, which is in the log, and what it goes over."""
        index = self._known.index(root)
        forward = self._forward_of(index)
        offset = index - forward.base
        usual = self._usual.setdefault((forward.structure, offset), [])
        for plan in usual:
            over = plan.over(forward)
            if over is not None and (plan.alone or self._in_order(over)):
                return plan, tuple(over)
        plan, passes = self._work_out(root, forward, offset)
        if plan.sweep.order is None:
            if plan in usual:
                usual.remove(plan)
            usual.insert(0, plan)
            del usual[_TRIED:]
        return plan, passes

    def _in_order(self, over: Sequence[Forward]) -> bool:
        return self._known.in_order([each.base for each in over])

    def _work_out(
        self, root: Node, forward: Forward, offset: int
    ) -> tuple[Plan, tuple[Forward, ...]]:
        parts = self._parts_of(forward, offset)
        over = {each.base: each for each in parts}
        for each, (_, part) in parts.items():
            over.update((each.earlier[n].base, each.earlier[n]) for n in part.earlier)
        bases = sorted(over, reverse=True)
        numbers = {base: number for number, base in enumerate(bases)}
        order: tuple[Stretch, ...] | None = None
        if len(parts) > 1 and not self._in_order([*parts]):
            order = self._order(root, numbers)
        structures = tuple([over[base].structure for base in bases])
        links: list[tuple[int, ...] | None] = [None] * len(bases)
        entries: list[Sequence[int]] = []
        edges = 0
        for each, (reached, part) in parts.items():
            number = numbers[each.base]
            links[number] = tuple(
                [
                    numbers[other.base] if n in part.earlier else -1
                    for n, other in enumerate(each.earlier)
                ]
            )
            entries.append(reached)
            edges += part.edges
        key = structures, tuple(links), tuple(entries), order
        plan = self._plans.get(key)
        if plan is None:
            sweep = Sweep(structures, key[1], offset, edges, order)
            plan = Plan(sweep, parts[forward][1].idle, alone=len(parts) == 1)
            self._plans[key] = plan
        return plan, tuple([over[base] for base in bases])

    def _parts_of(
        self, forward: Forward, offset: int
    ) -> dict[Forward, tuple[tuple[int, ...], _Part]]:
        """Return what is reached of each pass that computes something, the newest first."""
        entries: dict[int, set[int]] = {forward.base: {offset}}
        pending = {forward.base: forward}
        parts = {}
        while pending:
            each = pending.pop(max(pending))
            reached = tuple(sorted(entries[each.base]))
            part = self._part(each, reached)
            for number, offsets in part.computed.items():
                other = each.earlier[number]
                pending[other.base] = other
                entries.setdefault(other.base, set()).update(offsets)
            parts[each] = reached, part
        return parts

    def _part(self, forward: Forward, entries: tuple[int, ...]) -> _Part:
        """Return what is reached of a pass by way of some of its nodes."""
        structure = forward.structure
        key = structure, entries, tuple([each.structure for each in forward.earlier])
        part = self._parts.get(key)
        if part is not None:
            return part
        if not any(structure.op(offset).partials for offset in entries):
            return _Part(0, {}, frozenset(), ())  # a root that is not computed
        edges, idle, outer = structure.reach(entries)
        codes = [each.structure.codes for each in forward.earlier]
        computed: dict[int, list[int]] = {}
        for used, number, offset in outer:
            code = codes[number][offset]
            if code == CONSTANT.code:
                edges -= used
            elif code != LEAF.code:
                computed.setdefault(number, []).append(offset)
        earlier = frozenset([number for _, number, _ in outer])
        if len(self._parts) >= _KEPT:
            self._parts.clear()
        part = self._parts[key] = _Part(edges, computed, earlier, idle)
        return part

    def _order(self, root: Node, numbers: Mapping[int, int]) -> tuple[Stretch, ...] | None:
        """Return the order of computed nodes where that of the log is not that of the program."""
        nodes = []
        for node in ancestors(root):
            index = self._known.index(node)
            base = self._forward_of(index).base
            nodes.append((numbers[base], index - base))
        order = stretched(nodes)
        return None if newest_first(order) else order

    def participants(self, root: Node, plan: Plan, over: Sequence[Forward]) -> Participants:
        """Find who takes part in a backward pass, whatever it goes over."""
        order = ancestors(root)
        if plan.sweep.order is None and not self._in_order(over):
            order.sort(key=self._known.index, reverse=True)
        leaves = {
            operand._stamp: operand
            for node in order
            for operand in node._operands
            if operand._operation is LEAF
        }
        stamps = sorted(leaves, key=self._known.__getitem__, reverse=True)
        return Participants(order, [leaves[stamp] for stamp in stamps])
