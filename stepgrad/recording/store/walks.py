"""Writing and reading the shapes of backward passes that programs run themselves.

Such a pass is stored as it went, and may go any way over the nodes that it names. What is made sure
of is that those are there.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from operator import sub
from typing import Any

from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Forward
from stepgrad.recording.foreign.sweep import ForeignSweep
from stepgrad.recording.store.form import pick
from stepgrad.recording.store.packing import Damaged
from stepgrad.recording.structure import Structure
from stepgrad.recording.sweep import stretched


def described(
    walks: Iterable[ForeignSweep],
    structures: Mapping[Structure, int],
    number: Callable[[Place], int],
) -> Iterator[dict[str, Any]]:
    """Yield the entries of walks in a manifest; places and structures have numbers."""
    for walk in walks:
        yield {
            "over": [structures[structure] for structure in walk.structures],
            "links": walk.links,
            "begins": walk.begins,
            "root": walk.root,
            "computed": walk.computed,
            "edges": walk.edges,
            "places": [number(place) for place in walk.places],
            "by_path": walk.by_path,
        }


def integers(walk: ForeignSweep) -> Iterator[int]:
    """Yield what the piece of a walk holds."""
    nodes = [(number, each) for number, offsets in walk.order for each in offsets]
    yield from (number for number, _ in nodes)
    yield from (offset for _, offset in nodes)
    yield from map(sub, walk.rules, chain((0,), walk.rules))  # they go up in small steps
    yield from walk.operand
    yield from walk.lines


def read(
    entries: Sequence[Mapping[str, Any]],
    rows: Callable[[Sequence[int]], Iterator[array[int]]],
    structures: Sequence[Structure],
    places: Sequence[Place],
) -> list[ForeignSweep]:
    """Return the walks of a file; `rows` takes a piece of rows of integers.

    Raises:
        Damaged: one of them cannot be.
    """
    walks = []
    for entry in entries:
        computed, edges = entry["computed"], entry["edges"]
        if min(computed, edges) < 0:
            raise Damaged("a backward pass has less than no edges")
        numbers, offsets, steps, operand, lines = rows([computed] * 2 + [edges] * 2 + [1 + edges])
        over = tuple([pick("structures", structures, number) for number in entry["over"]])
        nodes = [*zip(numbers, offsets, strict=True)]
        known = tuple([pick("places", places, place) for place in entry["places"]])
        rules = [*accumulate(steps)]
        _check(over, entry, nodes, zip(rules, operand, strict=True))
        if not all(0 <= line < len(known) for line in lines):
            raise Damaged("it does not say where a gradient was written")
        walk = ForeignSweep(
            over,
            _linked(over, entry["links"]),
            entry["root"],
            edges,
            order=stretched(nodes),
            begins=entry["begins"],
            rules=array("i", rules),
            operand=array("i", operand),
            places=known,
            lines=array("i", lines),
            by_path=entry["by_path"],
        )
        walks.append(walk)
    return walks


def _linked(
    over: Sequence[Structure], links: Sequence[Sequence[int] | None]
) -> tuple[tuple[int, ...] | None, ...]:
    """Return which passes use which others; each is older than those that use it."""
    fits = len(links) == len(over) and all(
        len(row) == len(structure.firsts) and all(to == -1 or which < to < len(over) for to in row)
        for which, (structure, row) in enumerate(zip(over, links, strict=True))
        if row is not None
    )
    if not fits:
        raise Damaged("a backward pass goes over passes that it does not know")
    return tuple([None if row is None else tuple(row) for row in links])


def _check(
    over: Sequence[Structure],
    entry: Mapping[str, Any],
    nodes: Sequence[tuple[int, int]],
    edges: Iterable[tuple[int, int]],
) -> None:
    """Make sure that all nodes of a walk are there, and that it knows which are computed."""
    links = _linked(over, entry["links"])
    computed = {*nodes}
    operands = []
    for number, offset in nodes:
        if not _is_node(over, number, offset) or not over[number].op(offset).partials:
            raise Damaged("a backward pass computes other nodes than there are")
        operands.append([*_operands(over[number], number, links[number], offset)])
    ends = [
        operands[out][slot]
        for out, slot in edges
        if 0 <= out < len(operands) and 0 <= slot < len(operands[out])
    ]
    met = [(entry["begins"], entry["root"]), *ends]
    if (
        len(ends) != entry["edges"]
        or len(computed) != len(nodes)
        or not all(
            _is_node(over, *node) and (node in computed or not over[node[0]].op(node[1]).partials)
            for node in {*met}
        )
    ):
        raise Damaged("a backward pass reaches a node that does not exist")


def _is_node(over: Sequence[Structure], number: int, offset: int) -> bool:
    return 0 <= number < len(over) and 0 <= offset < len(over[number])


def _operands(
    structure: Structure, number: int, links: Sequence[int] | None, offset: int
) -> Iterator[tuple[int, int]]:
    """Yield the passes and offsets of a node's operands; pass −1 where that is not known."""
    for ref in structure.operands(offset):
        if ref >= 0:
            yield number, ref
        else:
            earlier, at = structure.outer[~ref]
            yield -1 if links is None else links[earlier], at


def passed_over(
    walk: ForeignSweep, forwards: Sequence[Forward], back: Sequence[int]
) -> tuple[Forward, ...]:
    """Return the forward passes that a walk goes over: for each, how many before the latest it is.

    Raises:
        Damaged: they do not hang together as those of the walk do.
    """
    over = tuple([pick("blocks", forwards, len(forwards) - 1 - each) for each in back])
    bases = [each.base for each in over]
    fits = (
        bases == sorted({*bases}, reverse=True)
        and tuple([each.structure for each in over]) == walk.structures
        and all(
            to == -1 or over[to] is earlier
            for row, forward in zip(walk.links, over, strict=True)
            for to, earlier in zip(row or (), forward.earlier, strict=False)
        )
    )
    if not fits:
        raise Damaged("a backward pass goes over the wrong nodes")
    return over
