"""What a panel shows of a drawing: all of it in the middle or, if that is too large, a page of it.

Pages begin where boxes begin, and overlap by one, so that two neighbours are together on one of
them. Which page it is depends on the position alone. The root stays in view: it is docked at the
right of the pages that are without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stepgrad.drawing.layout import Box, Layout, Point, Wire
from stepgrad.recording.events import Accumulate
from stepgrad.replay.graph.contents import content_of
from stepgrad.replay.session import Session
from stepgrad.tui.render import ink
from stepgrad.tui.render.boxes import Form
from stepgrad.tui.render.canvas import Canvas
from stepgrad.tui.render.graph import Drawing, box_for, suited
from stepgrad.tui.render.painting import paint_box
from stepgrad.tui.render.rule import rule_of, write_rule

Span = tuple[int, int]
"""The first cell, and the one after the last."""

_BROKEN = " ┄▶"
"""The wire into a docked root."""


class Window(NamedTuple):
    """The cells of a drawing in view: from column `left` and row `top` on."""

    left: int
    top: int
    width: int
    height: int

    def holds(self, x: int, y: int, width: int, height: int) -> bool:
        """Whether something is whole in view; of what is larger than the view, the beginning."""
        return _holds(self.left, self.width, x, width) and _holds(self.top, self.height, y, height)


def _holds(start: int, size: int, at: int, extent: int) -> bool:
    return start <= at and (at + extent <= start + size or (extent > size and at < start + size))


class View(NamedTuple):
    """A drawing in a panel: what is painted, and where in the drawing its first cell is.

    `home` is where the window would be, had it not been moved. `docked` is the place of the root in
    the panel, where it is not in the window.
    """

    canvas: Canvas
    drawing: Drawing
    window: Window
    home: Window
    title: str
    docked: Box | None = None

    def box_at(self, x: int, y: int) -> Box | None:
        """Return the box in a cell of the panel."""
        if self.docked is not None and x >= self.window.width:
            return self.docked if self.docked.covers(x, y) else None
        return self.drawing.layout.box_at(x + self.window.left, y + self.window.top)

    def wires_at(self, x: int, y: int) -> Sequence[Wire]:
        """Return the wires in a cell of the panel."""
        if x >= self.window.width:
            return ()
        return self.drawing.layout.wires_at(x + self.window.left, y + self.window.top)

    def pan_by(self, columns: int, rows: int) -> Point:
        """Return how far the window is from home once it is moved by some cells."""
        here, home = self.window, self.home
        return here.left - home.left + columns, here.top - home.top + rows


def rows_needed(session: Session, width: int, room: int) -> int:
    """Return how many of the rows that there is room for a graph makes use of.

    Where it is drawn in parts, that is all of them: each part may have another height. If wires are
    too short for the chain rule, there are rows for it above and below the drawing. An edit changes
    nothing about that: what a mouse holds stays under it.
    """
    drawing = suited(session, width, room)
    return room if drawing.part.extent else min(drawing.layout.height + _air(drawing.form), room)


def _air(form: Form) -> int:
    return 0 if form.roomy else 2


def view(  # noqa: PLR0913 - the size, and what a person has set
    session: Session,
    width: int,
    height: int,
    room: int,
    pan: Point = (0, 0),
    *,
    under_way: float | None = None,
) -> View:
    """Paint a position into a panel.

    Args:
        session: what to show.
        width: the cells of a row of the panel.
        height: its rows.
        room: the most rows that it could have, which decides on the form of the drawing.
        pan: how far a person has moved the window from where it would be.
        under_way: the share of its wire that is behind the number of the last event.
    """
    drawing = suited(session, width, max(room, height), changed=session.changed)
    root = drawing.box_of(session.state.destination)  # what gradients are of
    dock = 0 if root is None else box_for(session.graph, root, drawing.form).size[0] + len(_BROKEN)
    if 2 * dock > width:
        root, dock = None, 0
    at_home = () if root is None else drawing.layout.boxes_of(root)
    narrow = width - dock
    home = _window(session, drawing, narrow, width if at_home else narrow, height)
    window = _panned(home, pan, drawing.layout)
    if root is None or any(window.holds(*each[1:]) for each in at_home):
        root = None
    else:
        window = window._replace(width=narrow)
    canvas = drawing.paint(
        session.state, session.selected, session.secret, window.holds, session.before
    )
    if under_way is not None:
        from stepgrad.tui.render.travel import carry  # noqa: PLC0415 - only while it plays

        carry(canvas, drawing, session.state, under_way)
    shown = canvas.window(window.left, window.top, window.width, height)
    if under_way is None:
        _write_rule(session, drawing, window, shown)
    shown = shown.window(0, 0, width, height)
    place = None if root is None else _dock(session, drawing, root, window, shown)
    return View(shown, drawing, window, home, _title(session, drawing, window, root), place)


def _window(session: Session, drawing: Drawing, narrow: int, width: int, height: int) -> Window:
    """Find the page with the subject, and with the other end of the current edge.

    A page is `narrow` where the root is docked, and the last one as wide as `width`.
    """
    layout = drawing.layout
    subject = _places(drawing, session.subject)
    event = session.state.event
    other = _places(drawing, event.out) if isinstance(event, Accumulate) else ()
    wanted = [(*other[:1], *subject[-1:]), subject[-1:]]
    columns = _merged((box.x, box.x + box.width) for box in layout.boxes)
    rows = sorted({(box.y, box.y + box.height) for box in layout.boxes})
    across = [[(box.x, box.x + box.width) for box in boxes] for boxes in wanted]
    down = [[(box.y, box.y + box.height) for box in boxes] for boxes in wanted]
    left = _start(columns, across, narrow, width, layout.width)
    return Window(left, _start(rows, down, height, height, layout.height), width, height)


def _places(drawing: Drawing, node: int | None) -> Sequence[Box]:
    box = drawing.box_of(node)
    return () if box is None else drawing.layout.boxes_of(box)


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Join spans that overlap: the boxes of a layer."""
    merged: list[Span] = []
    for start, stop in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(stop, merged[-1][1])
        else:
            merged.append((start, stop))
    return merged


