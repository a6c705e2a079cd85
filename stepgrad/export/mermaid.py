"""A picture for Mermaid, which forges and note-taking programs draw in the midst of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from stepgrad.export.boxes import Content
from stepgrad.export.picture import Picture
from stepgrad.export.scopes import Scope, scoped

_PLAIN = re.compile(r"[^\w ./=+()·−∇∅–▶◀△×²³…,:]|_|\d(?=\. )")
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
    for told in (picture.title, picture.place, picture.event, picture.effect, *picture.limits):
        if told:
            yield f"%% {told.replace('{', '(').replace('}', ')')}"  # `%%{` would be a directive
    yield "flowchart LR"
    yield from _scope(scoped(picture.boxes), "  ", count())
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
    for box in picture.boxes:
        if box.focus or not box.made:
            yield f"  class n{box.index} {'focus' if box.focus else 'waiting'}"


def _scope(scope: Scope, indent: str, numbers: count[int]) -> Iterator[str]:
    for box in scope.boxes:
        yield f'{indent}n{box.index}["{_label(box)}"]'
    for name, inner in scope.inner.items():
        yield f'{indent}subgraph s{next(numbers)}["{_escaped(name)}"]'
        yield from _scope(inner, f"{indent}  ", numbers)
        yield f"{indent}end"


def _label(box: Content) -> str:
    numbers = (f"{number.glyph} {number.text}".lstrip() for number in box.numbers)
    return "<br/>".join(map(_escaped, (box.heading, *numbers)))


def _escaped(text: str) -> str:
    """Write a character by its number where it might not stand for itself."""
    return _PLAIN.sub(lambda found: f"#{ord(found[0])};", text)
