"""The graph panel."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from stepgrad.tui.render.canvas import Canvas
from stepgrad.tui.render.graph import Drawing, draw, in_view
from stepgrad.tui.render.spy import node_at, rows_of, spy
from stepgrad.tui.widgets.panel import Panel

FRAMED = 12
"""From this height on, boxes have room for numbers."""


class GraphPanel(ScrollView, Panel, can_focus=False):
    """The nodes of the scene and its folded scopes as a graph, or as a plot.

    A click on a node selects it, on a scope opens it, on an edge goes to its backward step.
    Wheel and drag pan; in the plot, the wheel zooms.
    """

    ALLOW_SELECT = False

    _panned = False
    _drawing: Drawing | None = None
    _canvas: Canvas | None = None
    _lines: Sequence[Content] = ()  # of the plot, where there is no canvas

    def on_resize(self) -> None:
        """Choose boxes that fit the panel."""
        self.show()

    def show(self) -> None:
        """Paint the graph, and scroll to the subject."""
        if not self.size:
            return
        if self.now.view == "plot":
            self._show_plot()
        else:
            self._show_boxes()

    def _show_plot(self) -> None:
        now, (width, height) = self.now, self.size
        self._canvas = None
        self.set_reactive(GraphPanel.virtual_size, self.size)
        self._lines = spy(now, width, height)
        scene, rows = now.state.scene, rows_of(now, height)
        part = f"{rows.start + 1:,} to {rows.stop:,} of " if len(rows) < len(scene) else ""
        self._entitle(f"adjacency plot: {part}{len(scene):,} nodes in rows, operands in columns")
        self.refresh()

    def _show_boxes(self) -> None:
        now, (width, height) = self.now, self.size
        graph, before = now.graph, self._canvas
        place = self.virtual_size, self.scroll_offset
        self._drawing = draw(graph, in_view(now), framed=height >= FRAMED)
        self._entitle(f"graph  {self._drawing.part.extent}".rstrip())
        self._canvas = self._drawing.paint(now.state, now.selected, now.secret, now.before)
        layout = self._drawing.painter.layout
        # By itself it would lay the screen out again, which does not depend on it.
        self.set_reactive(GraphPanel.virtual_size, Size(layout.width, layout.height))
        for box in () if now.subject is None else layout.boxes_of(graph.box_of(now.subject))[-1:]:
            # If a box does not fit, show its top: it has the name.
            x, y = box.x + min(box.width - width, 0) // 2, box.y + min(box.height - height, 0) // 2
            self.scroll_to(x=max(0, x), y=max(0, y), animate=False, immediate=True)
        if before is None or place != (self.virtual_size, self.scroll_offset):
            self.refresh()
            return
        top = self.scroll_offset.y - self._margin
        for row in self._canvas.rows_unlike(before):
            if top <= row < top + height:
                self.refresh(Region(0, row - top, width, 1))

    def _entitle(self, title: str) -> None:
        if self.border_title != title:  # setting it draws everything again
            self.border_title = title

    def render_line(self, y: int) -> Strip:
        """Draw a line of the view."""
        width, (left, top) = self.size.width, self.scroll_offset
        if self._canvas is not None:
            [line] = self._canvas.crop(left, top + y - self._margin, width, 1)
        elif y < len(self._lines):
            line = self._lines[y]
        else:
            return Strip.blank(width, self.rich_style)
        return Visual.to_strips(self, line, width, 1, self.visual_style, pad=True)[0]

    @property
    def _margin(self) -> int:
        """The blank lines above a graph that is lower than the panel."""
        return 0 if self._canvas is None else max(0, (self.size.height - self._canvas.height) // 2)

    def on_mouse_down(self) -> None:
        """Begin a click, or a pan."""
        self._panned = False

    def on_click(self, event: events.Click) -> None:
        """Point at the node or the edge under the mouse."""
        if self._panned:
            return
        x, y = event.get_content_offset_capture(self)
        if self._canvas is None:
            node = node_at(self.now, y, len(self._lines))
            if node is not None:
                self.post_message(self.NodeSelected(node))
        elif self._drawing is not None:
            left, top = self.scroll_offset
            self._point_at(self._drawing, x + left, y + top - self._margin)

    def _point_at(self, drawing: Drawing, x: int, y: int) -> None:
        """Point at what is drawn in a cell; where edges share a trunk, at the operand of all."""
        layout = drawing.painter.layout
        box, wires = layout.box_at(x, y), layout.wires_at(x, y)
        if box is not None:
            scope = drawing.part.graph.scope(box.key)
            pointed = (
                self.NodeSelected(box.key) if scope is None else self.ScopePointed(scope.scope)
            )
            self.post_message(pointed)
        elif len(wires) == 1:
            # A pass goes backwards, so it walks the last edge first.
            self.post_message(self.EdgePointed(*drawing.bundle(wires[0]).edges[-1]))
        elif wires:
            self.post_message(self.NodeSelected(drawing.bundle(wires[0]).operand))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Pan while a button is held."""
        if event.button:
            self._panned = True
            self.scroll_relative(-event.delta_x, -event.delta_y, animate=False, immediate=True)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom into the plot where the mouse is."""
        self._zoom(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out of the plot."""
        self._zoom(event, -1)

    def _zoom(self, event: events.MouseEvent, steps: int) -> None:
        if self._canvas is None:
            event.stop()
            event.prevent_default()
            node = node_at(self.now, event.get_content_offset_capture(self).y, len(self._lines))
            self.post_message(self.Zoomed(steps, node))
