"""Recognising a pass that is like an earlier one.

Training makes the same graph again and again. Whether it did is a question of identity (is the
operand of the new node 7 the new node 3?), which a few C loops answer much faster than the graph
could be described anew; and then its description, and who takes part in its backward pass, are
known already.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from stepgrad.engine.backward import ancestors
from stepgrad.engine.ops import Op
from stepgrad.engine.tape import Place
from stepgrad.engine.value import Value
from stepgrad.recording.structure import Structure, Sweep, index_to_ref, leaves_of

Pick = Callable[[Sequence[Value]], Sequence[Value]]


class Context(NamedTuple):
    """What belongs to a shape besides operations and edges: labels by offset, and places."""

    names: tuple[tuple[int, str], ...]
    places: tuple[tuple[int, Place], ...]


class Participants(NamedTuple):
    """Who takes part in a backward pass: computed nodes, newest first, and leaves."""

    sweep: Sweep
    order: Sequence[Value]
    leaves: Sequence[Value]


@dataclass(frozen=True, eq=False, slots=True)
class Shape:
    """A structure together with the Values from earlier blocks that it uses."""

    structure: Structure
    context: Context
    operations: list[Op]
    outer: list[Value]
    operands: Pick
    plans: dict[int, _Plan] = field(default_factory=dict)

    @classmethod
    def of(
        cls, structure: Structure, context: Context, nodes: Sequence[Value], known: Known
    ) -> Shape:
        """Describe `nodes`, which have this structure."""
        own = set(nodes)
        operands = [operand for node in nodes for operand in node._operands]
        outer = list(dict.fromkeys(operand for operand in operands if operand not in own))
        place = {known.index(value): len(nodes) + i for i, value in enumerate(outer)}
        picks = [ref if ref >= 0 else place[~ref] for ref in structure.refs]
        return cls(structure, context, [node._operation for node in nodes], outer, _pick(picks))

    def fits(
        self, operations: list[Op], operands: Sequence[Value], nodes: list[Value], context: Context
    ) -> bool:
        """Whether these nodes are the same operations on the same operands."""
        return (
            context == self.context  # first: where batches differ, the first name tells
            and operations == self.operations
            and operands == self.operands(nodes + self.outer)
        )

    def participants(
        self, root: Value, nodes: list[Value], base: int, known: Known
    ) -> Participants:
        """Return who takes part in a backward pass from `root`, if `nodes` are of this shape.

        `base` is the index of the first of them.
        """
        offset = known.index(root) - base
        plan = self.plans.get(offset)
        if plan is not None:
            return Participants(
                plan.sweep, plan.order(nodes), [*plan.own_leaves(nodes), *plan.outer_leaves]
            )
        order = ancestors(root)
        own = {node: place for place, node in enumerate(nodes)}
        leaves = sorted(leaves_of(order) if order else [root], key=lambda leaf: leaf not in own)
        sweep = Sweep.of(order, leaves, lambda node: index_to_ref(known.index(node), base))
        if order and all(node in own for node in order):
            self.plans[offset] = _Plan(
                sweep,
                _pick([own[node] for node in order]),
                _pick([own[leaf] for leaf in leaves if leaf in own]),
                [leaf for leaf in leaves if leaf not in own],
            )
        return Participants(sweep, order, leaves)


class _Plan(NamedTuple):
    """The participants of a backward pass, to be picked from the nodes of a forward pass."""

    sweep: Sweep
    order: Pick
    own_leaves: Pick
    outer_leaves: list[Value]


def _pick(places: Sequence[int]) -> Pick:
    """Return a function that picks the elements at these places, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[place] for place in places)


class Known(dict[int, int]):
    """Where in the log a Value is: its index, by stamp. Missing are Values the log has not met.

    Those of a run are worked out, and kept, when they are asked for: parameters, and what a
    program keeps from earlier passes.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[int, int, int]] = []

    def __missing__(self, stamp: int) -> int:
        run = bisect_right(self._runs, stamp, key=lambda run: run[0]) - 1
        if run >= 0:
            first, count, base = self._runs[run]
            if stamp < first + count:
                return self.setdefault(stamp, base + stamp - first)
        raise KeyError(stamp)

    def index(self, value: Value) -> int:
        """Return a Value's index in the recording.

        Raises:
            KeyError: the value is not in the log.
        """
        return self[value._stamp]

    def has(self, value: Value) -> bool:
        """Whether a Value is in the log."""
        try:
            return self[value._stamp] >= 0
        except KeyError:
            return False

    def add(self, nodes: Sequence[Value], base: int) -> None:
        """Take in nodes, in the order in which they were made, from index `base` on."""
        first = nodes[0]._stamp
        in_a_row = nodes[-1]._stamp - first + 1 == len(nodes)
        if in_a_row and (not self._runs or self._runs[-1][0] < first):
            self._runs.append((first, len(nodes), base))
        else:  # adopted, or another thread or recording made values in between
            self.update((node._stamp, base + i) for i, node in enumerate(nodes))


def strangers(values: Iterable[Value], known: Known, pending: Sequence[Value]) -> list[Value]:
    """Return those Values that are in neither, with all they were made from, oldest first."""
    found: set[Value] = set(pending)
    new: list[Value] = []
    stack = list(values)
    while stack:
        value = stack.pop()
        if value not in found and not known.has(value):
            found.add(value)
            new.append(value)
            stack.extend(value._operands)
    return sorted(new, key=lambda value: value._stamp)
