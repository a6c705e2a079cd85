"""How a screen plays a recording: an event after the other, each on its way along its wire."""

from __future__ import annotations

from textual.timer import Timer

from stepgrad.replay.commands.hints import key
from stepgrad.replay.commands.table import Command
from stepgrad.replay.session import Session
from stepgrad.replay.stops.stop import reason
from stepgrad.scenario.about import About
from stepgrad.tui.turning import TurningScreen
from stepgrad.tui.widgets.graph import GraphPanel
from stepgrad.tui.work import Growing

SPEEDS = (1, 2, 4, 8, 16, 32)
"""Events a second."""

FRAME = 0.06
"""Seconds that a number stays at a place of its wire."""

PLACES = 0.33, 0.67
"""Where on its wire a number is shown on its way: the share of the wire behind it."""


class PlayingScreen(TurningScreen):
    """A screen that can move by itself, until a person moves it."""

    def __init__(self, session: Session, growing: Growing | None, says: About) -> None:
        super().__init__(session, growing, says)
        self._speed = 1
        self._player: Timer | None = None
        self._mover: Timer | None = None

    def perform(self, command: Command) -> None:
        """Carry out a command, and play no further: a person moves now."""
        self.pause()
        super().perform(command)

    def action_play(self) -> None:
        """Play, or pause."""
        if self._player is not None:
            self.pause()
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
            self.pause()
            self.action_play()

    def _tick(self) -> None:
        """Play an event; stop at the end, and where there is a stop."""
        if not self.is_current:  # a dialog has opened since
            return
        now = self.now
        onward = now.cursor.step()
        if onward == now.cursor:
            self.pause()
            self.session = now.say("this is the end")
        elif stop := reason(now.recording, now.stops, now.cursor.position):
            self.pause()
            self.session = now.go(onward, f"stopped: {stop.text}")
        else:
            self._set_out()
            self.session = now.go(onward, now.said)
        self.carried_out("step")

    def pause(self) -> None:
        """Play no further, and let what is on its way arrive."""
        if self._player is not None:
            self._player.stop()
            self._player = None
            self._arrive()

    def _set_out(self) -> None:
        """Show the number of the next event on its wire first, where there is time for it."""
        self._arrive()
        steps = min(len(PLACES), int(1 / SPEEDS[self._speed] / FRAME) - 1)
        graph = self.query_one(GraphPanel)
        if self.app.animation_level == "none" or steps < 1 or not graph.carries:
            return
        places = iter(PLACES[-steps:])
        graph.under_way = next(places)

        def move_on() -> None:
            graph.under_way = next(places, None)
            graph.show()
            if graph.under_way is None:
                self._arrive()

        self._mover = self.set_interval(FRAME, move_on)

    def _arrive(self) -> None:
        if self._mover is not None:
            self._mover.stop()
            self._mover = None
            graph = self.query_one(GraphPanel)
            if graph.under_way is not None:
                graph.under_way = None
                graph.show()
