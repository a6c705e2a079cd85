"""Why two recordings part (`part`): another input, another operation, another number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from stepgrad.diagnosis.parting.first import edge_of, first_difference
from stepgrad.engine.ops import ADD
from stepgrad.engine.tape import Rule
from stepgrad.numbers import corrected, exact, number
from stepgrad.recording import events
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.difference import Change, alike
from stepgrad.replay.telling.derivatives import derivative, partial_at
from stepgrad.replay.telling.titles import definition, gradient_title, short_title, title

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


IN_A_AND_B = "in A", "in B"


def part(
    first: Recording, second: Recording, sides: tuple[str, str] = IN_A_AND_B
) -> Parting | None:
    """Return where and why two recordings part; None if they are the same to the end.

    `sides` are the words for them in its text: `x is 2 in A and 3 in B`.
    """
    index = first_difference(first, second)
    if index is None:
        return None
    for side, recording in zip(sides, (first, second), strict=True):
        if index >= recording.length:
            return Parting(index + 1, "end", f"no more events {side}")
    a, b = first.events[index], second.events[index]
    pair = _Pair(first, second, index, sides)
    match a, b:
        case events.Leaf(), events.Leaf():
            return pair.came_in(a, b)
        case events.Op(), events.Op():
            return pair.made(a, b)
        case events.Accumulate(), events.Accumulate():
            return pair.received(a, b)
        case events.Update(), events.Update() if a.node == b.node:
            return pair.written(a, b)
        case events.SetGrad(), events.SetGrad() if a.node == b.node:
            return pair.written(a, b)
    kinds = pair.kind(first, a), pair.kind(second, b)
    return pair.parting("event", f"{sides[0]}: {kinds[0]}; {sides[1]}: {kinds[1]}")


_KINDS: Mapping[type[events.Event], str] = {
    events.Leaf: "{} comes in",
    events.Op: "{} is computed",
    events.Seed: "a backward pass starts at {}",
    events.Accumulate: "{}.grad receives a contribution",
    events.ZeroGrad: "{}.grad is cleared",
    events.SetGrad: "{}.grad is set",
    events.Update: "{} is updated",
}


@dataclass(frozen=True, slots=True)
class _Pair:
    """An event of two recordings that are the same before it."""

    first: Recording
    second: Recording
    index: int
    sides: tuple[str, str]

    def parting(self, reason: Reason, text: str, operands: Sequence[Operand] = ()) -> Parting:
        return Parting(self.index + 1, reason, text, operands)

    def both(self, name: str, a: float | None, b: float | None) -> str:
        """Say a number in both recordings, with as many digits as it takes to tell them apart."""
        texts = ["–" if x is None else number(x) for x in (a, b)]
        if texts[0] == texts[1]:
            texts = ["–" if x is None else exact(x) for x in (a, b)]
        return f"{name} is {self.sided(*texts)}"

    def sided(self, *texts: str) -> str:
        """Say what is on each side: `2 in A and 3 in B`."""
        return " and ".join(f"{text} {side}" for text, side in zip(texts, self.sides, strict=True))

    def kind(self, recording: Recording, event: events.Event) -> str:
        """Say what happens."""
        if isinstance(event, events.Mark):
            parts = event.kind, event.number, "begins"
            return " ".join(str(each) for each in parts if each not in ("", None))
        return _KINDS[type(event)].format(title(recording, event.node))

    def came_in(self, a: events.Leaf, b: events.Leaf) -> Parting:
        """Say which input or parameter is another."""
        names = title(self.first, a.node), title(self.second, b.node)
        if names[0] == names[1]:
            if alike(a.value, b.value):
                text = self.both(f"the tangent of {names[0]}", a.tangent, b.tangent)
            else:
                text = self.both(names[0], a.value, b.value)
        else:
            numbers = number(a.value), number(b.value)
            text = self.sided(*(f"{name} is {x}" for name, x in zip(names, numbers, strict=True)))
        return self.parting("input", text)

    def made(self, a: events.Op, b: events.Op) -> Parting:
        """Say why a node is another: another operation, other operands, or another number."""
        if a.op.usual != b.op.usual or a.operands != b.operands:
            made = (self.first, a.node), (self.second, b.node)
            shared = min(a.node, b.node)
            keys = [_sum(*each, shared) for each in made]
            if keys[0] == keys[1] is not None:
                return self.parting("order", "the same terms are added in another order")
            return self.parting("operation", self.sided(*(_defined(*each) for each in made)))
        operands = [Operand(title(self.first, node), self._values(node, 1)) for node in a.operands]
        other = [each for each in operands if not alike(*each.numbers)]
        if other:  # a constant: whatever has an event is the same
            name = title(self.first, a.node)
            text = self.both("the constant", *other[0].numbers)
            return self.parting("input", f"in {name}, {text}", operands)
        name, numbers = title(self.first, a.node), (a.value, b.value)
        if alike(*numbers):
            name, numbers = f"the tangent of {name}", (a.tangent or 0.0, b.tangent or 0.0)
        text = f"{self.both(name, *numbers)}, made of the same numbers"
        return self.parting("number", text, operands)

    def _values(self, node: int, later: int = 0) -> Change:
        """The value of a node in both, before the event, or some events later."""
        position = self.index + later
        a, b = (each.history.value(node, position) for each in (self.first, self.second))
        return a, b

    def _gradients(self, node: int, later: int = 0) -> Change:
        """The gradient of a node in both, before the event, or some events later."""
        position = self.index + later
        a, b = (each.history.grad(node, position) for each in (self.first, self.second))
        return a, b

    def received(self, a: events.Accumulate, b: events.Accumulate) -> Parting:
        """Say why a gradient receives something else."""
        if (a.out, a.slot, a.node) != (b.out, b.slot, b.node):
            edges = [_edges(each, self.index) for each in (self.first, self.second)]
            if edges[0] == edges[1]:
                return self.parting("order", "the same contributions come in another order")
            names = [partial_at(self.first, a.out, a.slot), partial_at(self.second, b.out, b.slot)]
            return self.parting("operation", f"the backward pass goes over {self.sided(*names)}")
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
            return self.parting("number", self.both(other[0].name, *other[0].numbers), operands)
        worlds = self.first.world, self.second.world
        for world, side in zip(worlds, self.sides, strict=True):
            if world is not None and world.overwrites and alike(a.contribution, b.contribution):
                text = self.both(grad, a.after, b.after)
                text = f"{text}: {side}, a contribution replaces what was there"
                return self.parting("number", text, operands)
        text = f"{self.both(grad, *self._gradients(a.node, 1))}, made of the same numbers"
        for event, side in zip((a, b), self.sides, strict=True):
            if event.total is not None:
                left = corrected(event.after, event.total)
                text = f"{text}: {side}, a contribution replaces what was there: {left}"
            elif event.right is not None:
                text = f"{text}: {side}, it receives {corrected(event.contribution, event.right)}"
        return self.parting("number", text, operands)

    def written(
        self, a: events.Update | events.SetGrad, b: events.Update | events.SetGrad
    ) -> Parting:
        """Say why something else is written."""
        called = gradient_title if isinstance(a, events.SetGrad) else title
        name = called(self.first, a.node)
        if a.rule is None or b.rule is None or a.rule.method != b.rule.method:
            ways = ["by hand" if each is None else f"by {each.method}" for each in (a.rule, b.rule)]
            if ways[0] == ways[1]:
                return self.parting("number", self.both(name, a.after, b.after))
            return self.parting("operation", f"{name} is written {self.sided(*ways)}")
        operands = [
            Operand(short_title(self.first, a.node), self._values(a.node)),
            Operand("gradient", self._gradients(a.node)),
            *_settings(a.rule, b.rule),
        ]
        other = [each for each in operands if not alike(*each.numbers)]
        if other:
            return self.parting("input", self.both(other[0].name, *other[0].numbers), operands)
        text = f"{self.both(name, a.after, b.after)}, made of the same numbers"
        return self.parting("number", text, operands)


def _settings(a: Rule, b: Rule) -> Iterator[Operand]:
    for name, x in a.numbers.items():
        if name in b.numbers:
            yield Operand(name.replace("_", " "), (x, b.numbers[name]))


def _edges(recording: Recording, index: int) -> Sequence[tuple[int, int, int]]:
    """Return the edges of the pass of an event, sorted."""
    block = recording.blocks[recording.history.block_at(index)]
    assert isinstance(block, Backward), "it has a contribution"
    return sorted(edge_of(block, edge) for edge in range(block.sweep.edges))


def _defined(recording: Recording, index: int) -> str:
    """Say what a node is: `z = w·x`, or `w·x` if it has no name."""
    node = recording.node(index)
    return " = ".join(filter(None, (node.name, definition(recording, node))))


def _sum(recording: Recording, first: int, shared: int) -> int | None:
    """Return a key of the sum that a node is a term of, or None.

    It is the same for another order of terms. The first `shared` nodes are known by their index.
    """
    top = _top(recording, first)
    if top is None:
        return None
    keys: dict[int, int] = {}
    sums: dict[int, int] = {}

    def key(node: int) -> int:
        if recording.is_constant(node):
            return hash((recording.history.first_value(node),))
        return keys[node] if node >= shared else hash(("shared", node))

    for index in range(shared, top + 1):
        node = recording.node(index)
        if node.op is ADD:
            sums[index] = sum(sums.get(each, key(each)) for each in node.operands)
            keys[index] = hash((ADD.name, sums[index]))
        elif node.operands:
            keys[index] = hash((node.op.name, *map(key, node.operands)))
        else:
            value = recording.history.first_value(index)
            keys[index] = hash((node.op.name, node.label, value))
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
