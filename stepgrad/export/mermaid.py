"""A picture for Mermaid, which code hosts and note-taking apps draw within Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from stepgrad.export.figure import Figure
from stepgrad.export.scopes import Scope, scoped
from stepgrad.replay.graph.contents import Content

_PLAIN = re.compile(r"[^\w ./=+()·−∇∅–▶◀△×²³…,:]|_|\d(?=\. )")
"""Characters with a meaning in Mermaid or in the Markdown of its labels: `1. ` begins a list."""

_STAGES = {
    "waiting": "stroke-dasharray:4",
    "tangent": "stroke:#2da44e,stroke-width:2px",
    "backward": "stroke:#8957e5,stroke-width:2px",
    "current": "stroke:#bf8700,stroke-width:4px",
}
"""The looks of edges, in colours that are visible on light and dark backgrounds."""


def mermaid(figure: Figure) -> str:
    """Write a figure as a flowchart."""
    return "".join(f"{line}\n" for line in _lines(figure))


def _lines(figure: Figure) -> Iterator[str]:
    picture = figure.picture
    for line in figure.lines:
        yield f"%% {line.replace('{', '(').replace('}', ')')}"  # `%%{` would be a directive
    yield "flowchart LR"
    yield from _scope(scoped(picture.boxes), "  ", count(), _event(figure))
    stages: dict[str, list[int]] = {}
    for number, edge in enumerate(picture.inner_edges):
        label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
        yield f"  n{edge.operand} {'--x' if edge.shut else '-->'}{label} n{edge.out}"
        stages.setdefault(edge.stage, []).append(number)
    for stage, style in _STAGES.items():
        if stage in stages:
            yield f"  linkStyle {','.join(map(str, stages[stage]))} {style}"
    yield "  classDef focus stroke:#bf8700,stroke-width:4px"
    yield "  classDef waiting stroke-dasharray:4"
    for box in picture.boxes:
        if box.current or not box.made:
            yield f"  class n{box.index} {'focus' if box.current else 'waiting'}"


def _event(figure: Figure) -> str:
    """Return the line that says why a box is highlighted: comments are not drawn."""
    return figure.place.partition(" of ")[0]


def _scope(scope: Scope, indent: str, numbers: count[int], event: str) -> Iterator[str]:
    for box in scope.boxes:
        yield f'{indent}n{box.index}["{_label(box, event if box.current else "")}"]'
    for name, inner in scope.inner.items():
        yield f'{indent}subgraph s{next(numbers)}["{_escaped(name)}"]'
        yield from _scope(inner, f"{indent}  ", numbers, event)
        yield f"{indent}end"


def _label(box: Content, event: str) -> str:
    numbers = (f"{number.glyph} {number.text}".lstrip() for number in box.numbers)
    lines = filter(None, (box.heading, *numbers, event))
    return "<br/>".join(map(_escaped, lines))


def _escaped(text: str) -> str:
    """Write every character that may have a meaning as its code point."""
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", text)
