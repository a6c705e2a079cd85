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
from stepgrad.tui.render.spy import node_at, spy
from stepgrad.tui.widgets.panel import Panel

FRAMED = 12
"""From this height on, boxes have room for numbers."""

DRAWABLE = 400
"""Up to so many nodes, the whole graph is drawn with boxes."""


class GraphPanel(ScrollView, Panel, can_focus=False):
    """The nodes of the scene as a graph; a click selects one, the wheel and a drag pan.

    Of a large scene it shows what is near; the whole of one that is too large for boxes is a plot.
    """

    ALLOW_SELECT = False

    _drawing: Drawing | None = None
    _canvas: Canvas | None = None
    _lines: Sequence[Content] = ()  # of the plot, where there is no canvas

    def on_resize(self) -> None:
        """Choose boxes that fit the panel."""
        self.show()

    def show(self) -> None:
        """Paint the graph, and scroll to the node that is spoken of."""
        if not self.size:
            return
        now, (width, height) = self.now, self.size
        state, scene = now.state, tuple(now.state.scene)
        before, self._canvas = self._canvas, None
        place = self.virtual_size, self.scroll_offset
        if now.whole and len(scene) > DRAWABLE:
            self.border_title = f"graph  {len(scene)} nodes from the top down; dots are operands"
            self.set_reactive(GraphPanel.virtual_size, self.size)
            self._lines = spy(now.recording, scene, now.subject, width, height)
            self.refresh()
            return
        nodes = scene if now.whole else in_view(state, now.subject)
        near = len(nodes) < len(scene)
        title = f"graph  {len(nodes)} of {len(scene)} nodes" if near else "graph"
        if self.border_title != title:  # setting it draws everything again
            self.border_title = title
        self._drawing = draw(now.recording, nodes, framed=height >= FRAMED)
        self._canvas = self._drawing.paint(state, now.selected)
        layout = self._drawing.painter.layout
        # By itself it would lay the screen out again, which does not depend on it.
        self.set_reactive(GraphPanel.virtual_size, Size(layout.width, layout.height))
        for box in () if now.subject is None else layout.boxes_of(now.subject)[-1:]:
            x, y = box.x + box.width // 2 - width // 2, box.y + box.height // 2 - height // 2
            self.scroll_to(x=max(0, x), y=max(0, y), animate=False, immediate=True)
        if before is None or place != (self.virtual_size, self.scroll_offset):
            self.refresh()
            return
        top = self.scroll_offset.y - self._margin
        for row in self._canvas.rows_unlike(before):
            if top <= row < top + height:
                self.refresh(Region(0, row - top, width, 1))

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

    def on_click(self, event: events.Click) -> None:
        """Select the node that a person pointed at."""
        x, y = event.get_content_offset_capture(self)
        if self._canvas is None:
            node = node_at(self.state.scene, y, len(self._lines))
        elif self._drawing is not None:
            left, top = self.scroll_offset
            box = self._drawing.painter.layout.box_at(x + left, y + top - self._margin)
            node = box.key if box else None
        if node is not None:
            self.post_message(self.NodeSelected(node))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Pan while a button is held."""
        if event.button:
            self.scroll_relative(-event.delta_x, -event.delta_y, animate=False, immediate=True)
