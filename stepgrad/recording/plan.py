"""How a backward pass goes that is like an earlier one (`Plan`), and finding it (`Plans`).

Which nodes take part follows from the structures of the passes that it goes over, and from the node
that it starts from. So it is worked out once for all of a kind; one that has come often is compiled
(`compiled.backward`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import compress
from typing import NamedTuple

from stepgrad.engine.backward import ancestors
from stepgrad.engine.node import Node
from stepgrad.engine.ops import CONSTANT, LEAF
from stepgrad.recording.blocks import Forward
from stepgrad.recording.kept import Recent
from stepgrad.recording.known import Known
from stepgrad.recording.recurring import Compiling, Run, backward
from stepgrad.recording.structure import Reach, Structure
from stepgrad.recording.sweep import Stretch, Sweep, newest_first, stretched
from stepgrad.recording.template import Made


class Participants(NamedTuple):
    """The Values that take part in a backward pass: computed nodes, and leaves."""

    order: Sequence[Node]
    leaves: Sequence[Node]


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

    @cached_property
    def hasty(self) -> Sweep:
        """The sweep in the order of creation (`World.order`)."""
        sweep = self.sweep
        nodes = [(n, each) for n, offsets in sweep.computed_nodes for each in offsets]
        return replace(sweep, order=stretched(nodes[::-1]))

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
        """Pick the Values that take part in a pass that goes over a single forward pass."""
        computed, leaves = made.forward.structure.taking_part(self._idle)
        idle = {~ref for ref in self._idle if ref < 0}
        used = (value for k, value in enumerate(made.outer) if k not in idle)
        outer = (value for value in used if value._operation is LEAF)  # not a constant
        order, own = [*compress(made.nodes, computed)], [*compress(made.nodes, leaves)]
        return Participants(order[::-1], [*own[::-1], *outer])


class Plans:
    """The plans of all backward passes of a log."""

    def __init__(self, known: Known, forward_of: Callable[[int], Forward]) -> None:
        self._known = known
        self._forward_of = forward_of
        self._plans: dict[object, Plan] = {}
        # Those that have come lately, by the structure and the offset of the root.
        self._usual = defaultdict[tuple[Structure, int], Recent[Plan]](Recent)

    def find(self, root: Node) -> tuple[Plan, tuple[Forward, ...]]:
        """Return the plan of a pass from `root`, which is in the log, and what it goes over."""
        index = self._known.index(root)
        forward = self._forward_of(index)
        offset = index - forward.base
        usual = self._usual[forward.structure, offset]
        for plan in usual:
            over = plan.over(forward)
            if over is not None and (plan.alone or self._in_order(over)):
                return plan, tuple(over)
        plan, passes = self._work_out(root, forward, offset)
        if plan.sweep.order is None:
            usual.put(plan)
        return plan, passes

    def _in_order(self, over: Sequence[Forward]) -> bool:
        return self._known.in_order([each.base for each in over])

    def _work_out(
        self, root: Node, forward: Forward, offset: int
    ) -> tuple[Plan, tuple[Forward, ...]]:
        """Find out what is reached of each pass, the newest first."""
        over = {forward.base: forward}
        entries = {forward.base: {offset}}  # of each pass that computes something
        reached: dict[int, Reach] = {}
        edges = 0
        while len(reached) < len(entries):
            base = max(entries.keys() - reached)
            found = reached[base] = over[base].structure.reach(entries[base])
            edges += found.edges
            for used, number, at in found.outer:
                other = over[base].earlier[number]
                over[other.base] = other
                code = other.structure.codes[at]
                if code == CONSTANT.code:
                    edges -= used
                elif code != LEAF.code:
                    entries.setdefault(other.base, set()).add(at)
        numbers = {base: number for number, base in enumerate(sorted(over, reverse=True))}
        passes = tuple([over[base] for base in numbers])
        links: list[tuple[int, ...] | None] = [None] * len(passes)
        for base, found in reached.items():
            used_passes = {number for _, number, _ in found.outer}
            links[numbers[base]] = tuple(
                [
                    numbers[other.base] if number in used_passes else -1
                    for number, other in enumerate(over[base].earlier)
                ]
            )
        order = None
        if len(reached) > 1 and not self._known.in_order(reached):
            order = self._order(root, numbers)
        key = tuple([each.structure for each in passes]), tuple(links), offset, order
        plan = self._plans.get(key)
        if plan is None:
            sweep = Sweep(key[0], key[1], offset, edges, order)
            plan = Plan(sweep, reached[forward.base].idle, alone=len(reached) == 1)
            self._plans[key] = plan
        return plan, passes

    def _order(self, root: Node, numbers: Mapping[int, int]) -> tuple[Stretch, ...] | None:
        """Return the order of computed nodes where that of the log is not that of the program."""
        nodes = []
        for node in ancestors(root):
            index = self._known.index(node)
            base = self._forward_of(index).base
            nodes.append((numbers[base], index - base))
        order = stretched(nodes)
        return None if newest_first(order) else order

    def participants(
        self, root: Node, plan: Plan, over: Sequence[Forward], latest: Made | None
    ) -> Participants:
        """Find the Values that take part in a backward pass; `latest` is the latest forward one."""
        if root._first is None:
            return Participants([], [root])
        if plan.alone and latest is not None and latest.forward is over[0]:
            return plan.participants(latest)
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
