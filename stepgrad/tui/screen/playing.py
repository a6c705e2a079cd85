"""How a screen plays a recording: an event after the other, each on its way along its wire."""

from __future__ import annotations

from textual.timer import Timer

from stepgrad.replay.commands.hints import key
from stepgrad.replay.stops.stop import reason
from stepgrad.tui.screen.working import WorkingScreen
from stepgrad.tui.widgets.graph import GraphPanel

SPEEDS = (1, 2, 4, 8, 16, 32)
"""Events a second."""

FRAME = 0.06
"""Seconds that a number stays at a place of its wire."""

PLACES = 0.33, 0.67
"""Where on its wire a number is shown on its way: the share of the wire behind it."""


class Player:
    """Moves the session of a screen by itself, until it is paused."""

    def __init__(self, screen: WorkingScreen) -> None:
        self._screen = screen
        self._speed = 1
        self._clock: Timer | None = None
        self._mover: Timer | None = None

    def toggle(self) -> None:
        """Play, or pause."""
        screen, speed = self._screen, SPEEDS[self._speed]
        if self._clock is not None:
            self.pause()
            screen.session = screen.now.say("paused")
        else:
            self._clock = screen.set_interval(1 / speed, self.tick)
            screen.session = screen.now.say(f"playing, {speed} events a second")

    def change_speed(self, by: int) -> None:
        """Play faster or, if negative, slower."""
        screen = self._screen
        self._speed = max(0, min(self._speed + by, len(SPEEDS) - 1))
        said = f"{SPEEDS[self._speed]} events a second: {key('play')} plays"
        screen.session = screen.now.say(said)
        if self._clock is not None:
            self.pause()
            self.toggle()

    def tick(self) -> None:
        """Play an event; stop at the end, and where there is a stop."""
        screen = self._screen
        if not screen.is_current:  # a dialog has opened since
            return
        now = screen.now
        onward = now.cursor.step()
        if onward == now.cursor:
            self.pause()
            screen.session = now.say("this is the end")
        elif stop := reason(now.recording, now.stops, now.cursor.position):
            self.pause()
            screen.session = now.go(onward, f"stopped: {stop.text}")
        else:
            self._set_out()
            screen.session = now.go(onward, now.said)
        screen.carried_out("step")

    def pause(self) -> None:
        """Play no further, and let what is on its way arrive."""
        if self._clock is not None:
            self._clock.stop()
            self._clock = None
            self._arrive()

    def _set_out(self) -> None:
        """Show the number of the next event on its wire first, where there is time for it."""
        self._arrive()
        steps = min(len(PLACES), int(1 / SPEEDS[self._speed] / FRAME) - 1)
        graph = self._screen.query_one(GraphPanel)
        if self._screen.app.animation_level == "none" or steps < 1 or not graph.carries:
            return
        places = iter(PLACES[-steps:])
        graph.under_way = next(places)

        def move_on() -> None:
            graph.under_way = next(places, None)
            graph.show()
            if graph.under_way is None:
                self._arrive()

        self._mover = self._screen.set_interval(FRAME, move_on)

    def _arrive(self) -> None:
        if self._mover is not None:
            self._mover.stop()
            self._mover = None
            graph = self._screen.query_one(GraphPanel)
            if graph.under_way is not None:
                graph.under_way = None
                graph.show()
