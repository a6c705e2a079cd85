"""Step 3: the row of every vertex, so that wires run straight and the drawing stays low.

In each layer the order is given, so the best rows for fixed neighbours are a median regression
under order constraints, which merging of blocks solves exactly (pool adjacent violators, for the
sum of absolute bends). Medians keep rows whole and most wires dead straight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stepgrad.drawing.layered.vertices import Link, Vertex

ROUNDS = 3
"""Sweeps in each direction; more of them change little."""

Wish = tuple[int, int]
"""A row that a vertex would like to have, and how much it matters."""


def place(layers: Sequence[Sequence[Vertex]]) -> None:
    """Set `y` of every vertex; no two vertices of a layer share a row."""
    stacks = [(layer, _stacked(layer)) for layer in layers]
    for layer, offsets in stacks:
        for vertex, offset in zip(layer, offsets, strict=True):
            vertex.y = offset
    for step in range(2 * ROUNDS):
        last = step >= 2 * ROUNDS - 2
        for layer, offsets in stacks if step % 2 == 0 else reversed(stacks):
            _settle(layer, offsets, fed=last or step % 2 == 0, feeds=last or step % 2 == 1)
    _squeeze(layers)


def _stacked(layer: Sequence[Vertex]) -> list[int]:
    """The rows of a layer's vertices when each is right below the one before."""
    rows: list[int] = []
    y = 0
    for index, vertex in enumerate(layer):
        if index and (vertex.framed or layer[index - 1].framed):
            y += 1
        rows.append(y)
        y += vertex.height
    return rows


@dataclass(slots=True)
class _Block:
    """Vertices that touch and so move as one; `row` is the one that suits their wishes best."""

    wishes: list[Wish]
    size: int
    row: int = 0

    def settle(self) -> None:
        """Move to the weighted median of the wishes, the lower one if two will do."""
        half = sum([weight for _, weight in self.wishes]) / 2
        for row, weight in self.wishes:
            half -= weight
            if half <= 0:
                self.row = row
                return


def _settle(layer: Sequence[Vertex], offsets: Sequence[int], *, fed: bool, feeds: bool) -> None:
    """Give a layer the rows that bend its links least, the neighbours being where they are."""
    blocks: list[_Block] = []
    for vertex, offset in zip(layer, offsets, strict=True):
        wishes = _wishes(vertex, fed=fed, feeds=feeds)
        block = _Block(sorted((row - offset, weight) for row, weight in wishes), 1)
        block.settle()
        while blocks and blocks[-1].row > block.row:
            above = blocks.pop()
            block = _Block(sorted(above.wishes + block.wishes), above.size + block.size)
            block.settle()
        blocks.append(block)
    rows = (block.row for block in blocks for _ in range(block.size))
    for vertex, offset, row in zip(layer, offsets, rows, strict=True):
        vertex.y = offset + row


def _wishes(vertex: Vertex, *, fed: bool, feeds: bool) -> list[Wish]:
    tails = [(link.start - vertex.entries[link.slot], _weight(link)) for link in vertex.fed if fed]
    heads = [(link.end - vertex.exit, _weight(link)) for link in vertex.feeds if feeds]
    return tails + heads or [(vertex.y, 1)]


def _weight(link: Link) -> int:
    """A lane should run straight; a leaf can be moved, so its wish counts for little."""
    if link.tail.item is None:
        return 8 if link.head.item is None else 4
    return 4 if link.tail.fed else 1


def _squeeze(layers: Sequence[Sequence[Vertex]]) -> None:
    """Remove the rows that no layer uses."""
    vertices = [vertex for layer in layers for vertex in layer]
    used = {
        row
        for vertex in vertices
        for row in range(vertex.y - vertex.framed, vertex.y + vertex.height)
    }
    rank = {row: index for index, row in enumerate(sorted(used))}
    top = min((rank[vertex.y] for vertex in vertices), default=0)
    for vertex in vertices:
        vertex.y = rank[vertex.y] - top
