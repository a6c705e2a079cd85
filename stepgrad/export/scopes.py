"""Nodes sorted into the scopes that they were made in, for the formats that draw those."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from stepgrad.export.picture import Node


@dataclass(slots=True)
class Scope:
    """A scope: its own nodes, and the scopes within it, by the last part of their names."""

    nodes: list[Node] = field(default_factory=list)
    inner: dict[str, Scope] = field(default_factory=dict)


def scoped(nodes: Iterable[Node]) -> Scope:
    """Return the outermost scope, with all nodes in their places."""
    top = Scope()
    for node in nodes:
        scope = top
        for part in filter(None, node.scope.split("/")):
            scope = scope.inner.setdefault(part, Scope())
        scope.nodes.append(node)
    return top
