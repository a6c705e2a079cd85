"""From the children of an object to a node with an operation and operands (`Computing`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan
from typing import NamedTuple

from stepgrad.engine.node import tick
from stepgrad.engine.ops import CONSTANT, LEAF
from stepgrad.engine.own import OwnOp, link, row
from stepgrad.foreign.classes import Kind
from stepgrad.foreign.door import Door
from stepgrad.foreign.makers import Call, Recipe, gives, operation, resolve
from stepgrad.foreign.nodes import Shadow, as_float
from stepgrad.foreign.numeric import UNKNOWN, Forward
from stepgrad.foreign.sites import Key, MakingSite
from stepgrad.recording.naming.paths import Where

_new = object.__new__


class Made(NamedTuple):
    """What is known of an object that was computed.

    Args:
        node: what stands in for it; it has its number.
        cls: its class.
        kind: where this keeps its numbers.
        kids: its children.
        ordered: whether their order means something.
        symbol: the text that it has for its operation.
        calls: those that made it, from the innermost, if they had to be looked at.
        callers: what the calls are known by.
        site: the instruction that made it; None if no code of the program did.
        where: where the program made it.
        stored: the numbers that it keeps besides its own: local derivatives, perhaps.
    """

    node: Shadow
    cls: type
    kind: Kind
    kids: Sequence[Shadow]
    ordered: bool
    symbol: str
    calls: Sequence[Call]
    callers: object
    site: MakingSite | None
    where: Where | None
    stored: Sequence[float] = ()


class Computing:
    """Finds out how objects were computed, and reports their nodes.

    Args:
        door: what they are reported to.
        apart: runs a function of the program without looking at what it makes.
    """

    def __init__(self, door: Door, apart: Callable[[Callable[[], list[float]]], list[float]]):
        self._door = door
        self._apart = apart
        self._rows: dict[tuple[str, int, str], OwnOp] = {}

    def compute(self, made: Made) -> None:
        """Report the node of an object."""
        node, site = made.node, made.site
        key = _key(made)
        recipe = None if site is None else site.recipes.get(key)
        operands = None if recipe is None else _picked(recipe, made)
        if recipe is None or operands is None or not _fits(recipe, operands, made):
            label = made.symbol or _meant(made.cls)
            recipe, operands = resolve(node._data, made.kids, made.ordered, label, made.calls)
            if site is not None:
                site.learn(key, recipe)
        if recipe.op is None:
            self._own(made, key, recipe, [each for each in operands if isinstance(each, Shadow)])
            return
        nodes = [self.constant(e, made.where) if isinstance(e, float) else e for e in operands]
        fixed = [slot for slot, each in enumerate(nodes) if each._operation is CONSTANT]
        node._operation = recipe.op.beside(*fixed) if fixed else recipe.op
        node._first = nodes[0]
        node._second = nodes[1] if len(nodes) > 1 else None
        node._stamp = tick()
        self._door.made_at(node, made.where)

    def _own(self, made: Made, key: Key, recipe: Recipe, operands: Sequence[Shadow]) -> None:
        """Report a node of an operation of the program's own, with its local derivatives."""
        node = made.node
        local, by = self._derivatives(made, key, recipe, operands)
        what = recipe.name, len(operands), by
        known = self._rows.get(what)
        op = known or self._rows.setdefault(what, row(recipe.name, len(operands), by=by))
        link(node, op, operands, local)
        node._stamp = tick()
        self._door.made_at(node, made.where)
        if known is None:
            line = None if made.where is None else made.where.site.spot
            self._door.remark(by, node, line, recipe.name)

    def _derivatives(
        self, made: Made, key: Key, recipe: Recipe, operands: Sequence[Shadow]
    ) -> tuple[Sequence[float], str]:
        """Return the local derivatives, and how they are known."""
        site = made.site
        known = None if site is None or made.calls else site.trusted.get(key)
        if known is not None:
            return known.stored(made.stored, len(operands)), known.by
        if site is None or not made.calls:
            return [nan] * len(operands), UNKNOWN
        call = made.calls[recipe.depth]
        forward = site.forwards.get((call.code, call.name))
        if forward is None:
            forward = Forward(call, made.cls, made.kind)
            site.forwards[call.code, call.name] = forward
        local = self._apart(lambda: forward.derivatives(call, operands, made.node._data))
        if recipe.from_children is not None and forward.agrees(local, made.stored):
            site.trusted[key] = forward
        else:
            site.trusted.pop(key, None)
        return local, forward.by

    def constant(self, data: float, where: Where | None) -> Shadow:
        """Report a number that is an operand."""
        node = _new(Shadow)
        node._data, node._grad = data, 0.0
        node._operation = CONSTANT
        node._first = node._second = None
        node._stamp = tick()
        self._door.made_at(node, where)
        return node


def _meant(cls: type) -> str:
    """Return the operation that a class is named after, such as `Sigmoid`; empty for others."""
    name = cls.__name__.lower()
    return "" if operation(name)[0] is LEAF else name


def _key(made: Made) -> Key:
    return made.symbol, len(made.kids), made.callers


def _fits(recipe: Recipe, operands: Sequence[Shadow | float], made: Made) -> bool:
    if recipe.op is None:  # not if its calls had to be looked at
        return not made.calls
    return recipe.certain or gives(recipe.op, operands, made.node._data)


def _picked(recipe: Recipe, made: Made) -> list[Shadow | float] | None:
    """Return the operands that a recipe picks; None if they are not there."""
    if recipe.picks is None:
        return None
    found: list[Shadow | float] = []
    for pick in recipe.picks:
        if isinstance(pick, int):
            found.append(made.kids[pick])
            continue
        each = made.calls[recipe.depth].arguments[pick] if made.calls else None
        plain = each if isinstance(each, Shadow) else as_float(each)
        if plain is None:
            return None
        found.append(plain)
    return found
