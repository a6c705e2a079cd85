"""The backward pass: which nodes take part, and the sweep that applies the chain rule.

Creation order is topological order, so sorting the ancestors of a root by creation, newest first,
is all the scheduling there is. Nothing recurses: a chain of 100,000 operations is no deeper than
one of three.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from stepgrad.engine import codegen
from stepgrad.engine.node import Node
from stepgrad.engine.ops import ADD, MUL

_Node = TypeVar("_Node", bound=Node)


def ancestors(root: _Node) -> list[_Node]:
    """Return every computed node that `root` depends on, itself included, newest first.

    Leaves and constants are not among them: they pass nothing on.
    """
    found: dict[int, _Node] = {}
    stack = [root] if root._first is not None else []
    while stack:
        node = stack.pop()
        if node._stamp in found:
            continue
        found[node._stamp] = node
        one, other = node._first, node._second
        if one is not None and one._first is not None:
            stack.append(one)
        if other is not None:
            if other._first is not None:
                stack.append(other)
        elif node._others:
            stack += [each for each in node._others if each._first is not None]
    return [found[stamp] for stamp in sorted(found, reverse=True)]


def propagate(root: Node, order: Iterable[Node]) -> None:
    """Run the chain rule over `order`, the `ancestors` of `root`.

    Every edge counts, even where the upstream gradient is 0: 0·inf is nan, and must show.
    """
    for node in order:
        node._grad = 0.0
    root._grad += 1.0  # a computed root was cleared just now; a leaf adds up over passes
    _hand_on(order)


_hand_on = codegen.hand_on(
    {op.name: dict(zip(op.operands, op.partials, strict=True)) for op in (MUL, ADD)},
    {op.name: op for op in (MUL, ADD)},
)
