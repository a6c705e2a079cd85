"""Why two recordings part (`part`): another input, another operation, another number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from stepgrad.diagnosis.parting import edge_of, first_difference
from stepgrad.engine.ops import ADD
from stepgrad.engine.tape import Rule
from stepgrad.numbers import exact, number
from stepgrad.recording import events
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.difference import Change, alike
from stepgrad.replay.telling.derivatives import derivative, partial_at
from stepgrad.replay.telling.titles import definition, short_title, title

Reason = Literal["end", "event", "input", "operation", "order", "number"]
"""Why: one of them ends; something else happens; an input or a setting is another; a node is made
otherwise; the same terms are added in another order; a number is another, of these operands."""


@dataclass(frozen=True, slots=True)
class Operand:
    """What goes into a number that is not the same in both recordings."""

    name: str
    numbers: Change


@dataclass(frozen=True, slots=True)
class Parting:
    """The first event that is not the same in two recordings, A and B.

    Args:
        event: the position just after it, in both; in the one that has ended, one past the end.
        reason: of which kind the difference is.
        text: one sentence that says it, with its numbers.
        operands: what goes into the number of the event, and is known in both.
    """

    event: int
    reason: Reason
    text: str
    operands: Sequence[Operand] = ()


def part(first: Recording, second: Recording) -> Parting | None:
    """Return where and why two recordings part; None if they are the same to the end."""
    index = first_difference(first, second)
    if index is None:
        return None
    both = first, second
    for name, recording in zip("AB", both, strict=True):
        if index >= recording.length:
            return Parting(index + 1, "end", f"{name} ends here")
    a, b = first.events[index], second.events[index]
    told = _Pair(first, second, index)
    match a, b:
        case events.Leaf(), events.Leaf():
            return told.parting("input", told.told(title(first, a.node), a.value, b.value))
        case events.Op(), events.Op():
            return told.made(a, b)
        case events.Accumulate(), events.Accumulate():
            return told.received(a, b)
        case events.Update(), events.Update() if a.node == b.node:
            return told.written(a, b)
        case events.SetGrad(), events.SetGrad() if a.node == b.node:
            return told.written(a, b)
    return told.parting("event", "something else happens")


@dataclass(frozen=True, slots=True)
class _Pair:
    """An event of two recordings that are the same before it."""

    first: Recording
    second: Recording
    index: int

    def parting(self, reason: Reason, text: str, operands: Sequence[Operand] = ()) -> Parting:
        return Parting(self.index + 1, reason, text, operands)

    def told(self, name: str, a: float | None, b: float | None) -> str:
        """Say a number in both recordings, with as many digits as it takes to tell them apart."""
        texts = ["–" if x is None else number(x) for x in (a, b)]
        if texts[0] == texts[1]:
            texts = ["–" if x is None else exact(x) for x in (a, b)]
        return f"{name} is {texts[0]} in A and {texts[1]} in B"

    def made(self, a: events.Op, b: events.Op) -> Parting:
        """Say why a node is another: another operation, other operands, or another number."""
        if a.op.usual is not b.op.usual or a.operands != b.operands:
            if self._reordered(a.node):
                return self.parting("order", "the same terms are added in another order")
            written = [definition(each, each.node(a.node)) for each in (self.first, self.second)]
            name = title(self.first, a.node)
            return self.parting("operation", f"{name} is {written[0]} in A and {written[1]} in B")
        operands = [
            Operand(title(self.first, node), self._both("value", node)) for node in a.operands
        ]
        other = [each for each in operands if not alike(*each.numbers)]
        if other:  # a constant: whatever has an event is the same
            name = title(self.first, a.node)
            told = self.told("the constant", *other[0].numbers)
            return self.parting("input", f"in {name}, {told}", operands)
        name, numbers = title(self.first, a.node), (a.value, b.value)
        if alike(*numbers):
            name, numbers = f"the tangent of {name}", (a.tangent or 0.0, b.tangent or 0.0)
        told = f"{self.told(name, *numbers)}, made of the same numbers"
        return self.parting("number", told, operands)

    def _both(self, what: Literal["value", "grad"], node: int) -> Change:
        """A number of a node in both recordings, just before the event."""
        a, b = (
            each.history.value(node, self.index + 1) if what == "value"
            else each.history.grad(node, self.index)
            for each in (self.first, self.second)
        )  # fmt: skip
        return a, b

    def _reordered(self, node: int) -> bool:
        """Whether the sums that a node is in are the same in both, but for the order."""
        keys = [_sum(each, node) for each in (self.first, self.second)]
        return keys[0] == keys[1] is not None

    def received(self, a: events.Accumulate, b: events.Accumulate) -> Parting:
        """Say why a gradient receives something else."""
        if (a.out, a.slot, a.node) != (b.out, b.slot, b.node):
            edges = [_edges(each, self.index) for each in (self.first, self.second)]
            if edges[0] == edges[1]:
                return self.parting("order", "the same contributions come in another order")
            names = [partial_at(self.first, a.out, a.slot), partial_at(self.second, b.out, b.slot)]
            told = f"the backward pass goes over {names[0]} in A and over {names[1]} in B"
            return self.parting("operation", told)
        block = self.first.blocks[self.first.history.block_at(self.index)]
        assert isinstance(block, Backward), "contributions are made in backward passes"
        root, name = short_title(self.first, block.root), title(self.first, a.node)
        local, grad = partial_at(self.first, a.out, a.slot), derivative(root, name)
        upstream = derivative(root, short_title(self.first, a.out))
        operands = [
            Operand(upstream, (a.upstream, b.upstream)),
            Operand(local, (a.local, b.local)),
            Operand(f"{grad} before", (a.before, b.before)),
        ]
        other = [each for each in operands if not alike(*each.numbers)]
        if other:
            return self.parting("number", self.told(other[0].name, *other[0].numbers), operands)
        for world, which in ((self.first.world, "A"), (self.second.world, "B")):
            if world is not None and world.overwrites and alike(a.contribution, b.contribution):
                told = self.told(grad, a.after, b.after)
                told = f"{told}: in {which}, a contribution replaces what was there"
                return self.parting("number", told, operands)
        after = (each.history.grad(a.node, self.index + 1) for each in (self.first, self.second))
        told = f"{self.told(grad, *after)}, made of the same numbers"
        return self.parting("number", told, operands)

    def written(
        self, a: events.Update | events.SetGrad, b: events.Update | events.SetGrad
    ) -> Parting:
        """Say why something else is written."""
        name = title(self.first, a.node)
        if isinstance(a, events.SetGrad):
            name = f"{name}.grad"
        if a.rule is None or b.rule is None or a.rule.method != b.rule.method:
            ways = ["by hand" if each is None else f"by {each.method}" for each in (a.rule, b.rule)]
            if ways[0] == ways[1]:
                return self.parting("number", self.told(name, a.after, b.after))
            told = f"{name} is written {ways[0]} in A and {ways[1]} in B"
            return self.parting("operation", told)
        operands = [
            Operand(name, self._both("value", a.node)),
            Operand(f"{name}.grad", self._both("grad", a.node)),
            *_settings(a.rule, b.rule),
        ]
        other = [each for each in operands if not alike(*each.numbers)]
        if other:
            return self.parting("input", self.told(other[0].name, *other[0].numbers), operands)
        told = f"{self.told(name, a.after, b.after)}, made of the same numbers"
        return self.parting("number", told, operands)


def _settings(a: Rule, b: Rule) -> Iterator[Operand]:
    for name, x in a.numbers.items():
        if name in b.numbers:
            yield Operand(name.replace("_", " "), (x, b.numbers[name]))


def _edges(recording: Recording, index: int) -> Sequence[tuple[int, int, int]]:
    """Return the edges of the pass of an event, sorted."""
    block = recording.blocks[recording.history.block_at(index)]
    assert isinstance(block, Backward), "it has a contribution"
    return sorted(edge_of(block, edge) for edge in range(block.sweep.edges))


def _sum(recording: Recording, first: int) -> int | None:
    """Return a key of the sum that a node is a term of, or None.

    It is the same for another order of terms. Nodes before this one are known by their index.
    """
    top = _top(recording, first)
    if top is None:
        return None
    keys: dict[int, int] = {}
    sums: dict[int, int] = {}

    def key(node: int) -> int:
        return keys[node] if node >= first else hash((node,))

    for index in range(first, top + 1):
        node = recording.node(index)
        if node.op is ADD:
            sums[index] = sum(sums.get(each, key(each)) for each in node.operands)
            keys[index] = hash((ADD.name, sums[index]))
        elif node.operands:
            keys[index] = hash((node.op.name, *map(key, node.operands)))
        else:
            value = recording.history.first_value(index)
            keys[index] = hash((node.op.name, node.name, value))
    return keys[top]


def _top(recording: Recording, node: int) -> int | None:
    """Return the last addition of the sum that a node goes into; None if there is no sum."""
    top = None
    while True:
        adds = recording.node(node).op is ADD
        if adds:
            top = node
        elif top is not None:
            return top
        forward = recording.history.forward_of(node)
        users = forward.users(node)
        if not users:
            return top
        node = forward.base + users[0]
