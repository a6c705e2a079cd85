"""The slider at a selected leaf: click, drag or wheel."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content

from stepgrad.replay.commands.turning import knob
from stepgrad.replay.session import Session
from stepgrad.tui.render.slider import number_at, slider
from stepgrad.tui.widgets.panel import Panel


class Slider(Panel):
    """A dial of the selected input or parameter; without one it is not there."""

    ALLOW_SELECT = False

    _held: Session | None = None  # where a drag began: its dial stays under the mouse
    _last: float | None = None  # the number that was pointed at last
    _begins = False

    @dataclass
    class Nudged(Panel.Pointed):
        """A person turned the wheel."""

        count: int

    @dataclass
    class Set(Panel.Pointed):
        """A person pointed at a number: a drag `begins`, or goes on."""

        x: float
        begins: bool

    def show(self) -> None:
        """Appear at a leaf, and disappear."""
        there = knob(self.now) is not None
        if there != self.display:
            self.display = there
        if there:
            self.refresh()

    def render(self) -> Content:
        """Draw the dial."""
        node = knob(self.now)
        return Content() if node is None else slider(self.now, node, self.size.width, self._held)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to drag."""
        self.capture_mouse()
        self._held, self._last, self._begins = self.now, None, True
        self._point(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag."""
        if self.app.mouse_captured is self:
            self._point(event)

    def on_mouse_up(self) -> None:
        """Let go."""
        self.release_mouse()
        self._held = None
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Keep a click from the panel below."""
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Nudge up."""
        self._nudge(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Nudge down."""
        self._nudge(event, -1)

    def _nudge(self, event: events.MouseEvent, count: int) -> None:
        event.stop()
        event.prevent_default()
        self.post_message(self.Nudged(count))

    def _point(self, event: events.MouseEvent) -> None:
        """Point at the number under the mouse, be it beyond an end."""
        event.stop()
        node = knob(self.now)
        if node is None:
            return
        x = number_at(self._held or self.now, node, self.size.width, event.x)
        last = self.now.recording.history.first_value(node) if self._last is None else self._last
        if x != last:
            self.post_message(self.Set(x, self._begins))
            self._begins = False
        self._last = x
