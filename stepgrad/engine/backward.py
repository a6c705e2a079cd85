"""The backward pass: which nodes take part, and the sweep that applies the chain rule.

Creation order is topological order, so sorting the ancestors of a root by creation, newest first,
is all the scheduling there is. Nothing recurses: a chain of 100,000 operations is no deeper than
one of three.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from stepgrad.engine.node import Node

_Node = TypeVar("_Node", bound=Node)


def ancestors(root: _Node) -> list[_Node]:
    """Return every computed node that `root` depends on, itself included, newest first.

    Leaves and constants are not among them: they pass nothing on.
    """
    found = {root._stamp: root}
    stack = [root]
    while stack:
        node = stack.pop()
        second = node._second
        for operand in (node._first, *node._others) if second is None else (node._first, second):
            if operand is not None and operand._stamp not in found:
                found[operand._stamp] = operand
                if operand._first is not None:
                    stack.append(operand)
    newest_first = sorted(found, reverse=True)
    return [found[stamp] for stamp in newest_first if found[stamp]._first is not None]


def propagate(root: Node, order: Iterable[Node]) -> None:
    """Run the chain rule over `order`, the `ancestors` of `root`.

    Every edge counts, even where the upstream gradient is 0: 0·inf is nan, and must show.
    """
    for node in order:
        node._grad = 0.0
    root._grad += 1.0  # a computed root was cleared just now; a leaf adds up over passes
    for node in order:
        node._operation.vjp(node)
