"""What all panels have in common."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.geometry import Offset
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.scenario.diagnosed import Diagnosis


class Panel(Widget):
    """A view of the screen's session, which reaches it by data binding."""

    DEFAULT_CLASSES = "panel"

    session: reactive[Session | None] = reactive[Session | None](None, repaint=False)

    auto_links = reactive(False)  # what can be clicked looks like the rest, and costs no search

    class Pointed(Message):
        """A person pointed at something."""

    @dataclass
    class NodeSelected(Pointed):
        """A person pointed at a node."""

        node: int

    @dataclass
    class EventPointed(Pointed):
        """A person pointed at what an event did to a node."""

        node: int
        position: int

    @dataclass
    class EdgePointed(Pointed):
        """A person pointed at an edge: a node, and which operand of it."""

        out: int
        slot: int

    @dataclass
    class Zoomed(Pointed):
        """A person turned the wheel on a plot, at a node."""

        steps: int
        node: int | None

    @dataclass
    class ScopePointed(Pointed):
        """A person pointed at a scope."""

        scope: str

    @dataclass
    class LinePointed(Pointed):
        """A person pointed at a line of a file (None: of the program that is replayed)."""

        file: str | None
        line: int

    @dataclass
    class Seek(Pointed):
        """A person pointed at a position."""

        position: int

    @dataclass
    class TitlePointed(Pointed):
        """A person pointed at the title of a panel."""

        panel: str

    def on_click(self, event: events.Click) -> None:
        """Find out what a person pointed at: the title, or something below it.

        A text with an action of its own (`ink.doing`) needs no more.
        """
        if "@click" in event.style.meta:
            return
        at = event.get_content_offset_capture(self)
        if at.y >= 0:
            self.point_at(at)
        elif self.border_title and self.id:
            self.post_message(self.TitlePointed(self.id))

    def point_at(self, at: Offset) -> None:
        """Act on a click at a place within the panel; most panels have nothing to do."""

    def watch_session(self) -> None:
        """Show another moment."""
        if self.session is not None:
            self.show()

    def show(self) -> None:
        """Bring what is kept for drawing up to date with the session, and draw it."""
        self.refresh()

    @property
    def now(self) -> Session:
        """The session."""
        assert self.session is not None, "panels are shown by a screen that has a session"
        return self.session

    @property
    def state(self) -> State:
        """The state at the cursor."""
        return self.now.state


class DiagnosedPanel(Panel):
    """A panel that says what is wrong in the recording, once the screen knows."""

    diagnosis: reactive[Diagnosis | None] = reactive[Diagnosis | None](None, repaint=False)

    @property
    def verdicts(self) -> int:
        """How many verdicts are known."""
        return len(self.diagnosis.verdicts) if self.diagnosis else 0

    def watch_diagnosis(self) -> None:
        """Say it."""
        self.watch_session()
