"""The graph panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.content import Content
from textual.geometry import Offset, Region, Size
from textual.strip import Strip
from textual.visual import Visual

from stepgrad.drawing.layout import Point
from stepgrad.replay.commands.looking import open_neuron, shown_network
from stepgrad.tui.render.spy import node_at, rows_of, spy
from stepgrad.tui.render.view import View, rows_needed, view
from stepgrad.tui.widgets.panel import Panel

if TYPE_CHECKING:  # few recordings have a network
    from stepgrad.replay.graph.network.picture import Network
    from stepgrad.tui.render.network import NetworkDrawing

BORDER, KEYS = 1, 1
"""The line above each panel, with its title, and the line of keys below all of them."""

WHEEL = 3
"""The lines that a turn of the wheel moves a drawing by; twice as many columns."""

LEAST = 7
"""The fewest lines of the panels above the graph."""


def share(rows: int, lines: int, *, fit: bool = False) -> int:
    """Return how many of the rows that tape and graph share the graph may fill with a drawing.

    That is half of them, and more if the tape leaves it; two fifths are for the panels beside the
    tape. If the drawing has to fit, these keep only a few.
    """
    least = LEAST if fit else max(LEAST, 2 * rows // 5)
    above = least if fit else max(least, lines)
    return max(rows // 2, rows - above - BORDER) - BORDER


class GraphPanel(Panel, can_focus=False):
    """The nodes of the scene and its folded scopes as a graph, or as a plot.

    A click on a node selects it, on a scope opens it, on an edge goes to its backward step.
    Wheel and drag pan; in the plot, the wheel zooms.
    """

    ALLOW_SELECT = False

    under_way: float | None = None
    """The share of its wire that is behind the number of the last event; None if it is there."""

    _panned = False
    _pan: Point = (0, 0)
    _rows = 0
    _view: View | NetworkDrawing | None = None
    _lines: Sequence[Content] = ()  # of the plot, where there is no view

    def on_resize(self) -> None:
        """Choose boxes that fit the panel."""
        self.show()

    def show(self) -> None:
        """Paint the graph where the subject is."""
        self._pan = 0, 0
        if not self.size:
            return
        if self._rows != (rows := self._wanted(self.size.width)):
            self._rows = rows
            self.refresh(layout=True)
        if self.now.view == "plot":
            self._show_plot()
        else:
            self._show_boxes()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Ask for the rows that the drawing needs."""
        # The width that a grid passes is that of its first column.
        self._rows = self._wanted(self.size.width or container.width)
        return self._rows

    def _wanted(self, width: int) -> int:
        room = self._room
        if self.now.view == "plot":
            return room
        shown = self._network
        if shown is None:
            return rows_needed(self.now, width, room)
        from stepgrad.tui.render.network import rows_in  # noqa: PLC0415

        return rows_in(shown, room)

    @property
    def carries(self) -> bool:
        """Whether numbers can travel along the wires: those of a network are weights."""
        return isinstance(self._view, View)

    @property
    def _network(self) -> Network | None:
        """The network to draw, unless one of its neurons is open."""
        return shown_network(self.now) if open_neuron(self.now) is None else None

    @property
    def _room(self) -> int:
        """The most rows that there are for a drawing."""
        if self.screen.maximized is self:
            return self.size.height
        taken = sum(row.cells or 0 for row in self.screen.styles.grid_rows or ())
        rows = self.screen.size.height - taken - KEYS
        return max(1, share(rows, len(self.now.outline), fit=self.now.fit))

    def _show_plot(self) -> None:
        now, (width, height) = self.now, self.size
        self._view = None
        self._lines = spy(now, width, height)
        scene, rows = now.state.scene, rows_of(now, height)
        part = f"{rows.start + 1:,} to {rows.stop:,} of " if len(rows) < len(scene) else ""
        self._entitle(f"adjacency plot: {part}{len(scene):,} nodes in rows, operands in columns")
        self.refresh()

    def _show_boxes(self) -> None:
        now, before, (width, height) = self.now, self._view, self.size
        shown, neuron = self._network, open_neuron(now)
        if shown is None:
            self._view = view(now, width, height, self._room, self._pan, under_way=self.under_way)
        else:
            from stepgrad.tui.render.network import draw_network  # noqa: PLC0415

            self._view = draw_network(shown, width, height, now.selected, now.secret)
        title = self._view.title
        self._entitle(title if neuron is None else f"{neuron.name}{title.removeprefix('graph')}")
        canvas = self._view.canvas
        if before is None or (before.canvas.width, before.canvas.height) != (width, height):
            self.refresh()
            return
        for row in canvas.rows_unlike(before.canvas):
            self.refresh(Region(0, row, width, 1))

    def _entitle(self, title: str) -> None:
        if self.border_title != title:  # setting it draws everything again
            self.border_title = title

    def render_line(self, y: int) -> Strip:
        """Draw a line of the view."""
        width = self.size.width
        if self._view is not None:
            [line] = self._view.canvas.crop(0, y, width, 1)
        elif y < len(self._lines):
            line = self._lines[y]
        else:
            return Strip.blank(width, self.rich_style)
        return Visual.to_strips(self, line, width, 1, self.visual_style, pad=True)[0]

    def on_mouse_down(self) -> None:
        """Begin a click, or a pan."""
        self._panned = False

    def point_at(self, at: Offset) -> None:
        """Point at the node or the edge under the mouse."""
        if self._panned:
            return
        x, y = at
        if self._view is None:
            node = node_at(self.now, y, len(self._lines))
            if node is not None:
                self.post_message(self.NodeSelected(node))
        elif isinstance(self._view, View):
            self._point_in(self._view, x, y)
        else:
            node = self._view.node_at(x, y)
            if node is not None:
                self.post_message(self.NodeSelected(node))

    def _point_in(self, view: View, x: int, y: int) -> None:
        """Point at what is drawn in a cell; where edges share a trunk, at the operand of all."""
        drawing = view.drawing
        box, wires = view.box_at(x, y), view.wires_at(x, y)
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
            self._move(-event.delta_x, -event.delta_y)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom into the plot where the mouse is; move up."""
        self._turn_wheel(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out of the plot; move down."""
        self._turn_wheel(event, -1)

    def on_mouse_scroll_left(self) -> None:
        """Move to the left."""
        self._move(-2 * WHEEL, 0)

    def on_mouse_scroll_right(self) -> None:
        """Move to the right."""
        self._move(2 * WHEEL, 0)

    def _move(self, columns: int, rows: int) -> None:
        if isinstance(self._view, View):
            self._pan = self._view.pan_by(columns, rows)
            self._show_boxes()

    def _turn_wheel(self, event: events.MouseEvent, steps: int) -> None:
        event.stop()
        event.prevent_default()
        if self._view is not None:
            self._move(0, -WHEEL * steps)
        else:
            node = node_at(self.now, event.get_content_offset_capture(self).y, len(self._lines))
            self.post_message(self.Zoomed(steps, node))
