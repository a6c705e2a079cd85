"""The gallery: the lessons that ship, to choose one from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from itertools import groupby

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.geometry import Region
from textual.reactive import reactive
from textual.screen import Screen
from textual.system_commands import SystemCommandsProvider
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from stepgrad.errors import StepgradError
from stepgrad.program import run_program
from stepgrad.scenario import ProgramFile, ScenarioFile, gallery
from stepgrad.tui.dialogs import WaitDialog
from stepgrad.tui.keymap import shown_keys
from stepgrad.tui.render import ink
from stepgrad.tui.render.lesson import code_span, lesson
from stepgrad.tui.screen import DebuggerScreen
from stepgrad.tui.work import PATIENCE, Growing


class LessonList(OptionList):
    """The titles; the keys are those of the debugger, and the footer names them."""

    BINDINGS = [
        Binding("enter", "screen.open", "open", priority=True),
        Binding("down,j", "cursor_down", "next", show=False, id="select_down", priority=True),
        Binding("up,k", "cursor_up", "previous", show=False, id="select_up", priority=True),
        Binding("home,g", "first", "first", show=False, id="start", priority=True),
        Binding("end,G", "last", "last", show=False, id="end", priority=True),
    ]

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


class GalleryScreen(Screen[None]):
    """The titles of all lessons, and the text of the chosen one."""

    BINDINGS = [Binding("q", "dismiss", "quit", id="quit", priority=True)]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-wide")]
    COMMANDS = {SystemCommandsProvider}

    def __init__(self) -> None:
        super().__init__()
        self._lessons = gallery()

    def compose(self) -> ComposeResult:
        """Lay the list beside the lesson."""
        yield Static(Content.assemble((" stepgrad  ", ink.NAME), "choose a lesson"), id="top")
        with Horizontal():
            yield LessonList(*self._options())
            with VerticalScroll(id="preview", can_focus=False):
                yield Static(id="title")
                yield Static(id="command")
                yield LessonText(id="text")
        yield Footer(show_command_palette=False)

    def _options(self) -> Iterator[Option]:
        """A line for each lesson, below the name of its level."""
        for level, lessons in groupby(self._lessons.items(), lambda item: item[1].model.level):
            yield Option(Content.styled(level or "other", ink.QUIET), disabled=True)
            for name, file in lessons:
                yield Option(f"  {file.title}", name)

    @on(OptionList.OptionHighlighted)
    def _preview(self, event: OptionList.OptionHighlighted) -> None:
        """Show a lesson: what it builds on, how to open it without the gallery, and its text."""
        file = self._lessons[event.option_id or ""]
        self.query_one("#title", Static).update(Content.styled(file.title, ink.NAME))
        self.query_one(LessonText).markdown = file.lesson
        self.query_one("#preview").scroll_home(animate=False)
        builds_on = ", ".join(self._lessons[name].title for name in file.model.after)
        after = f"\nafter: {builds_on}" if builds_on else ""
        fails = isinstance(file, ProgramFile) and file.fails
        check = f"\nstepgrad check {event.option_id}: fails, as it is meant to" if fails else ""
        command = Content.styled(f"stepgrad run {event.option_id}{check}{after}", ink.QUIET)
        self.query_one("#command", Static).update(command)

    async def action_open(self) -> None:
        """Open the lesson that the list points at; the keys that follow wait for its screen."""
        lesson = self.query_one(LessonList).highlighted_option
        if lesson is not None:
            await self._open(lesson.id)

    @on(OptionList.OptionSelected)
    async def _clicked(self, event: OptionList.OptionSelected) -> None:
        await self._open(event.option_id)

    async def _open(self, name: str | None) -> None:
        """Record a lesson and open the debugger on it, as soon as there is something to see."""
        file = self._lessons[name or ""]
        if isinstance(file, ProgramFile):  # those that ship take no time to run
            with redirect_stdout(StringIO()):
                run = run_program(str(file.path))
            await self.app.push_screen(DebuggerScreen(run.recording))
            return
        growing = Growing(file)
        if growing.wait(PATIENCE):
            await self._debug(file, growing)
            return

        async def begun(done: bool | None) -> None:
            if done:
                await self._debug(file, growing)

        await self.app.push_screen(WaitDialog(f"recording {file.path.name}", growing), begun)

    async def _debug(self, file: ScenarioFile, growing: Growing) -> None:
        try:
            await self.app.push_screen(DebuggerScreen(growing.result(), file, growing))
        except StepgradError as error:
            self.app.notify(str(error), severity="error", markup=False)
