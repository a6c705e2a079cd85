"""Boxes grouped by scope, for the formats that draw scopes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from stepgrad.replay.graph.contents import Content


@dataclass(slots=True)
class Scope:
    """A scope: its own boxes, and the scopes in it by the last part of their names."""

    boxes: list[Content] = field(default_factory=list)
    inner: dict[str, Scope] = field(default_factory=dict)


def scoped(boxes: Iterable[Content]) -> Scope:
    """Return the outermost scope, which contains all boxes."""
    top = Scope()
    for box in boxes:
        scope = top
        for part in filter(None, box.scope.split("/")):
            scope = scope.inner.setdefault(part, Scope())
        scope.boxes.append(box)
    return top
