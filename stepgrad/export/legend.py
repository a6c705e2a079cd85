"""The words for a drawing: the legend of its symbols, and a description for screen readers."""

from __future__ import annotations

from collections.abc import Iterator

from stepgrad.export.picture import BACK, Picture

_MEANINGS = {"=": "value", "d": "tangent", "∇": "gradient", "|∇|": "range of the gradients"}


def legend(picture: Picture, rows: int) -> Iterator[str]:
    """Yield the lines that explain the symbols in a drawing."""
    stages = {edge.stage for edge in picture.edges}
    shown = {number.glyph for box in picture.boxes for number in box.numbers}
    folded = any(edge.count > 1 for edge in picture.edges)
    back = sum(edge.back for edge in picture.edges)
    outside = len([*picture.inner_edges]) + back < len(picture.edges)
    focus = any(box.focus for box in picture.boxes) or "current" in stages
    signs = [
        *(f"{glyph} {meaning}" for glyph, meaning in _MEANINGS.items() if glyph in shown),
        f"on a wire: the local derivative{', or the number of edges' if folded else ''}",
        *["◂ carried a gradient back"] * ("backward" in stages),
        *["▸ carried a tangent"] * ("tangent" in stages),
        *["dashed box: not computed yet"] * (not all(box.made for box in picture.boxes)),
        *[f"{BACK.strip()} from a box further right"] * bool(back),
        *["dashed wire: from a node not shown"] * outside,
    ]
    yield " · ".join(signs)
    if focus:
        yield f"highlighted: {picture.place}"
    if rows > 1:
        yield "● the wire continues in the next row, with the name of the node it comes from"
    yield from picture.limits


def description(picture: Picture) -> str:
    """Return a drawing in words, for those who cannot see it."""
    numbers = (
        f"{box.heading}: "
        + ", ".join(
            f"{_MEANINGS.get(number.glyph, number.word)} {number.text}" for number in box.numbers
        )
        + "."
        for box in picture.boxes
        if box.numbers
    )
    return " ".join(filter(None, (picture.sentence, *picture.limits, *numbers)))