def _start(
    spans: Sequence[Span], wanted: Sequence[Sequence[Span]], page: int, last: int, extent: int
) -> int:
    """Choose the first cell in view, along one direction.

    Args:
        spans: what should not be cut.
        wanted: what should be in view; if that is too much, the next of them.
        page: the cells of a page.
        last: the cells of the last page, which may be longer.
        extent: the cells of the drawing.
    """
    if extent <= last:
        return -((last - extent) // 2)
    starts = pages(spans, page, last, extent)
    for each in wanted:
        for start in starts:
            size = last if start == starts[-1] else page
            if all(start <= first and stop <= start + size for first, stop in each):
                return start
    [(first, _), *_] = wanted[-1] or [(0, 0)]
    return max(start for start in starts if start <= first or not start)


def pages(spans: Sequence[Span], page: int, last: int, extent: int) -> list[int]:
    """Return where pages start, so that two neighbouring spans are together on one of them.

    No span is cut by every page, even if it overlaps with others; one that is longer than a page
    has a page from its beginning on.
    """
    ending = (first for first, _ in spans if extent - first <= last)
    starts, final = [0], min(ending, default=spans[-1][0])
    while (here := starts[-1]) < final:
        ahead = [(first, stop) for first, stop in spans if here < first]
        whole = [first for first, stop in ahead if stop <= here + page]
        cut = [first for first, stop in ahead if stop > here + page]
        start = min(max(whole, default=cut[0]), *cut) if cut else max(whole)
        starts.append(min(start, final))
    return starts


def _panned(window: Window, pan: Point, layout: Layout) -> Window:
    """Move a window as far as there is something to see."""
    left = _moved(window.left, pan[0], window.width, layout.width)
    return window._replace(left=left, top=_moved(window.top, pan[1], window.height, layout.height))


def _moved(start: int, by: int, size: int, extent: int) -> int:
    return start if extent <= size else max(0, min(start + by, max(start, extent - size)))


def _write_rule(session: Session, drawing: Drawing, window: Window, shown: Canvas) -> None:
    event = session.state.event
    if isinstance(event, Accumulate):
        wire = drawing.wire_of((event.out, event.slot))
        if wire is not None and window.holds(*wire.label, wire.label_width, 1):
            write_rule(shown, wire, (-window.left, -window.top), rule_of(event))


def _dock(session: Session, drawing: Drawing, root: int, window: Window, shown: Canvas) -> Box:
    """Write the root at the right, as near to its row as possible, with a broken wire into it."""
    graph, state = session.graph, session.state
    box = box_for(graph, root, drawing.form)
    width, height = box.size
    at_home = drawing.layout.boxes_of(root)
    y = at_home[-1].y - window.top if at_home else (window.height - height) // 2
    place = Box(root, shown.width - width, max(0, min(y, window.height - height)), width, height)
    current = root == drawing.box_of(state.focus)
    content = content_of(state, graph, root, current, session.before)
    paint_box(shown, place, box.look(content, selected=root == drawing.box_of(session.selected)))
    shown.write(place.x - len(_BROKEN), place.exit[1], _BROKEN, ink.QUIET)
    return place


def _title(session: Session, drawing: Drawing, window: Window, docked: int | None) -> str:
    """Say how much is drawn, what the numbers are, and how many boxes are out of view."""
    second = "tangent" if session.state.seeds else "gradient"
    legend = f"value over {second}" if drawing.form.framed else ""
    parts = (drawing.part.extent, legend, _out_of_view(drawing.layout, window, docked))
    return "  ".join(("graph", *filter(None, parts)))


def _out_of_view(layout: Layout, window: Window, docked: int | None) -> str:
    """Count the boxes in each direction: `← 3 · 2 →`."""
    seen = {box.key for box in layout.boxes if window.holds(*box[1:])} | {docked}
    out = Counter(
        _direction(box, window)
        for box in {box.key: box for box in layout.boxes if box.key not in seen}.values()
    )
    counts = [f"{arrow} {out[arrow]}" for arrow in "←↑↓" if out[arrow]]
    return " · ".join([*counts, *([f"{out['→']} →"] if out["→"] else [])])


def _direction(box: Box, window: Window) -> str:
    """Say where a box is that is out of view."""
    if box.x < window.left:
        return "←"
    if box.x + box.width > window.left + window.width:
        return "→"
    return "↑" if box.y < window.top else "↓"
