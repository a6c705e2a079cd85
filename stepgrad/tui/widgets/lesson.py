"""The lesson: all of its steps in a panel, and the current one in a strip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.content import Content
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from stepgrad.replay.commands.hints import Keymap
from stepgrad.tui.keymap import key_name, keys_in_force, shown_keys
from stepgrad.tui.render import ink
from stepgrad.tui.widgets.lists import Lines
from stepgrad.tui.widgets.panel import DiagnosedPanel

if TYPE_CHECKING:
    from stepgrad.diagnosis.verdict import Verdict
    from stepgrad.replay.lesson.following import Lesson

Column = tuple[Sequence[Content], range]
"""The lines of a lesson, and which of them are those of the current step."""


def _ending(widget: Widget, keys: Keymap, *, onward: bool) -> Content:
    """The line at the end of a lesson: what there is to do next, and where `q` leads."""
    from stepgrad.tui.render.steps import ending  # noqa: PLC0415 - after the first paint

    below = widget.screen in widget.app.screen_stack[2:]  # above the first of all
    return ending(keys, onward=onward, below="gallery" if below else "quit")


class LessonPanel(Lines, DiagnosedPanel, can_focus=True):
    """The lesson, below what is wrong unless it promises that, with the current step in view.

    Without steps it is the `text` that a program says of itself. If it does not fit, the last line
    says how to see all of it. At its end, it may lead `onward` to another lesson.
    """

    BORDER_TITLE = "lesson"
    FOCUS_ON_CLICK = False
    BINDINGS = [
        Binding("down,j", "scroll_down", show=False, id="select_down"),
        Binding("up,k", "scroll_up", show=False, id="select_up"),
    ]

    lesson: reactive[Lesson | None] = reactive["Lesson | None"](None, repaint=False)

    def __init__(self, text: str, *, onward: bool, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._text = text
        self._onward = onward
        self._more = ""
        self._opened = False
        self._shown = (range(0), 0)
        self._laid_out: tuple[object, Column] = (None, ((), range(0)))

    def open(self) -> None:
        """Show the text: until then there is none, since reading Markdown takes a while."""
        self._opened = True
        self.show()

    def watch_lesson(self) -> None:
        """Show another step."""
        self.watch_session()

    def _column(self, width: int) -> Column:
        """Return the lines, which are the same until a step is done or something is found wrong."""
        if not (self._opened and width):  # out of view, there is nothing to wrap the text in
            return (), range(0)
        about = self.lesson, self._open_verdicts, width
        if self._laid_out[0] != about:
            self._laid_out = about, self._lay_out(width)
        return self._laid_out[1]

    @property
    def _open_verdicts(self) -> Sequence[Verdict]:
        return [*self.diagnosis.open] if self.diagnosis else []

    def _lay_out(self, width: int) -> Column:
        from stepgrad.tui.render.lesson import lesson  # noqa: PLC0415 - after the first paint
        from stepgrad.tui.render.steps import column  # noqa: PLC0415

        keys = shown_keys(self)
        first = None
        if self.diagnosis and self._open_verdicts:
            from stepgrad.tui.render.listing import alarm  # noqa: PLC0415 - found out later

            first = alarm(self.diagnosis, keys)
        above = [*first.wrap(width), Content()] if first else []
        if self.lesson is None:
            return [*above, *lesson(self._text, width)], range(0)
        steps = column(self.lesson, width, keys, _ending(self, keys, onward=self._onward))
        start, stop = (line + len(above) for line in (steps.current.start, steps.current.stop))
        return [*above, *steps.lines], range(start, stop)

    @property
    def _lines(self) -> Sequence[Content]:
        return self._column(self.room)[0]

    @property
    def count(self) -> int:
        """As many lines as it takes at this width."""
        return len(self._lines)

    def line(self, number: int, width: int) -> Content:
        """Draw a line of the lesson."""
        lines, _ = self._column(width)
        return lines[number] if number < len(lines) else Content()

    def line_of_interest(self) -> int | None:
        """The first line of the current step."""
        _, current = self._column(self.room)
        return current.start if current else None

    def _scrolled(self, height: int) -> int | None:
        """Show all of the current step, or its beginning; scroll no farther than that takes."""
        _, current = self._column(self.room)
        shown = current, height
        if shown == self._shown:
            return None  # a person may have scrolled since
        self._shown = shown
        top, room = self.scroll_offset.y, height - 1  # the last line may say that there is more
        if not current or (top <= current.start and current.stop <= top + room):
            return None
        before = current.start < top or len(current) > room
        return current.start if before else current.stop - room

    def on_resize(self) -> None:
        """Find out how to see all of it."""
        keys = keys_in_force(self).get("show_lesson", ())
        alone = self.screen.maximized is self
        self._more = "↓" if alone else f"{key_name(keys[0])} shows all" if keys else ""
        super().on_resize()

    def render_line(self, y: int) -> Strip:
        """Draw a line of the view; the last one is a mark where more would follow."""
        height = self.size.height
        if y == height - 1 and self.scroll_offset.y + height < self.count:
            return self._strip(ink.line(("… ", ink.QUIET), (self._more, ink.CURRENT)))
        return super().render_line(y)


class LessonStrip(Widget):
    """The current step, where there is no room for all of them; at the end, what is next."""

    lesson: reactive[Lesson | None] = reactive["Lesson | None"](None)

    auto_links = reactive(False)

    def __init__(self, *, onward: bool, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._onward = onward

    def render(self) -> Content:
        """Draw it."""
        if self.lesson is None:
            return Content()
        from stepgrad.tui.render.steps import strip  # noqa: PLC0415 - after the first paint

        keys = shown_keys(self)
        return strip(self.lesson, self.size.width, keys, _ending(self, keys, onward=self._onward))
