"""Graphs to be drawn: the standard ones, and any small one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import strategies as st

from stepgrad.drawing.layout import Item

Graph = Sequence[tuple[str, tuple[int, ...]]]
"""The name and the operands of each node, in creation order."""


class Builder:
    """A graph under construction; every call makes one node and gives its key."""

    def __init__(self) -> None:
        self.nodes: list[tuple[str, tuple[int, ...]]] = []

    def __call__(self, name: str, *operands: int) -> int:
        self.nodes.append((name, operands))
        return len(self.nodes) - 1


def chain() -> Graph:
    node = Builder()
    node("L", node("z2", node("h", node("z1"))))
    return node.nodes


def square() -> Graph:
    node = Builder()
    x = node("x")
    node("y", x, x)
    return node.nodes


def sum_over_paths() -> Graph:
    node = Builder()
    two, h = node("2"), node("h")
    z1, z2 = node("z1", two, h), node("z2", h)
    node("L", node("z1²", z1), node("z2²", z2))
    return node.nodes


def two_layer() -> Graph:
    node = Builder()
    x, w1, b1, w2, b2, target = (node(name) for name in ("x", "w1", "b1", "w2", "b2", "t"))
    h = node("h", node("z1", node("m1", w1, x), b1))
    y = node("y", node("m2", w2, h), b2)
    node("L", node("d", y, target))
    return node.nodes


def mlp(rows: int, sizes: Sequence[int] = (2, 4, 4, 1)) -> Graph:
    node = Builder()
    layers = [
        [(node("b"), [node("w") for _ in range(inputs)]) for _ in range(outputs)]
        for inputs, outputs in pairwise(sizes)
    ]
    losses = []
    for _ in range(rows):
        activations = [node("x") for _ in range(sizes[0])]
        for layer in layers:
            outputs = []
            for bias, weights in layer:
                total = bias
                for weight, activation in zip(weights, activations, strict=True):
                    total = node("+", total, node("*", weight, activation))
                outputs.append(node("tanh", total))
            activations = outputs
        losses.append(node("²", node("-", activations[0], node("t"))))
    total = losses[0]
    for loss in losses[1:]:
        total = node("+", total, loss)
    return node.nodes


def fan_out(count: int = 40) -> Graph:
    node = Builder()
    source = node("y", node("x"))
    for _ in range(count):
        node("z", source)
    return node.nodes


def fan_in(count: int = 30) -> Graph:
    node = Builder()
    total = node("x")
    for _ in range(count):
        total = node("+", total, node("x"))
    return node.nodes


def disconnected() -> Graph:
    node = Builder()
    a, _, d = node("a"), node("b"), node("d")
    node("c", a)
    node("e", d, d)
    node("f")
    return node.nodes


STANDARD = {
    "chain": chain(),
    "square": square(),
    "sum_over_paths": sum_over_paths(),
    "two_layer": two_layer(),
    "mlp, one row": mlp(1),
    "mlp, four rows": mlp(4),
    "fan out": fan_out(),
    "fan in": fan_in(),
    "disconnected": disconnected(),
    "nothing": (),
}


def items_of(graph: Graph, height: int = 1, label_width: int = 5) -> list[Item]:
    return [
        Item(key, operands, max(3, len(name) + 2), height, label_width)
        for key, (name, operands) in enumerate(graph)
    ]


@st.composite
def dags(draw: st.DrawFn) -> list[Item]:
    """Small graphs of nodes with up to three operands, some of them out of view, of any size."""
    items: list[Item] = []
    for key in range(draw(st.integers(1, 16))):
        operands = draw(st.lists(st.integers(-1, key - 1), max_size=3))
        width, height = draw(st.integers(3, 9)), draw(st.integers(1, 5))
        items.append(Item(key, tuple(operands), width, height, draw(st.integers(0, 5))))
    return items
