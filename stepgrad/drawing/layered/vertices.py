"""Step 1: from nodes to vertices in layers, with a lane wherever a wire passes a layer.

Every link joins two neighbouring layers, so that the later steps look at one gap at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

NEAR_STEPS = 16
"""Uses of a leaf this close in reading order share one box, so that one sees paths part."""

NEAR_LAYERS = 3
"""Uses of a leaf in layers further apart than this get a box each, so that wires stay short."""

STACK = 3
"""How many leaves are below each other where there are only leaves."""


class Item(NamedTuple):
    """A node to be placed.

    `operands` are keys in operand order; a key may repeat (`x*x`), and a key that is not among the
    items is drawn as an open end. `width` (2 or more) and `height` are the box in cells, borders
    included; a box of one or two rows is slim: it has no top and bottom edge. A box too low for its
    operands is made higher, since each operand enters at a row of its own. `label_width` is the
    room that every wire into the box keeps free for its label.
    """

    key: int
    operands: tuple[int, ...]
    width: int
    height: int
    label_width: int = 6


@dataclass(slots=True, eq=False)
class Vertex:
    """A box of the drawing or, without an item, the one cell of a lane that passes a layer."""

    item: Item | None
    layer: int
    number: int
    height: int = 1
    entries: tuple[int, ...] = (0,)
    index: int = 0
    y: int = 0
    fed: list[Link] = field(default_factory=list)
    feeds: list[Link] = field(default_factory=list)

    @property
    def exit(self) -> int:
        """The row, counted from the top of the vertex, at which its result leaves."""
        return (self.height - 1) // 2

    @property
    def framed(self) -> bool:
        """Whether the box has a top and a bottom edge."""
        return self.height > 2


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """The passage of a wire from one layer to the next; `slot` counts the entries of the head."""

    tail: Vertex
    head: Vertex
    slot: int = 0

    @property
    def start(self) -> int:
        """The row of the drawing at which the link leaves its tail."""
        return self.tail.y + self.tail.exit

    @property
    def end(self) -> int:
        """The row of the drawing at which the link enters its head."""
        return self.head.y + self.head.entries[self.slot]


Use = tuple[int, int, int]
"""A place where a node is used: its number in reading order, the consumer's key, the slot."""


def build(items: Sequence[Item]) -> list[list[Vertex]]:
    """Layers of linked vertices, left to right, each layer in reading order.

    Raises ValueError if a key repeats, or if a node comes before one of its operands.
    """
    numbers, uses = _reading_order(items)
    layer = _latest_layers(items, uses)
    boxes: list[Vertex] = []
    sources: dict[tuple[int, int], Vertex] = {}
    for item in items:
        groups = [uses[item.key]] if item.operands else _near(uses[item.key], layer)
        for group in groups:
            number, place = numbers[item.key], layer[item.key]
            if group and not item.operands:
                number = group[0][0]
                place = min(layer[consumer] for _, consumer, _ in group) - 1
            boxes.append(_box(item, place, number))
            sources |= {(consumer, slot): boxes[-1] for _, consumer, slot in group}
    lanes = _connect(boxes, sources)
    layers: list[list[Vertex]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for vertex in sorted(boxes + lanes, key=lambda vertex: vertex.number):
        layers[vertex.layer].append(vertex)
    return layers


def _reading_order(items: Sequence[Item]) -> tuple[dict[int, int], dict[int, list[Use]]]:
    """Number the nodes, and the uses of each, as one reads an expression: operands first.

    A depth-first walk from the results leaves every tree of the graph in one piece, which is the
    order without crossings if the graph is a tree.
    """
    known = _checked(items)
    used = {operand for item in items for operand in item.operands}
    numbers: dict[int, int] = {}
    uses: dict[int, list[Use]] = {item.key: [] for item in items}
    clock = 0
    pending: list[tuple[int, tuple[int, int] | None]] = [
        (item.key, None) for item in reversed(items) if item.key not in used
    ]
    entered: set[int] = set()
    while pending:
        key, use = pending[-1]
        if key not in entered:
            entered.add(key)
            operands = [
                (operand, (key, slot))
                for slot, operand in enumerate(known[key].operands)
                if operand in known
            ]
            pending += reversed(operands)
            continue
        pending.pop()
        clock += 1
        numbers.setdefault(key, clock)
        if use is not None:
            uses[key].append((clock, *use))
    return numbers, uses


def _checked(items: Sequence[Item]) -> dict[int, Item]:
    """The items by their keys, if they come in an order in which they could have been made."""
    known: dict[int, Item] = {}
    keys = {item.key for item in items}
    for item in items:
        if item.key in known:
            raise ValueError(f"node {item.key} is given twice")
        known[item.key] = item
        late = [operand for operand in item.operands if operand in keys and operand not in known]
        if late or item.key in item.operands:
            raise ValueError(f"node {item.key} comes before its operand {(late or [item.key])[0]}")
    return known


def _latest_layers(items: Sequence[Item], uses: dict[int, list[Use]]) -> dict[int, int]:
    """Put a result as far right as its longest path, and all else next to its first consumer.

    Where nothing leads anywhere, a few in each layer keep the drawing low.
    """
    if not any(item.operands for item in items):
        return {item.key: number // STACK for number, item in enumerate(items)}
    layer: dict[int, int] = {}
    for item in items:
        layer[item.key] = 1 + max((layer.get(operand, -1) for operand in item.operands), default=-1)
    for item in reversed(items):
        if uses[item.key]:
            layer[item.key] = min(layer[consumer] for _, consumer, _ in uses[item.key]) - 1
    return layer


def _near(uses: list[Use], layer: Mapping[int, int]) -> list[list[Use]]:
    """Group the uses of a leaf: each group is served by one box, near to its consumers."""
    groups = [uses[:1]]
    for (before, neighbour, _), use in pairwise(uses):
        number, consumer, _ = use
        far = number - before > NEAR_STEPS
        if far or abs(layer[consumer] - layer[neighbour]) > NEAR_LAYERS:
            groups.append([])
        groups[-1].append(use)
    return groups


def _box(item: Item, layer: int, number: int) -> Vertex:
    """Spread the entries over the rows inside the borders, the first operand at the top."""
    count = len(item.operands)
    height = max(item.height, count if count <= 2 else count + 2)
    if height > 2:
        height = max(height, count + 2)
    top, bottom = (0, height - 1) if height <= 2 else (1, height - 2)
    if count == 1:
        entries: tuple[int, ...] = ((height - 1) // 2,)
    else:
        entries = tuple(top + slot * (bottom - top) // (count - 1) for slot in range(count))
    return Vertex(item, layer, number, height, entries)


def _connect(boxes: Sequence[Vertex], sources: Mapping[tuple[int, int], Vertex]) -> list[Vertex]:
    """Link the boxes; wires of one source share its lanes, so that it has one trunk in each gap."""
    lanes: list[Vertex] = []
    chains: dict[Vertex, list[Vertex]] = {}
    for head in boxes:
        assert head.item is not None
        for slot in range(len(head.item.operands)):
            source = sources.get((head.item.key, slot))
            if source is None:
                continue
            chain = chains.setdefault(source, [source])
            while chain[-1].layer < head.layer - 1:
                lane = Vertex(None, chain[-1].layer + 1, source.number)
                _link(chain[-1], lane, 0)
                chain.append(lane)
                lanes.append(lane)
            _link(chain[head.layer - 1 - source.layer], head, slot)
    return lanes


def _link(tail: Vertex, head: Vertex, slot: int) -> None:
    link = Link(tail, head, slot)
    tail.feeds.append(link)
    head.fed.append(link)
