"""The debugger's screen: the panels, which get its session, and the keys."""

from __future__ import annotations

from functools import partialmethod

from textual import events, on
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Footer, Static

from stepgrad.recording.recording import Recording
from stepgrad.replay.commands import table
from stepgrad.replay.commands.hints import key
from stepgrad.replay.commands.looking import fold, zoom_by
from stepgrad.replay.commands.moving import go_to_edge
from stepgrad.replay.commands.table import Command
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.session import Session
from stepgrad.replay.stops.stop import reason
from stepgrad.replay.training import parameters, trains
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.rerun import rerun
from stepgrad.tui.help import HelpScreen
from stepgrad.tui.keymap import binding, keys_in_force, shown_keys
from stepgrad.tui.palette import CommandProvider
from stepgrad.tui.render import ink
from stepgrad.tui.turning import TurningScreen
from stepgrad.tui.widgets.graph import GraphPanel
from stepgrad.tui.widgets.lists import Lesson, Parameters, SourcePanel, Tape
from stepgrad.tui.widgets.panel import DiagnosedPanel, Panel
from stepgrad.tui.widgets.text import Chain, Header, NodePanel, Timeline, Training
from stepgrad.tui.work import Growing

SPEEDS = (1, 2, 4, 8, 16, 32)
"""Events a second, when playing."""

FEW = 3
"""Up to this many parameters, their panel is no higher than it has to be."""


