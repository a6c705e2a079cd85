"""What all panels have in common."""

from __future__ import annotations

from dataclasses import dataclass

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

    auto_links = reactive(False)  # there are no links, so no line need be searched for them

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
    class Seek(Pointed):
        """A person pointed at a position."""

        position: int

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

    def watch_diagnosis(self) -> None:
        """Say it."""
        self.watch_session()
