"""The graph panel."""

from __future__ import annotations

from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from stepgrad.tui.render.canvas import Canvas
from stepgrad.tui.render.graph import Drawing, draw, in_view
from stepgrad.tui.widgets.panel import Panel

FRAMED = 12
"""From this height on, boxes have room for numbers."""


class GraphPanel(ScrollView, Panel, can_focus=False):
    """The nodes of the scene as a graph; a click selects one."""

    BORDER_TITLE = "graph"
    ALLOW_SELECT = False

    _drawing: Drawing | None = None
    _canvas: Canvas | None = None

    def on_resize(self) -> None:
        """Choose boxes that fit the panel."""
        self.show()

    def show(self) -> None:
        """Paint the graph, and scroll to the node that is spoken of."""
        if not self.size:
            return
        state, subject = self.state, self.now.subject
        framed = self.size.height >= FRAMED
        self._drawing = draw(state.recording, in_view(state, subject), framed=framed)
        self._canvas = self._drawing.paint(state, self.now.selected)
        layout = self._drawing.painter.layout
        self.virtual_size = Size(layout.width, layout.height)
        for box in () if subject is None else layout.boxes_of(subject)[-1:]:
            x = box.x + box.width // 2 - self.size.width // 2
            y = box.y + box.height // 2 - self.size.height // 2
            self.scroll_to(x=max(0, x), y=max(0, y), animate=False, immediate=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw a line of the view."""
        width, (left, top) = self.size.width, self.scroll_offset
        if self._canvas is None:
            return Strip.blank(width, self.rich_style)
        layout = self._canvas
        top -= max(0, (self.size.height - layout.height) // 2)  # a small graph stands in the middle
        [line] = self._canvas.crop(left, top + y, width, 1)
        return Visual.to_strips(self, line, width, 1, self.visual_style, pad=True)[0]

    def on_click(self, event: events.Click) -> None:
        """Select the node that a person pointed at."""
        if self._drawing is None or self._canvas is None:
            return
        offset = event.get_content_offset_capture(self) + self.scroll_offset
        y = offset.y - max(0, (self.size.height - self._canvas.height) // 2)
        box = self._drawing.painter.layout.box_at(offset.x, y)
        if box is not None:
            self.post_message(self.NodeSelected(box.key))