class DebuggerScreen(TurningScreen):
    """The panels, around one session."""

    BINDINGS = [
        *(binding(command) for command in table.COMMANDS if command.name != "palette"),
        # What a terminal's user presses when lost.
        Binding("ctrl+c", "quit", show=False, priority=True),
    ]
    COMMANDS = {CommandProvider}
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-slim"), (80, "-narrow"), (120, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-middling"), (36, "-high")]
    AUTO_FOCUS = ""
    ALLOW_IN_MAXIMIZED_VIEW = "#header, #chain, #notice, #prompt, Footer"

    def __init__(  # noqa: PLR0913 - what the app is given
        self,
        recording: Recording,
        scenario: ScenarioFile | None = None,
        growing: Growing | None = None,
        *,
        position: int = 0,
        said: str = "",
        original: Recording | None = None,
    ) -> None:
        memory = recording.memory
        program = rerun(scenario, memory) if scenario else None
        session = Session.open(Cursor(recording, position), program, original)
        super().__init__(session.say(said), growing)
        self._scenario = scenario
        about = recording.source.docstring if recording.source else ""  # of a program
        self._lesson = scenario.lesson if scenario else about
        self._speed = 1
        self._player: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay the panels out; the style sheet says where."""
        self._classify()
        recording = self.now.recording
        panels: list[Panel] = [
            Header(recording.name, self._scenario, id="header"),
            Tape(id="tape"),
            NodePanel(id="node"),
            *([Lesson(self._lesson, id="lesson")] if self._lesson else []),
            SourcePanel(id="source"),
            Parameters(id="parameters"),
            GraphPanel(id="graph"),
            Training(id="training"),
            Chain(id="chain"),
            Timeline(id="timeline"),
        ]
        for panel in panels:
            if isinstance(panel, DiagnosedPanel):
                panel.data_bind(DebuggerScreen.diagnosis)
            yield panel.data_bind(DebuggerScreen.session)
        yield Static(id="notice")
        yield Footer(show_command_palette=False)
        yield self.prompt

    def _classify(self) -> None:
        """Take on the classes of the terminal's size, as a resize would after a layout without."""
        points = self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS
        for extent, classes in zip(self.app.size, map(dict, points), strict=True):
            self.add_class(classes[max(least for least in classes if least <= extent)])
        self.watch_session()

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """The keys that the footer names: none that cannot work on this recording."""
        idle = {"edit": self.now.program is None, "show_lesson": not self._lesson}
        every = super().active_bindings
        return {key: each for key, each in every.items() if not idle.get(each.binding.id or "")}

    def perform(self, command: Command) -> None:
        """Carry out a command of the table, after asking for what it wants to know."""
        before = self.now, self.maximized
        if command.panel:
            self._show_panel(command.panel)
        else:
            self._pause()
            super().perform(command)
        self.count(command, before)

    @on(events.ScreenSuspend)
    @on(Panel.Pointed)
    def turn_away(self) -> None:
        """Pause, and ask no more: a question is about what the screen has shown so far."""
        self._pause()
        self.prompt.action_leave()

    def action_play(self) -> None:
        """Play, or pause."""
        if self._player is not None:
            self._pause()
            self.session = self.now.say("paused")
        else:
            self._player = self.set_interval(1 / SPEEDS[self._speed], self._tick)
            self.session = self.now.say(f"playing, {SPEEDS[self._speed]} events a second")

    def action_faster(self) -> None:
        """Play faster."""
        self._change_speed(1)

    def action_slower(self) -> None:
        """Play slower."""
        self._change_speed(-1)

    def _change_speed(self, by: int) -> None:
        self._speed = max(0, min(self._speed + by, len(SPEEDS) - 1))
        self.session = self.now.say(f"{SPEEDS[self._speed]} events a second: {key('play')} plays")
        if self._player is not None:
            self._pause()
            self.action_play()

    def _tick(self) -> None:
        """Play an event; stop at the end, and where there is a stop."""
        if not self.is_current:  # a dialog has opened since
            return
        now = self.now
        onward = now.cursor.step()
        if onward == now.cursor:
            self._pause()
            self.session = now.say("this is the end")
        elif stop := reason(now.recording, now.stops, now.cursor.position):
            self._pause()
            self.session = now.go(onward, f"stopped: {stop.text}")
        else:
            self.session = now.go(onward, now.said)

    def _pause(self) -> None:
        if self._player is not None:
            self._player.stop()
            self._player = None

    def _show_panel(self, name: str) -> None:
        """Show a panel alone, or all of them again."""
        panel = next((each for each in self._panels if each.id == name), None)
        if panel is None:
            self.session = self.now.say(f"there is no {name} panel here")
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
        named = {panel.id: panel for panel in self.query(".panel").results(Widget)}
        return [named[name] for name in table.PANELS if name in named]

    def _show_alone(self, panel: Widget | None) -> None:
        """Show a panel alone, or all; one with text to scroll gets the arrow keys."""
        self.maximized = panel
        self.focus_panel()

    def watch_session(self) -> None:
        """Make room for what there is to see, and find out what is wrong with it."""
        self.look()
        now = self.now
        unmoved = now.cursor.position == 0 and now.selected is None
        trained = len(parameters(now.recording))
        self.update_classes(  # all at once: each change of a class matches the style sheet again
            {
                "-lesson": bool(self._lesson),
                "-introducing": bool(self._lesson) and unmoved,
                "-trained": trained > 0,
                "-few": 0 < trained <= FEW,
                "-training": trains(now.recording),
            }
        )

    def watch_diagnosis(self) -> None:
        """Say what is wrong where there is no lesson to say it above."""
        verdicts = self.diagnosis.open if self.diagnosis else ()
        if verdicts and not self._lesson and not self.now.said:
            hint = f"{key('verdicts')} shows where"
            self.session = self.now.say(f"{ink.ALARM} {hint}: {verdicts[0].text}")

    def watch_maximized(self) -> None:
        """Name the keys that lead back."""
        self._show_notice()

    def on_resize(self) -> None:
        """Name the panels that do not fit."""
        self.query_one(Footer).compact = self.size.width < 100
        self._show_notice()

    def _show_notice(self) -> None:
        """Name in a line what is out of view, and the keys that show it."""
        shown = shown_keys(self)
        keys = {name: " ".join(each) for name, each in shown.items()}
        if self.maximized is not None:
            name = self.maximized.id or ""
            text = f"{name} only: {keys.get(f'show_{name}', '')} or Esc shows all panels"
            if isinstance(self.maximized, Lesson):
                arrows = (each for way in ("select_up", "select_down") for each in shown[way][:1])
                text += f" · {' '.join([*arrows, 'PgUp', 'PgDn'])} scroll"
        elif self.size.width < 60 or self.size.height < 20:
            text = f"small terminal: 60×20 shows more · {keys.get('help', '')} help"
        else:
            hidden = [panel.id for panel in self._panels if not panel.display]
            named = (f"{keys.get(f'show_{name}', '')} {name}" for name in hidden)
            text = f"hidden: {'  '.join(named)}"
        self.query_one("#notice", Static).update(Content.styled(text, ink.QUIET))

    def action_help(self) -> None:
        """Show what the keys do."""
        self.app.push_screen(HelpScreen(keys_in_force(self)))

    def action_quit(self) -> None:
        """Leave: for the gallery, or altogether."""
        self._pause()
        self.dismiss()

    def on_panel_node_selected(self, message: Panel.NodeSelected) -> None:
        """Select a node that was clicked; a second click clears the selection."""
        self.session = self.now.select(None if message.node == self.now.selected else message.node)

    def on_panel_event_pointed(self, message: Panel.EventPointed) -> None:
        """Go to an event that was clicked, and keep looking at its node."""
        self._pause()
        cursor = self.now.cursor.seek(message.position)
        self.session = self.now.go(cursor).select(message.node)

    def on_panel_edge_pointed(self, message: Panel.EdgePointed) -> None:
        """Go to the backward step of an edge that was clicked."""
        self._pause()
        self.session = go_to_edge(self.now, message.out, message.slot)

    def on_panel_zoomed(self, message: Panel.Zoomed) -> None:
        """Zoom a plot around a node."""
        self.session = zoom_by(self.now.select(message.node), message.steps)

    def on_panel_scope_pointed(self, message: Panel.ScopePointed) -> None:
        """Fold a scope that was clicked, or open it."""
        self.session = fold(self.now, message.scope)

    def on_panel_seek(self, message: Panel.Seek) -> None:
        """Go where the timeline was clicked."""
        self.session = self.now.go(self.now.cursor.seek(message.position))


for each in table.COMMANDS:
    if each.act or each.panel or each.report:  # the others have a method above
        setattr(DebuggerScreen, f"action_{each.name}", partialmethod(DebuggerScreen.perform, each))
