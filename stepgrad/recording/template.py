"""Recognising a forward pass that is like an earlier one (`Template`).

Training makes the same graph again and again. Whether it did is a question of identity (is the
operand of the new node 7 the new node 3?), which is answered faster than the graph could be
described again (`Description`), and ten times faster where it has come often enough to be compiled.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from itertools import count
from sys import maxsize
from typing import NamedTuple

from stepgrad.engine.node import Node
from stepgrad.engine.ops import OWN, Op
from stepgrad.recording.batch import Batch
from stepgrad.recording.blocks import Forward
from stepgrad.recording.kept import Bounded
from stepgrad.recording.known import Known, same_values
from stepgrad.recording.recurring import Compiling, Recognise, recogniser
from stepgrad.recording.structure import Context, Structure


class Made(NamedTuple):
    """A forward pass whose Values are at hand, with those from earlier passes that it uses."""

    forward: Forward
    nodes: Sequence[Node]
    outer: Sequence[Node]


class Template:
    """A structure, and what is known of the latest pass that had it."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.following: Template | None = None  # the one that came after it, the last time
        self._compiling = Compiling[Recognise](len(structure), partial(recogniser, structure))
        # The passes that it uses. Where the newest of them was the latest in the log, only the
        # others stay the same, and so these are the stamps of what is used of them.
        self._earlier: tuple[Forward, ...] = ()
        self._stamps: Sequence[int] = ()
        self._latest: tuple[object, Context] | None = None
        self._contexts = Bounded[object, Context](64)  # they may take turns

    def recognise(self, nodes: Sequence[Node]) -> tuple[Sequence[Node], array[float] | None] | None:
        """Return which earlier Values these nodes use, if they are the same operations on them.

        The earlier Values are used in the same places; `located` finds the passes that made them.
        The column of the nodes' numbers comes too, where the code has packed it.
        """
        if self._compiling.code is not None:
            return self._compiling.code(nodes)
        codes = codes_of(nodes)
        if codes != self.structure.codes or own_of(nodes, codes) != self.structure.own:
            return None
        operands = operands_of(nodes, codes)
        outer = [operands[place] for place in self._first_uses]
        expected = [*nodes, *reversed(outer)].__getitem__  # `~k` counts from the end
        if not same_values(operands, [*map(expected, self.structure.refs)]):
            return None
        self._compiling.due(nodes)
        return outer, None

    @cached_property
    def _first_uses(self) -> array[int]:
        """Where among the operands of all nodes each earlier Value comes first."""
        firsts = {ref: at for at, ref in reversed([*enumerate(self.structure.refs)])}
        return array("i", [firsts[~k] for k in range(len(self.structure.outer_offsets))])

    def located(
        self,
        outer: Sequence[Node],
        before: Made | None,
        known: Known,
        forward_of: Callable[[int], Forward],
    ) -> tuple[Forward, ...] | None:
        """Return the passes that made these Values; None if their offsets there are not as before.

        `before` is the latest pass in the log.

        Raises:
            KeyError: one of them is not in the log.
        """
        newest = self._moved(before, outer)
        others = outer if newest is None else outer[len(self._newest) :]
        stamps = [value._stamp for value in others]
        if stamps != self._stamps:
            indices = [known[value._stamp] for value in outer]
            earlier = self.structure.passes_of(indices, forward_of)
            if earlier is None:
                return None
            self._stamps, self._earlier = stamps, earlier
        elif newest is not None:
            self._earlier = newest, *self._earlier[1:]
        return self._earlier

    def _moved(self, before: Made | None, outer: Sequence[Node]) -> Forward | None:
        """Return the latest pass in the log if the newest one that is used is that.

        It is, where a step is recorded in several passes, and that is quick to check.
        """
        if before is None or not self._newest:
            return None
        nodes = before.nodes
        for offset, value in zip(self._newest, outer, strict=False):
            if offset >= len(nodes) or nodes[offset] is not value:
                return None
        return before.forward

    @cached_property
    def _newest(self) -> Sequence[int]:
        """The offsets of the earlier Values that are of the newest pass: the first ones."""
        firsts, offsets = self.structure.firsts, self.structure.outer_offsets
        return offsets[: firsts[1]] if len(firsts) > 1 else offsets

    def context(self, batch: Batch) -> Context:
        """Return the names and places of a pass; the same object where they are equal."""
        key = batch.names, batch.moves
        if self._latest is None:  # most have one only, and hashing takes as long as making it
            self._latest = key, Context.of(*key)
        elif key != self._latest[0]:
            if not self._contexts:
                self._contexts[self._latest[0]] = self._latest[1]
            context = self._contexts.get(key)
            if context is None:
                context = self._contexts[key] = Context.of(*key)
            self._latest = key, context
        return self._latest[1]


class Description:
    """Nodes that will form a pass, as a structure has them.

    `outer` are the Values from earlier passes that they use, by stamp.
    """

    def __init__(self, batch: Batch) -> None:
        nodes, self._first = batch.nodes, maxsize if batch.row is None else batch.row
        self._codes = codes_of(nodes)
        self._own, operands = own_of(nodes, self._codes), operands_of(nodes, self._codes)
        self._operands = [operand._stamp for operand in operands]
        # The refs of what is not in the row, by stamp. A row needs none: they follow each other.
        self._refs: dict[int, int] = {}
        if batch.row is None:
            self._refs = {node._stamp: offset for offset, node in enumerate(nodes)}
        first, own = self._first, self._refs
        used = zip(self._operands, operands, strict=True)
        self.outer = {stamp: o for stamp, o in used if stamp < first and stamp not in own}

    def structure(
        self, known: Known, forward_of: Callable[[int], Forward]
    ) -> tuple[Structure, Sequence[Node], tuple[Forward, ...]]:
        """Make a structure; return the earlier Values, newest first, and the passes they are of.

        Raises:
            KeyError: one of them is not in the log.
        """
        newest_first = sorted(self.outer, key=known.__getitem__, reverse=True)
        earlier: list[Forward] = []
        passes, offsets = array("i"), array("i")
        base = maxsize
        for index in map(known.__getitem__, newest_first):
            if index < base:
                earlier.append(forward_of(index))
                base = earlier[-1].base
            passes.append(len(earlier) - 1)
            offsets.append(index - base)
        self._refs.update(zip(newest_first, count(-1, -1)))
        first, refs = self._first, self._refs
        own_and_outer = [refs[s] if s < first else s - first for s in self._operands]
        structure = Structure(self._codes, array("i", own_and_outer), passes, offsets, self._own)
        return structure, [self.outer[stamp] for stamp in newest_first], tuple(earlier)


def codes_of(nodes: Sequence[Node]) -> bytes:
    """Return the operations of nodes, as codes."""
    return bytes([node._operation.code for node in nodes])


def own_of(nodes: Sequence[Node], codes: bytes) -> tuple[Op, ...]:
    """Return the operations that the program defines, of the nodes that have one."""
    if OWN not in codes:
        return ()
    return tuple([node._operation for node in nodes if node._operation.code == OWN])


def operands_of(nodes: Sequence[Node], codes: bytes) -> list[Node]:
    """Return the operands of all nodes, one after the other."""
    if OWN in codes:  # which may have others, and then no second one
        return [
            operand
            for node in nodes
            for operand in (node._first, node._second, *node._others)
            if operand is not None
        ]
    operands: list[Node] = []
    append = operands.append
    for node in nodes:
        one = node._first
        if one is not None:
            append(one)
            other = node._second
            if other is not None:
                append(other)
    return operands
