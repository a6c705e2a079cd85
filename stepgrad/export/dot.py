"""A picture for Graphviz: scopes are clusters, local derivatives are edge labels."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import count

from stepgrad.drawing import colours
from stepgrad.export.figure import Figure
from stepgrad.export.scopes import Scope, scoped
from stepgrad.replay.graph.contents import Content
from stepgrad.replay.graph.picture import Edge

_COLOURS = colours.LIGHT
_SIGNS = {
    "zero": "gray40",
    "positive": _COLOURS["positive"],
    "negative": _COLOURS["negative"],
    "broken": "#b3261e",
}
_STAGES = {
    "waiting": "style=dashed, color=gray60",
    "forward": "color=gray25",
    "tangent": f'color="{_COLOURS["forward"]}", penwidth=1.6',
    "backward": f'color="{_COLOURS["backward"]}", penwidth=1.6',
    "current": f'color="{_COLOURS["current"]}", penwidth=3',
}


def dot(figure: Figure) -> str:
    """Write a figure in the DOT language."""
    return "".join(f"{line}\n" for line in _lines(figure))


def _lines(figure: Figure) -> Iterator[str]:
    left = "\\l"  # ends a line and aligns it left
    label = "".join(f"{_escaped(line)}{left}" for line in figure.lines)
    yield "digraph stepgrad {"
    yield "  rankdir=LR; labelloc=t; labeljust=l; bgcolor=white;"
    yield '  fontname="monospace"; fontsize=12;'
    yield f'  label="{label}";'
    yield '  node [shape=plain, fontname="monospace", fontsize=12];'
    yield '  edge [fontname="monospace", fontsize=10];'
    yield from _scope(scoped(figure.picture.boxes), "  ", count())
    for edge in figure.picture.inner_edges:
        yield f"  {_edge(edge)}"
    yield "}"


def _scope(scope: Scope, indent: str, numbers: count[int]) -> Iterator[str]:
    for box in scope.boxes:
        yield f"{indent}n{box.index} [label=<{_table(box)}>];"
    for name, inner in scope.inner.items():
        yield f"{indent}subgraph cluster_{next(numbers)} {{"
        yield f'{indent}  label="{_escaped(name)}"; color=gray70; style=rounded; fontsize=10;'
        yield from _scope(inner, f"{indent}  ", numbers)
        yield f"{indent}}}"


def _table(box: Content) -> str:
    """Write the content of a box: its heading and its numbers."""
    colour, border = (_COLOURS["current"], 2) if box.current else ("gray40", 1)
    heading = escape(box.heading).replace("\\", "\\\\")  # \N would be the name of the node
    rows = [f'<TR><TD COLSPAN="2"><B>{heading}</B></TD></TR>']
    for word, _, text, x, *_ in box.numbers:
        number = f'<FONT COLOR="{_SIGNS[colours.sign(x)]}">{escape(text)}</FONT>'
        rows.append(
            f'<TR><TD ALIGN="LEFT"><FONT COLOR="gray40">{word}</FONT></TD>'
            f'<TD ALIGN="RIGHT">{number}</TD></TR>'
        )
    style = ' STYLE="ROUNDED"' if box.made else ' STYLE="DASHED"'
    return (
        f'<TABLE BORDER="{border}" COLOR="{colour}" CELLBORDER="0" CELLSPACING="0" '
        f'CELLPADDING="3"{style}>{"".join(rows)}</TABLE>'
    )


def _edge(edge: Edge) -> str:
    label = f'label="{_escaped(edge.label)}", ' if edge.label else ""
    bar = ", arrowhead=normaltee" if edge.shut else ""
    return f"n{edge.operand} -> n{edge.out} [{label}{_STAGES[edge.stage]}{bar}];"


def _escaped(text: str) -> str:
    """Escape a text for quotation marks: `\\N` stays two characters, and is not a node's name.

    Graphviz reads entities there too, so an ampersand becomes one.
    """
    return text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
