"""Writes to Values, by hand or by an optimizer, as blocks of a log."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Protocol

from stepgrad.engine.node import Node
from stepgrad.engine.ops import CONSTANT
from stepgrad.engine.tape import Place, Rule, WriteKind
from stepgrad.recording.blocks import Block, Write, packed
from stepgrad.recording.kept import Bounded
from stepgrad.recording.known import Known, same_values
from stepgrad.recording.log import Log
from stepgrad.recording.writes import Writes

_Form = tuple[str, tuple[str, ...], tuple[str, ...]]
"""What a rule is, besides its numbers: the method, and the names of the numbers."""

Written = tuple[WriteKind, Node, float, Place | None]
"""A write by hand: what kind, of which Value, the new number, and the line."""


class Writing(Protocol):
    """How a write by hand is made and noted."""

    def __call__(
        self, kind: WriteKind, value: Node, after: float, place: Place | None = None, /
    ) -> None:
        """Make a number that of a value, or its gradient; without a place, find the line."""


class Changes:
    """Adds writes to a log. All Values that are written have to be in it.

    Args:
        log: where the blocks belong.
        known: which Values are in it.
        add: adds a block.
    """

    def __init__(self, log: Log, known: Known, add: Callable[[Block], None]) -> None:
        self._log = log
        self._known = known
        self._add = add
        self._writes: dict[object, Writes] = {}
        # What came last: by hand, by the number of writes; by an optimizer, by kind.
        self._by_hand = Bounded[int, tuple[object, Sequence[tuple[int, int, Writes]]]](64)
        self._by_rule: dict[WriteKind, tuple[Sequence[Node], _Form | None, Writes]] = {}

    def let_go(self) -> None:
        """Keep no Value alive: nothing more will be written."""
        self._by_rule.clear()

    def by_hand(self, written: Sequence[Written]) -> None:
        """Add writes by hand, each kind as a phase of its own.

        A loop that writes the value and clears the gradient of each parameter is one phase.
        """
        kinds, values, after, places = zip(*written, strict=True)
        self.to_nodes(kinds, [self._known[value._stamp] for value in values], places, after)
        now = [
            value._data if kind == "update" else value._grad
            for kind, value in zip(kinds, values, strict=True)
        ]
        if now != [*after]:  # something was written twice, perhaps by two threads at once
            self._correct(written)

    def to_nodes(
        self,
        kinds: Sequence[WriteKind],
        nodes: Sequence[int],
        places: Sequence[Place | None],
        after: Sequence[float],
    ) -> None:
        """Add writes to nodes, each kind as a phase of its own."""
        key = kinds, nodes, places
        latest = self._by_hand.get(len(kinds))
        if latest is None or key != latest[0]:
            latest = self._by_hand[len(kinds)] = key, [*self._runs(*key)]
        for begin, end, writes in latest[1]:
            self._add(Write(self._log.length, writes, packed(after[begin:end]), None))

    def _correct(self, written: Sequence[Written]) -> None:
        """Add what became of Values, where that is not the last number that was noted."""
        last = {(kind == "update", v._stamp): (v, number) for kind, v, number, _ in written}
        self.differences(
            [
                value
                for (data, _), (value, number) in last.items()
                if not _same(number, value._data if data else value._grad)
            ]
        )

    def _runs(
        self, kinds: Sequence[WriteKind], nodes: Sequence[int], places: Sequence[Place | None]
    ) -> Iterator[tuple[int, int, Writes]]:
        """Divide writes by kind; each run with where it begins and ends."""
        lengths = [len([*run]) for _, run in groupby(kinds)]
        if len(lengths) > len({*kinds}):
            lengths = [len(kinds)]
        begin = 0
        for length in lengths:
            end = begin + length
            here = places[begin:end]
            moves = enumerate(zip(here, (None, *here), strict=False))
            known = tuple((i, at) for i, (at, before) in moves if at and at is not before)
            yield (
                begin,
                end,
                self._writes_to(tuple(kinds[begin:end]), tuple(nodes[begin:end]), known),
            )
            begin = end

    def of_kind(self, kind: WriteKind, nodes: Sequence[int], after: Sequence[float]) -> None:
        """Add writes of one kind that the program did not make by hand, if there are any."""
        if nodes:
            writes = self._writes_to((kind,) * len(nodes), tuple(nodes))
            self._add(Write(self._log.length, writes, packed(after), None))

    def by_rule(
        self, kind: WriteKind, values: Sequence[Node], after: array[float], rule: Rule | None
    ) -> None:
        """Add the writes of an optimizer, if there are any."""
        if not values:
            return
        before, form, writes = self._by_rule.get(kind, ((), None, None))
        now = None if rule is None else (rule.method, tuple(rule.numbers), tuple(rule.columns))
        # The next step of the same optimizer writes the same Values.
        if writes is None or form != now or not same_values(values, before):
            nodes = [self._known[value._stamp] for value in values]
            writes = self._ruled(kind, nodes, rule)
            self._by_rule[kind] = values[:], now, writes
        self._add(Write(self._log.length, writes, after, rule))

    def to_nodes_by_rule(
        self,
        kind: WriteKind,
        nodes: Sequence[int],
        place: Place | None,
        after: array[float],
        rule: Rule,
    ) -> None:
        """Add the writes of an optimizer to nodes, made on a line."""
        writes = self._ruled(kind, nodes, rule, () if place is None else ((0, place),))
        self._add(Write(self._log.length, writes, after, rule))

    def _ruled(
        self,
        kind: WriteKind,
        nodes: Sequence[int],
        rule: Rule | None,
        places: tuple[tuple[int, Place], ...] = (),
    ) -> Writes:
        kinds = (kind,) * len(nodes)
        form = () if rule is None else (rule.method, tuple(rule.numbers), tuple(rule.columns))
        return self._writes_to(kinds, tuple(nodes), places, *form)

    def differences(self, values: Iterable[Node]) -> None:
        """Add writes for Values whose numbers are not those in the log."""
        history = self._log.history
        for value in values:
            index, now = self._known.index(value), self._log.length
            if not _same(history.value(index, now), value._data):
                self.of_kind("update", [index], [value._data])
            grad = history.grad(index, now) or 0.0
            if not _same(grad, value._grad) and value._operation is not CONSTANT:
                self.of_kind("set", [index], [value._grad])

    def _writes_to(self, *content: Any) -> Writes:
        return self._writes.get(content) or self._writes.setdefault(content, Writes(*content))


def _same(logged: float | None, actual: float) -> bool:
    return logged == actual or (logged != logged and actual != actual)
