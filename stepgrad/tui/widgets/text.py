"""Panels that are one text: header, chain line, node and timeline."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.geometry import Size

from stepgrad.replay.commands.hints import with_keys
from stepgrad.scenario.expect import checks
from stepgrad.scenario.load import ScenarioFile
from stepgrad.tui.keymap import shown_keys
from stepgrad.tui.render import ink
from stepgrad.tui.render.chain import chain
from stepgrad.tui.render.header import header
from stepgrad.tui.render.node import event_at, heading, node_panel
from stepgrad.tui.render.timeline import position_at, timeline
from stepgrad.tui.render.training import step_at, training
from stepgrad.tui.widgets.panel import DiagnosedPanel, Panel
from stepgrad.tui.widgets.slider import Slider


class Header(DiagnosedPanel):
    """The recording, the phase, the position, what the checks say, and how much is wrong."""

    def __init__(self, name: str, scenario: ScenarioFile | None, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._title = name
        self._scenario = scenario

    def render(self) -> Content:
        """Draw the header."""
        state = self.state
        held = checks(self._scenario, state.recording, state.position) if self._scenario else []
        counts = sum(check.ok for check in held), len(held)
        verdicts = len(self.diagnosis.verdicts) if self.diagnosis else 0
        return header(
            self.now, self._title, counts, self.size.width, keys=shown_keys(self), verdicts=verdicts
        )


class Chain(Panel):
    """The chain line of the current event."""

    def render(self) -> Content:
        """Draw the chain line."""
        state = self.state
        return chain(state.recording, state.position, self.size.width, shown_keys(self))

    def show(self) -> None:
        """Put the message of the last command into the border."""
        said = with_keys(self.now.said, shown_keys(self))
        self.border_title = Content.assemble("chain rule", (f"  {said}", ink.CURRENT))
        self.refresh()


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
        self.border_title = Content("node" if subject is None else heading(self.state, subject))
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Go to the event that a person pointed at, unless they were marking text."""
        if self.now.subject is None or self.text_selection is not None:
            return
        y = event.get_content_offset_capture(self).y
        position = event_at(self.state, self.now.subject, *self._room, y)
        if position is not None:
            self.post_message(self.EventPointed(self.now.subject, position))


class Training(Panel):
    """The loss curve, the decision boundary and the answers, at the training step at hand."""

    BORDER_TITLE = "training"

    def render(self) -> Content:
        """Draw it."""
        return training(self.state, *self.size)

    def on_click(self, event: events.Click) -> None:
        """Go to the training step that a person pointed at."""
        position = step_at(self.state, *self.size, *event.get_content_offset_capture(self))
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

    def on_click(self, event: events.Click) -> None:
        """Go to where a person pointed."""
        position = position_at(
            self.state, self.size.width, event.get_content_offset_capture(self).x
        )
        if position is not None:
            self.post_message(self.Seek(position))
