"""The debugger's screen: the panels, which get its session, and the keys."""

from __future__ import annotations

from functools import partialmethod
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widget import Widget
from textual.widgets import Static

from stepgrad.errors import StepgradError
from stepgrad.replay.commands import table
from stepgrad.replay.commands.looking import fold, zoom_by
from stepgrad.replay.commands.moment import panels
from stepgrad.replay.commands.moving import go_to_edge, go_to_line
from stepgrad.replay.commands.parameters import ACTS
from stepgrad.replay.commands.saving import leaving
from stepgrad.replay.commands.script import read
from stepgrad.replay.commands.table import Command
from stepgrad.replay.session import Session
from stepgrad.replay.training import parameters, trains
from stepgrad.scenario.about import about
from stepgrad.scenario.load import ScenarioFile
from stepgrad.tui.keymap import binding, keys_in_force, shown_keys
from stepgrad.tui.render.notice import EMPTY, alone, hidden, small
from stepgrad.tui.screen.playing import Player
from stepgrad.tui.screen.turning import TurningScreen
from stepgrad.tui.widgets.graph import GraphPanel
from stepgrad.tui.widgets.lesson import LessonPanel, LessonStrip
from stepgrad.tui.widgets.lists import Parameters, SourcePanel, Tape
from stepgrad.tui.widgets.panel import DiagnosedPanel, Panel
from stepgrad.tui.widgets.text import Chain, Header, Keys, NodePanel, Timeline, Training
from stepgrad.tui.work import Growing

if TYPE_CHECKING:
    from textual.command import Provider

BROAD = 160
"""From this width on, the graph of a training shares the screen evenly with its course."""

FEW = 3
"""Up to this many parameters, their panel is no higher than it has to be."""


def _palette() -> type[Provider]:
    from stepgrad.tui.dialogs.palette import CommandProvider  # noqa: PLC0415 - after the first paint

    return CommandProvider


