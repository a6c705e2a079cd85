"""Answers that need a page: the paths from a node to the output, and what an edit has changed."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from stepgrad.recording.recording import Recording
from stepgrad.replay.difference import Difference
from stepgrad.replay.narrate import derivative
from stepgrad.replay.numbers import factor, gradient, number
from stepgrad.replay.paths import Path, Paths
from stepgrad.replay.titles import short_title
from stepgrad.tui.render import ink

NAME = 22
NUMBER = 12


def paths_report(recording: Recording, node: int, root: int, found: Paths) -> Content:
    """Return the sum over paths: each as a product of local derivatives, the weightiest first."""
    name, output = short_title(recording, node), short_title(recording, root)
    if not found.count:
        return Content(f"No path leads from {name} to {output}: its gradient stays empty.")
    rows: list[list[ink.Span]] = []
    for path in found.weightiest:
        rows += _path_rows(recording, path)
    hidden = found.count - len(found.weightiest)
    if hidden:
        rows.append([(f"and {hidden} lighter ones", ink.QUIET)])
    ways = "path" if found.count == 1 else "paths"
    total = [
        (f"{derivative(output, name)} = ", ink.NAME),
        (number(found.total), f"bold {ink.sign(found.total)}"),
        (f"   the sum over {found.count} {ways}", ink.QUIET),
    ]
    return ink.lines(*rows, [("", "")], total)


def _path_rows(recording: Recording, path: Path) -> list[list[ink.Span]]:
    way = " → ".join(short_title(recording, node) for node in path.nodes)
    first, *rest = path.locals or (1.0,)
    product = "·".join([number(first), *map(factor, rest)])
    return [
        [(way, "")],
        [(f"    {product} = ", ink.QUIET), (number(path.product), ink.sign(path.product))],
    ]


def difference_report(
    edits: Sequence[tuple[str, float]], position: int, rows: Sequence[Difference]
) -> Content:
    """Return a table of the numbers that the edits have changed, at a position."""
    edited = ", ".join(f"{name} = {number(value)}" for name, value in edits)
    if not edits:
        return Content("Nothing was edited. Press e on an input or a parameter.")
    head = [(f"With {edited}, after event {position}:", ink.NAME)]
    if not rows:
        return ink.lines(head, [("Nothing differs here.", ink.QUIET)])
    columns = [("value", "", "grad", "")] + [
        (
            gradient(row.value[0]),
            gradient(row.value[1]),
            gradient(row.grad[0]),
            gradient(row.grad[1]),
        )
        for row in rows
    ]
    names = ["", *(row.name for row in rows)]
    table = [
        _row(name, texts, ink.QUIET if not name else "")
        for name, texts in zip(names, columns, strict=True)
    ]
    return ink.lines(head, [("", "")], *table)


def _row(name: str, texts: tuple[str, str, str, str], style: str) -> list[ink.Span]:
    value, new_value, grad, new_grad = texts
    changed, turned = value != new_value, grad != new_grad
    return [
        (ink.fit(name, NAME), style),
        (f"{value:>{NUMBER}}", ink.QUIET),
        (f" → {new_value:<{NUMBER}}" if changed else " " * (NUMBER + 3), ink.CURRENT),
        (f"{grad:>{NUMBER}}", ink.QUIET),
        (f" → {new_grad:<{NUMBER}}" if turned else "", ink.CURRENT),
    ]
