"""Recognising a forward pass that is like an earlier one (`Pattern`, `Template`).

Training makes the same graph again and again. Whether it did is a question of identity (is the
operand of the new node 7 the new node 3?), which is answered faster than the graph could be
described again (`Description`), and ten times faster where it has come often enough to be compiled.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from itertools import count, repeat
from operator import neg
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


class Located(NamedTuple):
    """A template, the earlier Values that a pass of it uses, newest first, and their passes."""

    template: Template
    outer: Sequence[Node]
    earlier: tuple[Forward, ...]


class Pattern:
    """Operations, and which of them use the same Values: what structures share.

    Which earlier Values those are is not part of it. In `refs` they are numbered as they come.
    """

    def __init__(self, codes: bytes, refs: array[int], own: tuple[Op, ...]) -> None:
        self.codes, self.refs, self.own = codes, refs, own
        self._templates: dict[bytes, Template] = {}
        self._latest: Template | None = None

    def recognise(
        self, description: Description
    ) -> tuple[Sequence[Node], array[float] | None] | None:
        """Return which earlier Values nodes use, if they are the same operations on them.

        `located` finds the passes that made them. The column of the nodes' numbers comes too, where
        the code has packed it.
        """
        nodes = description.nodes
        if self._compiling.code is not None:
            return self._compiling.code(nodes)
        if description.codes != self.codes or description.own != self.own:
            return None
        operands = description.operands
        outer = [operands[place] for place in self._first_uses]
        expected = [*nodes, *reversed(outer)].__getitem__  # `~k` counts from the end
        if not same_values(operands, [*map(expected, self.refs)]):
            return None
        self._compiling.due(nodes)
        return outer, None

    @cached_property
    def _compiling(self) -> Compiling[Recognise]:
        alone = Structure(self.codes, self.refs, _NOTHING, _NOTHING, self.own)
        return Compiling(len(alone), partial(recogniser, alone))

    @cached_property
    def _first_uses(self) -> array[int]:
        """Where among the operands of all nodes each earlier Value comes first."""
        firsts = array("i")
        for at, ref in enumerate(self.refs):
            if ref == ~len(firsts):
                firsts.append(at)
        return firsts

    def located(
        self,
        outer: Sequence[Node],
        expected: Template | None,
        before: Made | None,
        known: Known,
        forward_of: Callable[[int], Forward],
    ) -> Located:
        """Find or make the template that uses these earlier Values.

        `expected` is the template that is likely, `before` the latest pass in the log.

        Raises:
            KeyError: one of the Values is not in the log, or two are the same.
        """
        likely = self._latest if expected is None or expected.pattern is not self else expected
        found = None if likely is None else likely.usual(outer, before)
        if found is None:
            found = self.placed(outer, known, forward_of)
            found.template.remember(found, before)
        self._latest = found.template
        return found

    def placed(
        self, outer: Sequence[Node], known: Known, forward_of: Callable[[int], Forward]
    ) -> Located:
        """Find or make the template that uses these earlier Values, as if for the first time.

        Raises:
            KeyError: one of the Values is not in the log, or two are the same.
        """
        indices = [known[value._stamp] for value in outer]
        if len({*indices}) < len(indices):
            raise KeyError("two are the same")
        order = array("i", sorted(range(len(indices)), key=indices.__getitem__, reverse=True))
        newest_first = [*map(indices.__getitem__, order)]
        earlier: list[Forward] = []
        passes, offsets = array("i"), array("i")
        while len(offsets) < len(order):
            begin = len(offsets)
            made = forward_of(newest_first[begin])
            end = bisect_right(newest_first, -made.base, begin, key=neg)
            passes.extend(repeat(len(earlier), end - begin))
            offsets.extend([index - made.base for index in newest_first[begin:end]])
            earlier.append(made)
        key = order.tobytes() + passes.tobytes() + offsets.tobytes()
        template = self._templates.get(key)
        if template is None:
            numbers = dict(zip(order, count(-1, -1), strict=False))
            others = map(numbers.__getitem__, reversed(range(len(order))))  # `~k` from the end
            refs = array("i", map([*range(len(self.codes)), *others].__getitem__, self.refs))
            structure = Structure(self.codes, refs, passes, offsets, self.own)
            template = self._templates[key] = Template(self, structure, order)
        return Located(template, template.newest_first(outer), tuple(earlier))


class Template:
    """A structure, and what is known of the latest pass that had it.

    `order` has the numbers of the earlier Values in its pattern, newest first.
    """

    def __init__(self, pattern: Pattern, structure: Structure, order: Sequence[int]) -> None:
        self.pattern = pattern
        self.structure = structure
        self.following: Template | None = None  # the one that came after it, the last time
        self._order = order
        # The passes that it uses. Where the newest of them was the latest in the log, only the
        # others stay the same, and so these are the stamps of what is used of them.
        self._earlier: tuple[Forward, ...] = ()
        self._stamps: Sequence[int] = ()
        self._latest: tuple[object, Context] | None = None
        self._contexts = Bounded[object, Context](64)  # they may take turns

    def newest_first(self, outer: Sequence[Node]) -> Sequence[Node]:
        """Arrange the earlier Values as the structure numbers them."""
        return [*map(outer.__getitem__, self._order)]

    def usual(self, outer: Sequence[Node], before: Made | None) -> Located | None:
        """Return where the earlier Values are, if that is as it was the last time.

        `before` is the latest pass in the log.
        """
        outer = self.newest_first(outer)
        newest = self._moved(before, outer)
        if self._others(outer, newest) != self._stamps:
            return None
        if newest is not None:
            self._earlier = newest, *self._earlier[1:]
        return Located(self, outer, self._earlier)

    def remember(self, found: Located, before: Made | None) -> None:
        """Keep where the earlier Values are this time."""
        self._earlier = found.earlier
        self._stamps = self._others(found.outer, self._moved(before, found.outer))

    def _others(self, outer: Sequence[Node], newest: Forward | None) -> Sequence[int]:
        others = outer if newest is None else outer[len(self._newest) :]
        return [value._stamp for value in others]

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
    """Nodes that will form a pass, and as much of them as is asked for."""

    def __init__(self, batch: Batch) -> None:
        self.nodes = batch.nodes
        self._row = batch.row

    @cached_property
    def codes(self) -> bytes:
        """Their operations, as codes."""
        return bytes([node._operation.code for node in self.nodes])

    @cached_property
    def own(self) -> tuple[Op, ...]:
        """The operations that the program defines, of the nodes that have one."""
        if OWN not in self.codes:
            return ()
        return tuple([node._operation for node in self.nodes if node._operation.code == OWN])

    @cached_property
    def operands(self) -> list[Node]:
        """The operands of all nodes, one after the other."""
        if OWN in self.codes:  # which may have others, and then no second one
            return [
                operand
                for node in self.nodes
                for operand in (node._first, node._second, *node._others)
                if operand is not None
            ]
        operands: list[Node] = []
        append = operands.append
        for node in self.nodes:
            one = node._first
            if one is not None:
                append(one)
                other = node._second
                if other is not None:
                    append(other)
        return operands

    @cached_property
    def outer(self) -> Mapping[int, Node]:
        """The Values from earlier passes that they use, by stamp."""
        first, offsets = self._first, self._offsets
        used = zip(self._stamps, self.operands, strict=True)
        return {stamp: o for stamp, o in used if stamp < first and stamp not in offsets}

    @cached_property
    def pattern(self) -> Pattern:
        """A pattern that they follow."""
        first = self._first
        refs = self._offsets | dict(zip(self.outer, count(-1, -1), strict=False))
        operands = array("i", [refs[s] if s < first else s - first for s in self._stamps])
        return Pattern(self.codes, operands, self.own)

    @property
    def _first(self) -> int:
        """The stamp of the first one of a row."""
        return maxsize if self._row is None else self._row

    @cached_property
    def _stamps(self) -> list[int]:
        return [operand._stamp for operand in self.operands]

    @cached_property
    def _offsets(self) -> dict[int, int]:
        """Their offsets by stamp. A row needs none: stamps follow each other."""
        if self._row is not None:
            return {}
        return {node._stamp: offset for offset, node in enumerate(self.nodes)}


_NOTHING = array("i")