class DebuggerScreen(TurningScreen):
    """The panels, around one session."""

    BINDINGS = [
        *(binding(command) for command in table.COMMANDS if command.name != "palette"),
        # What a terminal's user presses when lost.
        Binding("ctrl+c", "quit", show=False, priority=True),
    ]
    COMMANDS = {_palette}
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-slim"), (80, "-narrow"), (120, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-middling"), (36, "-high")]
    AUTO_FOCUS = ""
    ALLOW_IN_MAXIMIZED_VIEW = "#header, #strip, #chain, #notice, #prompt, #keys"

    def __init__(
        self,
        session: Session,
        scenario: ScenarioFile | None = None,
        growing: Growing | None = None,
    ) -> None:
        super().__init__(session, growing, about(session.recording, scenario))
        self._scenario = scenario
        self.player = Player(self)

    def compose(self) -> ComposeResult:
        """Lay the panels out; the style sheet says where."""
        self._classify()
        recording, text = self.now.recording, self.says.text
        shown: list[Panel | LessonStrip] = [
            Header(recording.name, self._scenario, self.says.title, id="header"),
            Tape(id="tape"),
            NodePanel(id="node"),
            *([LessonPanel(text, onward=self.ONWARD, id="lesson")] if text else []),
            SourcePanel(id="source"),
            Parameters(id="parameters"),
            GraphPanel(id="graph"),
            Training(id="training"),
            LessonStrip(onward=self.ONWARD, id="strip"),
            Chain(id="chain"),
            Timeline(id="timeline"),
        ]
        keys = Keys(lesson=bool(text), id="keys")
        for panel in (*shown, keys):
            if isinstance(panel, DiagnosedPanel):
                panel.data_bind(DebuggerScreen.diagnosis)
            if isinstance(panel, LessonPanel | LessonStrip):
                panel.data_bind(DebuggerScreen.lesson)
            yield panel.data_bind(DebuggerScreen.session) if isinstance(panel, Panel) else panel
        notice = Static(id="notice")
        notice.auto_links = False
        yield notice
        yield self.prompt

    def _classify(self) -> None:
        """Take on the classes of the terminal's size, as a resize would after a layout without."""
        points = self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS
        for extent, classes in zip(self.app.size, map(dict, points), strict=True):
            self.add_class(classes[max(least for least in classes if least <= extent)])
        self.set_class(self.app.size.width >= BROAD, "-broad")
        self.watch_session()

    def perform(self, command: Command) -> None:
        """Carry out a command of the table, after asking for what it wants to know."""
        if not command.counts:  # it is about what the turns lead to
            self.carry_out_turns()
        before = self.view
        if command.name == "save" and self.app.is_web:  # its files are on another's machine
            self.session = self.now.say("from a browser, nothing is saved on this machine")
        elif command.panel:
            self._show_panel(command.panel)
            self.carried_out(command.name)
        else:
            self.player.pause()  # a person moves now
            if isinstance(self.maximized, Parameters):
                command = command._replace(act=ACTS.get(command.name, command.act))
            super().perform(command)
        self.count(command, before)

    @on(events.ScreenSuspend)
    @on(Panel.Pointed)
    def turn_away(self) -> None:
        """Pause, and ask no more: a question is about what the screen has shown so far."""
        self.player.pause()
        self.prompt.action_leave()

    def _show_panel(self, name: str) -> None:
        """Show a panel alone, or all of them again."""
        panel = next((each for each in self._panels if each.id == name), None)
        if panel is None:
            self.session = self.now.say(f"{name}: {EMPTY[name]}")
        else:
            self._show_alone(None if panel is self.maximized else panel)

    def action_next_panel(self) -> None:
        """Show the next panel alone; after the last, all of them."""
        self._turn_to(1)

    def action_previous_panel(self) -> None:
        """Show the previous panel alone; before the first, all of them."""
        self._turn_to(-1)

    def _turn_to(self, by: int) -> None:
        views = [None, *self._panels]
        self._show_alone(views[(views.index(self.maximized) + by) % len(views)])

    @property
    def _panels(self) -> list[Widget]:
        """The panels that can have the screen to themselves, in the order of their keys."""
        filled = panels(self.now.recording, lesson=bool(self.says.text))
        return [self.query_one(f"#{name}") for name in filled]

    def _show_alone(self, panel: Widget | None) -> None:
        """Show a panel alone, or all; one with text to scroll gets the arrow keys."""
        self.maximized = panel
        self.focus_panel()

    def watch_session(self) -> None:
        """Make room for what there is to see, and find out what is wrong with it."""
        self.look()
        now = self.now
        trained = len(parameters(now.recording))
        self.update_classes(  # all at once: each change of a class matches the style sheet again
            {
                "-lesson": bool(self.says.text),
                "-guided": self.says.guides,
                "-trained": trained > 0,
                "-few": 0 < trained <= FEW,
                "-training": trains(now.recording),
            }
        )

    def watch_maximized(self) -> None:
        """Name the keys that lead back; all of the lesson takes the place of its current step."""
        self.set_class(isinstance(self.maximized, LessonPanel), "-reading")
        if self.now.in_closed and not isinstance(self.maximized, Parameters):
            self.session = self.now.select(self.now.selected)
        self._show_notice()

    def on_resize(self) -> None:
        """Share the width, and name the panels that do not fit."""
        self.set_class(self.size.width >= BROAD, "-broad")
        self._show_notice()

    def _show_notice(self) -> None:
        """Name what is out of view, and the keys that show it."""
        keys, width = shown_keys(self), self.size.width - 2
        if self.maximized is not None:
            scrolls = isinstance(self.maximized, LessonPanel)
            text = alone(self.maximized.id or "", keys, width, scrolls=scrolls)
        elif self.size.width < 60 or self.size.height < 20:
            text = small(keys, width)
        else:
            unseen = [panel.id or "" for panel in self._panels if not panel.display]
            text = hidden(unseen, keys, width)
        self.query_one("#notice", Static).update(text)

    def action_play(self) -> None:
        """Play, or pause."""
        self.player.toggle()

    def action_faster(self) -> None:
        """Play faster."""
        self.player.change_speed(1)

    def action_slower(self) -> None:
        """Play slower."""
        self.player.change_speed(-1)

    def action_help(self) -> None:
        """Explain the words of the step at hand, and the keys of panels that have something."""
        from stepgrad.tui.dialogs.help import HelpScreen  # noqa: PLC0415 - after the first paint

        empty = {*table.PANELS}.difference(panel.id or "" for panel in self._panels)
        keymap = keys_in_force(self)
        offered = {name: keys for name, keys in keymap.items() if name[5:] not in empty}
        self.app.push_screen(HelpScreen(offered, self.words))

    def action_quit(self) -> None:
        """Leave: for the gallery, or altogether; say first what would be lost."""
        self.player.pause()
        if (warned := leaving(self.now)) is not None:
            self.session = warned
        else:
            self.dismiss()

    def action_type(self, word: str) -> None:
        """Do what a word of a script does: press a key, and answer what it asks, as in `:50%`."""
        press = read(word)
        self.turn_away()
        if press.text is None:
            for _ in range(press.times):
                getattr(self, f"action_{press.command.name}")()
            return
        try:
            self._carry_out(press.command, press.text)
        except StepgradError as error:
            self.session = self.now.say(str(error))

    def on_panel_title_pointed(self, message: Panel.TitlePointed) -> None:
        """Show a panel alone whose title was clicked, or all of them again."""
        self._show_panel(message.panel)

    def on_panel_node_selected(self, message: Panel.NodeSelected) -> None:
        """Select a node that was clicked; a second click clears the selection."""
        again = message.node == self.now.selected and not self.now.in_closed
        self.session = self.now.select(None if again else message.node)
        self.carried_out("search")

    def on_panel_event_pointed(self, message: Panel.EventPointed) -> None:
        """Go to an event that was clicked, and keep looking at its node."""
        cursor = self.now.cursor.seek(message.position)
        self.session = self.now.go(cursor).select(message.node)
        self.carried_out("goto")

    def on_panel_edge_pointed(self, message: Panel.EdgePointed) -> None:
        """Go to the backward step of an edge that was clicked."""
        self.session = go_to_edge(self.now, message.out, message.slot)
        self.carried_out("goto")

    def on_panel_line_pointed(self, message: Panel.LinePointed) -> None:
        """Go to what a line of the source did."""
        self.session = go_to_line(self.now, message.file, message.line)

    def on_panel_zoomed(self, message: Panel.Zoomed) -> None:
        """Zoom a plot around a node."""
        self.session = zoom_by(self.now.select(message.node), message.steps)

    def on_panel_scope_pointed(self, message: Panel.ScopePointed) -> None:
        """Fold a scope that was clicked, or open it."""
        self.session = fold(self.now, message.scope)

    def on_panel_seek(self, message: Panel.Seek) -> None:
        """Go where the timeline was clicked."""
        self.session = self.now.go(self.now.cursor.seek(message.position))
        self.carried_out("goto")


for each in table.COMMANDS:
    if each.act or each.panel or each.report:  # the others have a method above
        setattr(DebuggerScreen, f"action_{each.name}", partialmethod(DebuggerScreen.perform, each))
