"""The gallery: the lessons that ship, to choose one from."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.system_commands import SystemCommandsProvider
from textual.widgets import Footer, LoadingIndicator, Markdown, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import Worker, WorkerState

from stepgrad.errors import StepgradError
from stepgrad.recording.recording import Recording
from stepgrad.scenario import ScenarioFile, gallery
from stepgrad.scenario.build import record_file
from stepgrad.tui.render import ink
from stepgrad.tui.screen import DebuggerScreen

PATIENCE = 0.2
"""Seconds of recording after which a person is told to wait."""


class LessonList(OptionList):
    """The titles; keys as in the debugger, and said in the footer."""

    BINDINGS = [
        Binding("enter", "select", "open"),
        Binding("down,j", "cursor_down", "next", show=False),
        Binding("up,k", "cursor_up", "previous", show=False),
    ]


class GalleryScreen(Screen[None]):
    """The titles of all lessons, and how the chosen one begins."""

    BINDINGS = [Binding("q,escape", "dismiss", "quit")]
    COMMANDS = {SystemCommandsProvider}

    def __init__(self) -> None:
        super().__init__()
        self._lessons = gallery()

    def compose(self) -> ComposeResult:
        """Lay the list beside the beginning of the lesson."""
        yield Static(Content.assemble((" stepgrad  ", ink.NAME), "choose a lesson"), id="top")
        with Horizontal():
            yield LessonList(*self._options())
            with VerticalScroll(id="preview", can_focus=False):
                yield Static(id="title")
                yield Markdown(id="beginning")
                yield Static(id="command")
        yield Footer(show_command_palette=False)

    def _options(self) -> Iterator[Option]:
        """A line for each lesson, below the name of its level."""
        for level, lessons in groupby(self._lessons.items(), lambda item: item[1].model.level):
            yield Option(Content.styled(level or "other", ink.QUIET), disabled=True)
            for name, file in lessons:
                yield Option(f"  {file.title}", name)

    @on(OptionList.OptionHighlighted)
    def _preview(self, event: OptionList.OptionHighlighted) -> None:
        """Show how a lesson begins."""
        file = self._lessons[event.option_id or ""]
        paragraph = file.lesson.strip().split("\n\n")[0]
        self.query_one("#title", Static).update(Content.styled(file.title, ink.NAME))
        self.query_one("#beginning", Markdown).update(paragraph)
        builds_on = ", ".join(self._lessons[name].title for name in file.model.after)
        after = f"after: {builds_on}\n\n" if builds_on else ""
        command = Content.styled(f"{after}stepgrad run {event.option_id}", ink.QUIET)
        self.query_one("#command", Static).update(command)

    @on(OptionList.OptionSelected)
    def _open(self, event: OptionList.OptionSelected) -> None:
        """Record a lesson and open the debugger on it."""
        file = self._lessons[event.option_id or ""]

        def opened(recording: Recording | None) -> None:
            if recording is not None:
                self.app.push_screen(DebuggerScreen(recording, file))

        self.app.push_screen(RecordingScreen(file), opened)


class RecordingScreen(ModalScreen[Recording | None]):
    """Record a scenario beside the screen; answers with the recording, or None if left before.

    The keys go on working. Python ends no thread: a recording that is left runs on to its end, and
    nobody looks at it.
    """

    BINDINGS = [("escape,q", "dismiss", "cancel")]

    def __init__(self, file: ScenarioFile) -> None:
        super().__init__()
        self._file = file

    def compose(self) -> ComposeResult:
        """Show that something is being done; only once it takes long."""
        with Vertical(id="wait") as box:
            box.border_title = Content(f"recording {self._file.path.name}")
            box.border_subtitle = "Esc cancels"
            yield LoadingIndicator()

    def on_mount(self) -> None:
        """Start, and wait a moment before saying so."""
        self.run_worker(partial(record_file, self._file), thread=True, exit_on_error=False)
        self.set_timer(PATIENCE, partial(self.add_class, "-waiting"))

    @on(Worker.StateChanged)
    def _recorded(self, event: Worker.StateChanged) -> None:
        """Hand the recording over, or say what is wrong."""
        match event.state, event.worker.error:
            case WorkerState.SUCCESS, _:
                self.dismiss(event.worker.result)
            case WorkerState.ERROR, StepgradError() as error:
                self.app.notify(str(error), severity="error", markup=False)
                self.dismiss(None)
            case WorkerState.ERROR, error if error is not None:
                raise error
