"""A position as a file for other programs and for paper: a drawing, a hand-out, or data.

Every format is a module over one description of what is to be drawn, `picture`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stepgrad.export.dot import dot
from stepgrad.export.graph_json import graph_json
from stepgrad.export.handout import html, markdown
from stepgrad.export.mermaid import mermaid
from stepgrad.export.picture import Picture, picture
from stepgrad.export.svg import svg
from stepgrad.headless import snapshot
from stepgrad.replay.cursor import Cursor
from stepgrad.scenario.expect import checks
from stepgrad.scenario.load import ScenarioFile

WHOLE = 48
"""Graphs of up to so many nodes are drawn whole; of larger ones, what is near."""

READABLE = 200
"""Up to so many nodes are listed for a reader, or given to a program that draws for readers."""


def export(file: ScenarioFile | None, cursor: Cursor, to: str) -> str:
    """Write a position in one of the `FORMATS`."""
    return FORMATS[to](file, cursor)


def _drawn(file: ScenarioFile | None, cursor: Cursor) -> Picture:
    return picture(cursor.state, _title(file, cursor), WHOLE, hops=2)


def _listed(file: ScenarioFile | None, cursor: Cursor) -> Picture:
    return picture(cursor.state, _title(file, cursor), READABLE)


def _title(file: ScenarioFile | None, cursor: Cursor) -> str:
    return file.title if file else cursor.recording.name


def _markdown(file: ScenarioFile | None, cursor: Cursor) -> str:
    promised = checks(file, cursor.recording, cursor.position) if file else []
    return markdown(cursor.state, _listed(file, cursor), file.lesson if file else "", promised)


def _html(file: ScenarioFile | None, cursor: Cursor) -> str:
    drawn = _drawn(file, cursor)
    return html(_markdown(file, cursor), drawn, svg(drawn))


def _json(file: ScenarioFile | None, cursor: Cursor) -> str:
    everything = picture(cursor.state, _title(file, cursor))
    return graph_json(everything, snapshot(file, cursor))


FORMATS: Mapping[str, Callable[[ScenarioFile | None, Cursor], str]] = {
    "svg": lambda file, cursor: svg(_drawn(file, cursor)),
    "dot": lambda file, cursor: dot(_listed(file, cursor)),
    "mermaid": lambda file, cursor: mermaid(_listed(file, cursor)),
    "markdown": _markdown,
    "html": _html,
    "json": _json,
}
"""What a position can be written as."""
