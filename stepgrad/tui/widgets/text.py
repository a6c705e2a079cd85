"""Panels that are one text: header, chain line, node, timeline and keys."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Offset, Size

from stepgrad.replay.commands.hints import with_keys
from stepgrad.replay.commands.moment import enter, of_the_moment
from stepgrad.scenario.expect import checks
from stepgrad.scenario.load import ScenarioFile
from stepgrad.tui.keymap import keys_in_force, shown_keys
from stepgrad.tui.render import ink
from stepgrad.tui.render.chain import ROWS, chain, node_at
from stepgrad.tui.render.footer import Key, footer, written
from stepgrad.tui.render.header import header
from stepgrad.tui.render.node import event_at, heading, node_panel
from stepgrad.tui.render.timeline import position_at, timeline
from stepgrad.tui.render.training import step_at, training
from stepgrad.tui.widgets.panel import DiagnosedPanel, Panel
from stepgrad.tui.widgets.prompt import Prompt
from stepgrad.tui.widgets.slider import Slider

_CHAIN = "chain rule"


class Header(DiagnosedPanel):
    """The recording, the phase, the position, what the checks say, and how much is wrong."""

    def __init__(
        self,
        name: str,
        scenario: ScenarioFile | None,
        title: str,
        *,
        id: str,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._file = name
        self._title = title
        self._scenario = scenario

    def render(self) -> Content:
        """Draw the header."""
        state = self.state
        held = checks(self._scenario, state.recording, state.position) if self._scenario else []
        counts = sum(check.ok for check in held), len(held)
        return header(
            self.now,
            self._file,
            counts,
            self.size.width,
            title=self._title,
            keys=shown_keys(self),
            verdicts=self.verdicts,
        )


class Keys(DiagnosedPanel):
    """The keys that are of use now; of a prompt, those that end it. A click on one presses it."""

    def __init__(self, *, lesson: bool, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._lesson = lesson
        self._names: tuple[str, ...] = ()
        self._words: dict[str, str] = {}

    def on_mount(self) -> None:
        """Look again whenever a prompt takes the keys, or gives them back."""
        self.watch(self.screen, "focused", self._focus_moved, init=False)

    def _focus_moved(self) -> None:
        self.refresh()

    def show(self) -> None:
        """Find out which keys these are, and draw them if they are others than before."""
        names = of_the_moment(self.now, lesson=self._lesson, verdicts=self.verdicts)
        words = {"jump": enter(self.now)} if "jump" in names else {}
        if (names, words) != (self._names, self._words):
            self._names, self._words = names, words
            self.refresh()

    def render(self) -> Content:
        """Draw the keys."""
        if self.screen.focused is not None and isinstance(self.screen.focused.parent, Prompt):
            return written([Key("Enter", "answer"), Key("Esc", "leave")])
        return footer(self._names, keys_in_force(self), self.size.width, self._words)


class Chain(Panel):
    """The chain line of the current event; a click on the name of a node selects it.

    The message of the last command is in the border. One that is too long for it has the lines
    below instead, until the next command.
    """

    def render(self) -> Content:
        """Draw the chain line, or a long message."""
        state = self.state
        if message := self._message():
            return message
        return chain(state.recording, state.position, self.size.width, shown_keys(self))

    def point_at(self, at: Offset) -> None:
        """Select the node whose name a person pointed at, unless they were marking text."""
        state = self.state
        if self._message():
            return
        node = node_at(state.recording, state.position, self.size.width, at.x, at.y)
        if node is not None and self.text_selection is None:
            self.post_message(self.NodeSelected(node))

    def show(self) -> None:
        """Put the message of the last command into the border, if it has room there."""
        said = with_keys(self.now.said, shown_keys(self))
        message = [(f"  {said}", ink.CURRENT)] if said and not self._message() else []
        self.border_title = Content.assemble(_CHAIN, *message)
        self.refresh()

    def on_resize(self) -> None:
        """Look again whether there is room for the message."""
        if self.session is not None:
            self.show()

    def _message(self) -> Content | None:
        """Return a message that is too long for the border, in lines."""
        said, width = with_keys(self.now.said, shown_keys(self)), self.size.width
        if not width or cell_len(f"{_CHAIN}  {said}") <= width:
            return None
        rows = Content.styled(said, ink.CURRENT).wrap(width)
        last = Content(" ").join(rows[ROWS - 1 :]).truncate(width, ellipsis=True)
        return Content("\n").join([*rows[: ROWS - 1], last])


class NodePanel(Panel):
    """Everything about one node; a click on a contribution goes to its event."""

    def render(self) -> Content:
        """Draw the node."""
        if self.now.subject is None:
            return Content.styled("no node yet", ink.QUIET)
        return node_panel(self.state, self.now.subject, *self._room, self.now.secret)

    def compose(self) -> ComposeResult:
        """Have a slider at hand."""
        self._slider = Slider().data_bind(NodePanel.session)
        yield self._slider

    @property
    def _room(self) -> Size:
        """The width and the height that the slider leaves."""
        width, height = self.size
        return Size(width, max(height - self._slider.display, 0))

    def show(self) -> None:
        """Put what the node is into the border."""
        subject = self.now.subject
        selected = self.now.selected is not None
        title = "node" if subject is None else heading(self.state, subject, selected=selected)
        self.border_title = Content(title)
        self.refresh()

    def point_at(self, at: Offset) -> None:
        """Go to the event that a person pointed at, unless they were marking text."""
        if self.now.subject is None or self.text_selection is not None:
            return
        position = event_at(self.state, self.now.subject, *self._room, at.y)
        if position is not None:
            self.post_message(self.EventPointed(self.now.subject, position))


class Training(Panel):
    """The loss curve, the decision boundary and the answers, at the training step at hand."""

    BORDER_TITLE = "training"

    _drawn = Content()

    def show(self) -> None:
        """Draw it if it is another than before: from event to event, it seldom is."""
        if not training(self.state, *self.size).is_same(self._drawn):
            self.refresh()

    def render(self) -> Content:
        """Draw it."""
        self._drawn = training(self.state, *self.size)
        return self._drawn

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Ask for no rows: those of the graph beside it will do."""
        return 0

    def point_at(self, at: Offset) -> None:
        """Go to the training step that a person pointed at."""
        position = step_at(self.state, *self.size, *at)
        if position is not None:
            self.post_message(self.Seek(position))


class Timeline(DiagnosedPanel):
    """The phases of the recording, and how far it has come; a click seeks."""

    def show(self) -> None:
        """Put into the border why the recording ends early, if it does."""
        why = self.state.recording.incomplete
        told = [(f"  {why}", ink.CURRENT)] if why else []
        self.border_title = Content.assemble("timeline", *told)
        self.refresh()

    def render(self) -> Content:
        """Draw the timeline."""
        verdicts = self.diagnosis.open if self.diagnosis else ()
        places = sorted({each.events[0] - 1 for each in verdicts})
        return timeline(self.now, self.size.width, places)

    def point_at(self, at: Offset) -> None:
        """Go to where a person pointed."""
        position = position_at(self.state, self.size.width, at.x)
        if position is not None:
            self.post_message(self.Seek(position))
