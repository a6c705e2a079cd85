"""The spy plot: a graph as a matrix of dots, a row for each node, a column for each operand.

It shows the structure of a network at any size: layers are bands, shared weights are stripes on the
left, a chain of sums runs along the diagonal. Zoomed in, the rows are the nodes around the subject,
and the columns are the nodes that they use.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from textual.content import Content

from stepgrad.recording.kept import kept
from stepgrad.replay.graph.outline import enclosing
from stepgrad.replay.graph.scene import Scene
from stepgrad.replay.session import Session
from stepgrad.tui.render import ink
from stepgrad.tui.render.braille import Dots

_SCOPES = 20, 60  # cells for the names of scopes, and of the panel that has room for them


def spy(session: Session, width: int, height: int) -> list[Content]:
    """Return the plot in lines of cells; the line that holds the subject is bright.

    A wide one has the scopes on the left, each where it begins.
    """
    scene, rows = session.state.scene, rows_of(session, height)
    scopes = _scopes(scene, rows, height) if width >= _SCOPES[1] else ()
    margin = _SCOPES[0] if any(scopes) else 0
    bright = _line_of(session, rows, height)
    lines = []
    for y, dots in enumerate(_plot(scene, rows, max(width - margin, 0), height)):
        style = ink.CURRENT if y == bright else ink.QUIET
        scope = f"{ink.fit_name(scopes[y], margin - 2)}  " if margin else ""
        lines.append(Content.assemble((scope, ink.PLAIN), (dots, style)).truncate(width))
    return lines


def rows_of(session: Session, height: int) -> range:
    """Return the places of the scene that the plot shows, at least one for each line.

    They stay where they are until the subject leaves their middle half.
    """
    scene, subject = session.state.scene, session.subject
    count = min(max(len(scene) >> session.zoom, height), len(scene))
    place = 0 if subject is None else scene.after(subject)
    half = max(count // 2, 1)
    start = max(0, min(place // half * half - half // 2, len(scene) - count))
    return range(start, start + count)


def node_at(session: Session, y: int, height: int) -> int | None:
    """Return the first node of a line of the plot."""
    rows = rows_of(session, height)
    if not 0 <= y < height or not rows:
        return None
    return session.state.scene[rows[min(-(-y * len(rows) // height), len(rows) - 1)]]


def _line_of(session: Session, rows: range, height: int) -> int | None:
    subject = session.subject
    place = None if subject is None else session.state.scene.place(subject)
    return None if place is None or place not in rows else rows.index(place) * height // len(rows)


@kept(4)
def _plot(scene: Scene, rows: range, width: int, height: int) -> tuple[str, ...]:
    """Draw the dots; the nodes are spread evenly over the rows, and over the columns."""
    outs, operands, _ = scene.edges
    first, last = bisect_left(outs, rows.start), bisect_left(outs, rows.stop)
    outs, operands = outs[first:last], operands[first:last]
    used = rows if len(rows) == len(scene) else sorted({*rows, *operands})
    row_of, column_of = _spread(rows, 4 * height), _spread(used, 2 * width)
    places = set(zip(map(column_of, rows), map(row_of, rows), strict=True))
    places.update(zip(map(column_of, operands), map(row_of, outs), strict=True))
    dots = Dots(width, height)
    for x, y in places if width else ():
        dots.dot(x, y)
    return tuple(dots.lines())


def _spread(places: Sequence[int], room: int) -> Callable[[int], int]:
    """Spread places evenly over some room."""
    spread = [i * room // len(places) for i in range(len(places))]
    if places == range(len(places)):
        return spread.__getitem__
    return dict(zip(places, spread, strict=True)).__getitem__


@kept(4)
def _scopes(scene: Scene, rows: range, height: int) -> tuple[str, ...]:
    """Return for each line the scope that begins there; of several, the outermost."""
    begun: dict[int, str] = {}
    before: set[str] = set()
    for scope, start, stop in scene.scopes:
        if scope and stop > rows.start and start < rows.stop:
            line = rows.index(max(start, rows.start)) * height // len(rows)
            around = enclosing(scope)
            new = next((each for each in around if each not in before), scope)
            new = scope if start < rows.start else new
            begun[line] = min(begun.get(line, new), new, key=lambda each: each.count("/"))
            before = set(around)
    return tuple(begun.get(line, "") for line in range(height))
