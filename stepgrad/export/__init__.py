"""A position as a file, for paper and for other programs: a drawing, a hand-out or data.

Every drawing is made from one description of what to draw, `figure`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from stepgrad.export.blanks import drawn
from stepgrad.export.dot import dot
from stepgrad.export.figure import PAGE, Figure, figure
from stepgrad.export.graph_json import graph_json
from stepgrad.export.handout import handout
from stepgrad.export.mermaid import mermaid
from stepgrad.export.page import WIDTH, page
from stepgrad.export.position import end
from stepgrad.export.svg import part_of_page, svg
from stepgrad.export.worksheet import worksheet as worksheet_lines
from stepgrad.headless import check_object, snapshot
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.graph.folding import folded_graph
from stepgrad.replay.graph.picture import Part, picture
from stepgrad.replay.state import State
from stepgrad.scenario.exercises.posing import pose
from stepgrad.scenario.expect import Check, checks
from stepgrad.scenario.load import ScenarioFile

COLUMN = 32
"""The most boxes of a folded graph that stay legible within text and on paper."""

READABLE = 200
"""The most nodes to give to another program to draw."""


def export(file: ScenarioFile | None, cursor: Cursor, to: str) -> str:
    """Write a position in one of the `FORMATS`."""
    return FORMATS[to](file, cursor)


def worksheet(
    file: ScenarioFile | None, cursor: Cursor, to: str, *, key: bool, student: str = ""
) -> str:
    """Write the worksheet of a position, or its `key`, in one of the `SHEETS`.

    The questions have the numbers of a `student`, as in the quiz.
    """
    title = _title(file, cursor)
    tasks = pose(file, student, cursor.recording) if file else []
    lines = worksheet_lines(cursor.state, title, tasks, PAGE, key=key, student=student)
    if to == "markdown":
        return _text(lines)

    def draw(state: State, mark: str) -> str:
        return part_of_page(drawn(state, title, key=key), WIDTH, mark)

    return "".join(page(title, lines, draw, "sheet"))


def _text(lines: Iterator[str | State]) -> str:
    return "".join(f"{line}\n" for line in lines if isinstance(line, str))


def _title(file: ScenarioFile | None, cursor: Cursor) -> str:
    return file.title if file else cursor.recording.name


def _drawn(file: ScenarioFile | None, cursor: Cursor) -> Figure:
    return figure(cursor.state, _title(file, cursor), PAGE, hops=2)


def _listed(file: ScenarioFile | None, cursor: Cursor) -> Figure:
    return figure(cursor.state, _title(file, cursor), READABLE)


def _checks(file: ScenarioFile | None, cursor: Cursor) -> Sequence[Check]:
    """Return the expected values of the file if this is the end, which they are about."""
    ends = (end(cursor.recording), cursor.recording.length)
    return checks(file, cursor.recording) if file and cursor.position in ends else ()


def _handout(file: ScenarioFile | None, cursor: Cursor) -> Iterator[str | State]:
    source = cursor.recording.source
    docstring = source.docstring if source else ""  # of a program
    lesson = file.lesson if file else docstring
    return handout(cursor.state, _title(file, cursor), lesson, _checks(file, cursor))


def _markdown(file: ScenarioFile | None, cursor: Cursor) -> str:
    return _text(_handout(file, cursor))


def _html(file: ScenarioFile | None, cursor: Cursor) -> str:
    title = _title(file, cursor)

    def draw(state: State, key: str) -> str:
        return part_of_page(figure(state, title, PAGE, COLUMN, hops=2), WIDTH, key)

    return "".join(page(title, _handout(file, cursor), draw))


def _json(file: ScenarioFile | None, cursor: Cursor) -> str:
    state = cursor.state
    graph = folded_graph(state.scene, frozenset())
    described = snapshot(file, cursor)
    if promised := _checks(file, cursor):
        described["checks"] = [check_object(check) for check in promised]
    return graph_json(picture(state, Part(graph, graph)), described)


FORMATS: Mapping[str, Callable[[ScenarioFile | None, Cursor], str]] = {
    "svg": lambda file, cursor: svg(_drawn(file, cursor)),
    "dot": lambda file, cursor: dot(_listed(file, cursor)),
    "mermaid": lambda file, cursor: mermaid(_listed(file, cursor)),
    "markdown": _markdown,
    "html": _html,
    "json": _json,
}
"""How to write a position in each format."""

SHEETS = ("markdown", "html")
"""The formats of a worksheet."""
