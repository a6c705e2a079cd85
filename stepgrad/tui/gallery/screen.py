"""The gallery: the lessons of a course, how far a person is with them, and which to open."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.system_commands import SystemCommandsProvider
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from stepgrad.course.lessons import Course
from stepgrad.scenario import ProgramFile, matches
from stepgrad.tui.gallery.course import Guide
from stepgrad.tui.gallery.learning import learning
from stepgrad.tui.keymap import shown_keys
from stepgrad.tui.render import ink
from stepgrad.tui.render.course import about, heading, line
from stepgrad.tui.render.lesson import code_span, lesson
from stepgrad.tui.widgets.prompt import Field


class LessonList(OptionList):
    """The titles; the keys are those of the debugger, and the footer names them."""

    BINDINGS = [
        Binding("enter", "screen.open", "open", priority=True),
        Binding("down,j", "cursor_down", "next", show=False, id="select_down", priority=True),
        Binding("up,k", "cursor_up", "previous", show=False, id="select_up", priority=True),
        Binding("home,g", "first", "first", show=False, id="start", priority=True),
        Binding("end,G", "last", "last", show=False, id="end", priority=True),
    ]

    class Resized(Message):
        """Its lines have another width."""

    def on_resize(self) -> None:
        """Ask for lines of this width."""
        self.post_message(self.Resized())

    def scroll_to_highlight(self, top: bool = False) -> None:
        """Scroll to a lesson, and above the first of a level to the level's name as well."""
        super().scroll_to_highlight(top)
        above = (self.highlighted or 0) - 1
        if above >= 0 and self.options[above].disabled:  # each option is one line
            self.scroll_to_region(Region(0, above, 1, 2), force=True, animate=False)


class LessonText(Static):
    """All of a lesson, as the debugger shows it."""

    auto_links = reactive(False)  # keys are for the debugger
    markdown = reactive("", init=False)

    def watch_markdown(self) -> None:
        """Lay it out for the width at hand."""
        code = partial(code_span, keys=shown_keys(self))
        self.update(Content("\n").join(lesson(self.markdown, self.size.width, code)))

    def on_resize(self) -> None:
        """Lay it out again."""
        self.watch_markdown()


class Search(Field):
    """Where a person types what to look for; the keys that are not typed act on the list."""

    BINDINGS = [
        Binding("enter,ctrl+j", "screen.open", "open", priority=True),
        Binding("escape", "screen.clear", "all lessons", priority=True),
        Binding("down", "screen.move(1)", show=False, priority=True),
        Binding("up", "screen.move(-1)", show=False, priority=True),
    ]

    def __init__(self) -> None:
        super().__init__(placeholder="words of a title or a text", compact=True, id="sought")
        self.display = False


class GalleryScreen(Screen[None]):
    """The titles of all lessons, or of those that are sought, and the text of the chosen one."""

    BINDINGS = [
        Binding("slash", "search", "search", id="search", priority=True),
        Binding("q", "dismiss", "quit", id="quit", priority=True),
        Binding("escape", "clear", show=False),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-wide")]
    COMMANDS = {SystemCommandsProvider}
    AUTO_FOCUS = "LessonList"

    def __init__(self, course: Course) -> None:
        super().__init__()
        self._learner = learning(self.notify, course.kept)
        self._guide = Guide(self.app, course, self._learner, self._list)
        self._course, self._lessons = course, course.lessons

    def compose(self) -> ComposeResult:
        """Lay the list beside the lesson."""
        yield Static(id="top")
        yield Search()
        with Horizontal():
            yield LessonList()
            with VerticalScroll(id="preview", can_focus=False):
                yield Static(id="title")
                yield Static(id="command")
                yield LessonText(id="text")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin with the lesson to continue with."""
        # A watcher is told at once; a message would come after an Enter that is typed ahead.
        self.watch(self._search, "value", self._seek, init=False)
        self._learner.read()
        self._list(self._learner.progress.current(self._course.names))

    @on(LessonList.Resized)
    def _relist(self) -> None:
        """List them in lines of another width."""
        self._list(self._chosen)

    def check_action(self, action: str, _: tuple[object, ...]) -> bool:
        """Leave the letters to what is being typed."""
        return not (self._search.has_focus and action in ("dismiss", "search"))

    @property
    def _search(self) -> Search:
        return self.query_one(Search)

    def _list(self, name: str | None) -> None:
        """List the lessons that are sought, and point at one; if it is not there, at the first."""
        progress, lessons = self._learner.progress, self.query_one(LessonList)
        titles = {each: file.title for each, file in self._lessons.items()}
        self.query_one("#top", Static).update(heading(self._course.title, progress, titles))
        lessons.clear_options()
        lessons.add_options(self._options())
        names = [option.id for option in lessons.options]
        lessons.highlighted = names.index(name) if name and name in names else 1
        self.query_one("#preview").visible = self._chosen is not None

    def _options(self) -> Iterator[Option]:
        """A line for each lesson, below the name of its level."""
        sought, mark = self._search.value, self._learner.progress.mark
        width = self.query_one(LessonList).scrollable_content_region.width
        found = [name for name, file in self._lessons.items() if matches(sought, name, file)]
        for above, names in self._course.grouped(found):
            yield Option(Content.styled(above, ink.QUIET), disabled=True)
            for name in names:
                yield Option(line(self._lessons[name].title, mark(name), width), name)
        if not found:
            yield Option("no lesson has these words", disabled=True)

    @on(OptionList.OptionHighlighted)
    def _preview(self, event: OptionList.OptionHighlighted) -> None:
        """Show a lesson: what it builds on, how to open it without the gallery, and its text."""
        name, mark = event.option_id or "", self._learner.progress.mark
        file = self._lessons[name]
        self.query_one("#title", Static).update(Content.styled(file.title, ink.NAME))
        self.query_one(LessonText).markdown = file.lesson
        self.query_one("#preview").scroll_home(animate=False)
        before = [(self._lessons[each].title, mark(each)) for each in self._course.before(name)]
        fails = isinstance(file, ProgramFile) and file.fails
        typed = shlex.quote(self._course.typed(name))
        self.query_one("#command", Static).update(about(typed, mark(name), before, fails=fails))

    def action_search(self) -> None:
        """Ask what to look for."""
        self._search.display = True
        self.set_focus(self._search)

    def _seek(self) -> None:
        """List what is sought, while it is typed."""
        self._list(self._chosen)

    def action_clear(self) -> None:
        """List all lessons again."""
        self._search.value = ""
        self._search.display = False
        self.set_focus(self.query_one(LessonList))

    def action_move(self, by: int) -> None:
        """Point at another lesson while something is sought."""
        lessons = self.query_one(LessonList)
        (lessons.action_cursor_down if by > 0 else lessons.action_cursor_up)()

    @property
    def _chosen(self) -> str | None:
        chosen = self.query_one(LessonList).highlighted_option
        return chosen.id if chosen else None

    async def action_open(self) -> None:
        """Open the lesson that the list points at; the keys that follow wait for its screen."""
        if self._chosen is not None:
            await self._guide.open(self._chosen)

    @on(OptionList.OptionSelected)
    async def _clicked(self, event: OptionList.OptionSelected) -> None:
        await self._guide.open(event.option_id or "")
