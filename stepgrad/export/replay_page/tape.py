"""The tape as a table: a row for each node, with places for its numbers (see `drawing`)."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from stepgrad.export.replay_page.parts import Key
from stepgrad.export.replay_page.views import View
from stepgrad.printable import printable
from stepgrad.replay.graph.contents import Node
from stepgrad.replay.graph.outline import ScopeLine, outline


def tape(view: View) -> Iterator[str]:
    """Yield the lines of a table: the nodes of a step in order, under the names of their scopes."""
    yield '<table><thead><tr><th scope="col">node</th><th scope="col" class="number">value</th>'
    yield (
        f'<th scope="col" class="number" data-part="{view.numbers[Key("heading")]}">'
        '<span data-slot="0"></span></th></tr></thead>'
    )
    yield "<tbody>"
    lines = outline(view.last.state.scene, frozenset())
    for line in (lines[number] for number in range(len(lines))):
        if isinstance(line, ScopeLine):
            name = escape(printable(line.scope))
            yield f'<tr class="scope"><th scope="colgroup" colspan="3">{name}</th></tr>'
        else:
            yield _row(view, line)
    yield "</tbody></table>"


def _row(view: View, node: int) -> str:
    content = Node(view.last.state, node)
    name, formula = content.name, content.formula
    formula = f" <small>= {escape(formula)}</small>" if formula not in ("", name) else ""
    return (
        f'<tr data-part="{view.numbers[Key("node", node)]}">'
        f'<th scope="row">{escape(name)}{formula}</th>'
        '<td class="number" data-slot="0"></td><td class="number" data-slot="1"></td></tr>'
    )
