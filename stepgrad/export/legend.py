"""The words for a drawing: the legend of its symbols, and a description for screen readers."""

from __future__ import annotations

from collections.abc import Iterator

from stepgrad.export.figure import Figure
from stepgrad.replay.graph.picture import BACK

_MEANINGS = {"=": "value", "d": "tangent", "∇": "gradient", "|∇|": "range of the gradients"}


def legend(figure: Figure, rows: int) -> Iterator[str]:
    """Yield the lines that explain the symbols in a drawing."""
    picture, edges = figure.picture, figure.picture.edges
    stages = {edge.stage for edge in edges}
    shown = {number.glyph for box in picture.boxes for number in box.numbers}
    folded = any(edge.count > 1 for edge in edges)
    back = any(edge.back for edge in edges)
    outside = len(picture.inner_edges) < len(edges)
    current = any(box.current for box in picture.boxes) or "current" in stages
    signs = [
        *(f"{glyph} {meaning}" for glyph, meaning in _MEANINGS.items() if glyph in shown),
        f"on a wire: the local derivative{', or the number of edges' if folded else ''}",
        *["◂ carried a gradient back"] * ("backward" in stages),
        *["┿ shut: nothing comes back"] * any(edge.shut for edge in edges),
        *["▸ carried a tangent"] * ("tangent" in stages),
        *["dashed box: not computed yet"] * (not all(box.made for box in picture.boxes)),
        *[f"{BACK.strip()} from a box further right"] * back,
        *["dashed wire: from a node not shown"] * outside,
    ]
    yield " · ".join(signs)
    if current:
        yield f"highlighted: {figure.place}"
    if rows > 1:
        yield "● the wire continues in the next row, with the name of the node it comes from"
    yield from figure.limits


def description(figure: Figure) -> str:
    """Return a drawing in words, for those who cannot see it."""
    numbers = (
        f"{box.heading}: "
        + ", ".join(
            f"{_MEANINGS.get(number.glyph, number.word)} {number.text}" for number in box.numbers
        )
        + "."
        for box in figure.picture.boxes
        if box.numbers
    )
    return " ".join(filter(None, (figure.sentence, *figure.limits, *numbers)))
