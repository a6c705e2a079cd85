"""A picture for Mermaid, which forges and note-taking programs draw in the midst of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from stepgrad.export.picture import Node, Picture
from stepgrad.export.scopes import Scope, scoped

_PLAIN = re.compile(r"[^\w ./=+()·−∂∅–▶◀△×²³…,:]|_|\d(?=\. )")
"""What may mean something to Mermaid, or to the Markdown in its labels: `1. ` begins a list."""

_STAGES = {
    "waiting": "stroke-dasharray:4",
    "backward": "stroke:#8957e5,stroke-width:2px",
    "current": "stroke:#bf8700,stroke-width:4px",
}
"""Colours that can be told from a light ground and from a dark one."""


def mermaid(picture: Picture) -> str:
    """Write a picture as a flowchart."""
    return "".join(f"{line}\n" for line in _lines(picture))


def _lines(picture: Picture) -> Iterator[str]:
    for told in (picture.title, picture.place, picture.event, picture.effect, picture.limits):
        if told:
            yield f"%% {told.replace('{', '(').replace('}', ')')}"  # `%%{` would be a directive
    yield "flowchart LR"
    yield from _scope(scoped(picture.nodes), "  ", count())
    stages: dict[str, list[int]] = {}
    for number, edge in enumerate(picture.inner_edges):
        label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
        yield f"  n{edge.operand} -->{label} n{edge.out}"
        stages.setdefault(edge.stage, []).append(number)
    for stage, style in _STAGES.items():
        if stage in stages:
            yield f"  linkStyle {','.join(map(str, stages[stage]))} {style}"
    yield "  classDef focus stroke:#bf8700,stroke-width:4px"
    yield "  classDef waiting stroke-dasharray:4"
    for node in picture.nodes:
        if node.focus or node.value is None:
            yield f"  class n{node.index} {'focus' if node.focus else 'waiting'}"


def _scope(scope: Scope, indent: str, numbers: count[int]) -> Iterator[str]:
    for node in scope.nodes:
        yield f'{indent}n{node.index}["{_label(node)}"]'
    for name, inner in scope.inner.items():
        yield f'{indent}subgraph s{next(numbers)}["{_escaped(name)}"]'
        yield from _scope(inner, f"{indent}  ", numbers)
        yield f"{indent}end"


def _label(node: Node) -> str:
    numbers = (f"{number.glyph} {number.text}" for number in node.numbers)
    return "<br/>".join(map(_escaped, (node.heading, *numbers)))


def _escaped(text: str) -> str:
    """Write a character by its number where it might not stand for itself."""
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", text)
