"""The graph of a position as JSON, for other programs."""

from __future__ import annotations

from typing import Any

from stepgrad.numbers import for_json
from stepgrad.printable import as_json
from stepgrad.replay.graph.contents import Node
from stepgrad.replay.graph.picture import Edge, Picture


def graph_json(picture: Picture, snapshot: dict[str, Any]) -> str:
    """Write what `stepgrad replay --json` reports on a position, and all nodes and edges.

    A node has an `index`, which never changes, `name`, `title` (its name in narrations),
    `formula`, `scope`, and the numbers `value`, `tangent` and `grad`. An edge leads from node
    `operand` to node `out`, as its operand number `slot`, with the `local` derivative and its
    `stage`: waiting, forward, tangent, backward or current. What does not exist yet is null.
    """
    described = snapshot | {
        "nodes": [_node(node) for node in picture.nodes],
        "edges": [_edge(edge) for edge in picture.edges],
    }
    return f"{as_json(described)}\n"


def _node(node: Node) -> dict[str, Any]:
    return {
        "index": node.index,
        "name": node.name,
        "title": node.title,
        "formula": node.formula,
        "scope": node.scope,
        "value": for_json(node.value),
        "tangent": for_json(node.tangent),
        "grad": for_json(node.grad),
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "operand": edge.operand,
        "out": edge.out,
        "slot": edge.slot,
        "local": for_json(edge.local),
        "stage": edge.stage,
    }
