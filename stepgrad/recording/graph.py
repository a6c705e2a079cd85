"""What a node of a recording is made of, as a graph of numbers (`graph_of`)."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

from stepgrad.engine.graph import Graph
from stepgrad.recording.recording import Recording


def graph_of(recording: Recording, root: int, position: int) -> tuple[Sequence[int], Graph]:
    """Return what a node is made of, itself last, and that as a graph of a position's numbers."""
    nodes = _ancestors(recording, root)
    place = {node: i for i, node in enumerate(nodes)}
    described = [recording.node(node) for node in nodes]
    values = [recording.history.value(node, position) for node in nodes]
    graph = Graph(
        [node.op for node in described],
        [tuple(place[operand] for operand in node.operands) for node in described],
        [nan if value is None else value for value in values],
    )
    return nodes, graph


def _ancestors(recording: Recording, root: int) -> list[int]:
    found, stack = {root}, [root]
    while stack:
        for operand in recording.node(stack.pop()).operands:
            if operand not in found:
                found.add(operand)
                stack.append(operand)
    return sorted(found)
