"""The edges between a node and the output: those of all paths from the one to the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stepgrad.recording.blocks import Forward
from stepgrad.recording.recording import Recording

_Marks = dict[int, bytearray]
"""For each forward pass, by its base: for each ref there, whether it leads on from the node."""


class Edge(NamedTuple):
    """An operand of a node: `out` was computed from `operand`, its operand number `slot`."""

    out: int
    slot: int
    operand: int


def between(recording: Recording, root: int, node: int) -> Sequence[Edge]:
    """Return the edges of all paths from a node to a root, those into the newest nodes first.

    Empty where no path leads from the node to the root.
    """
    forwards = _between(recording, root, node)
    marks = _leading(forwards, node)
    return [*_walked(forwards, marks, root)]


def _between(recording: Recording, root: int, node: int) -> Sequence[Forward]:
    """Return the forward passes that a path may lead through, the newest first."""
    oldest = recording.history.forward_of(node).base
    found: dict[int, Forward] = {}
    stack = [recording.history.forward_of(root)]
    while stack:
        forward = stack.pop()
        if forward.base >= oldest and forward.base not in found:
            found[forward.base] = forward
            stack += forward.earlier
    return [found[base] for base in sorted(found, reverse=True)]


def _leading(forwards: Sequence[Forward], node: int) -> _Marks:
    """Mark the node, and everything that is computed from it."""
    marks: _Marks = {}
    for forward in reversed(forwards):
        structure = forward.structure
        marked = bytearray(len(structure))
        for number, offset in reversed(structure.outer):  # `~k` counts from the end
            before = marks.get(forward.earlier[number].base)
            marked.append(0 if before is None else before[offset])
        if forward.base <= node < forward.end:
            marked[node - forward.base] = 1
        if any(marked):
            for owner, ref in zip(structure.owners, structure.refs, strict=True):
                if marked[ref]:
                    marked[owner] = 1
        marks[forward.base] = marked
    return marks


def _walked(forwards: Sequence[Forward], marks: _Marks, root: int) -> Iterator[Edge]:
    """Yield the edges between marked nodes that the root depends on."""
    wanted = {root}
    for forward in forwards:
        marked, base = marks[forward.base], forward.base
        for offset in range(len(forward.structure) - 1, -1, -1):
            if marked[offset] and base + offset in wanted:
                for slot, ref in enumerate(forward.structure.operands(offset)):
                    if marked[ref]:
                        operand = forward.node(ref)
                        wanted.add(operand)
                        yield Edge(base + offset, slot, operand)
