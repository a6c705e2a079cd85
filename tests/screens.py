"""What the screen shows: pressed into being without a terminal, as a picture and as text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

from textual._compositor import LayoutUpdate
from textual._queue import Queue
from textual.app import App
from textual.events import Key
from textual.keys import _character_to_key
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Input

from gates import PATIENCE
from stepgrad.recording.recording import Recording
from stepgrad.scenario import ScenarioFile, open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.dialogs.dialog import WaitDialog
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.screen.diagnosing import DiagnosingScreen
from textual_once import work_once

work_once()

Size = tuple[int, int]

SIZES = [(80, 24), (140, 45), (200, 60)]


@dataclass(frozen=True, slots=True)
class Shot:
    """What an app shows: its text, and, where it was asked for, a picture that has the colours."""

    text: str
    picture: str = ""


@cache
def recorded(name: str | Path) -> tuple[ScenarioFile, Recording]:
    """A lesson and its recording; a test changes neither."""
    file = open_scenario(name)
    return file, record_file(file)


def app_on(name: str | Path, position: int = 0) -> DebuggerApp:
    """The debugger on a lesson."""
    file, recording = recorded(name)
    return DebuggerApp(recording, file, position=position)


@asynccontextmanager
async def debugger(
    name: str | Path = "two_layer", size: Size = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], DebuggerScreen]]:
    """Open the debugger on a lesson."""
    app = app_on(name)
    async with app.run_test(size=size) as pilot:
        await drained(pilot)  # the lesson is opened after the first paint
        assert isinstance(app.screen, DebuggerScreen)
        yield pilot, app.screen


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys that arrive together, and wait for what they do.

    `Pilot.press` waits after each key, and for the processor to be idle, but not for long work.
    """
    for key in keys:
        character = key if len(key) == 1 else None
        name = key if key.isalnum() or not character else _character_to_key(key)
        pilot.app.post_message(Key(name, character))
    await drained(pilot)
    if isinstance(pilot.app.screen, WaitDialog):
        await until(pilot, lambda: not isinstance(pilot.app.screen, WaitDialog))
        await drained(pilot)


async def screenshots(
    app: App[None],
    keys: Sequence[str] = (),
    sizes: Sequence[Size] = SIZES,
    before: Callable[[Pilot[None]], Awaitable[None]] | None = None,
    pictured: Collection[Size] = SIZES,
) -> dict[Size, Shot]:
    """Run an app, press keys, and return what it shows at each size of the terminal."""
    shots = {}
    async with app.run_test(size=sizes[0]) as pilot:
        await pilot.pause()
        if before:
            await before(pilot)
        for key in keys:
            await press(pilot, key)
        await settle(pilot)
        for line in app.screen.query(Input):
            line.cursor_blink = False
        for size in sizes:
            await pilot.resize_terminal(*size)
            await drained(pilot)
            picture = app.export_screenshot(simplify=True) if size in pictured else ""
            shots[size] = Shot(shown(app), picture)
    return shots


async def settle(pilot: Pilot[None]) -> None:
    """Wait until the debugger, if one is open, has found out what is wrong."""
    screens = [each for each in pilot.app.screen_stack if isinstance(each, DiagnosingScreen)]
    await until(pilot, lambda: all(screen.settled for screen in screens))


async def drained(pilot: Pilot[None]) -> None:
    """Wait until each widget waits for its next message, and handling the last one has sent none.

    What the screen would lay out or paint with its next frame, it does at once.
    """
    app = pilot.app
    async with asyncio.timeout(PATIENCE):
        for turn in count():
            if app._exception:  # which ends the test
                return
            screens = app.screen_stack
            everybody = [app, *screens, *(each for one in screens for each in one.walk_children())]
            if all(map(_waits, everybody)):
                due = [screen for screen in screens if _frame_due(screen)]
                if not due:
                    return
                for screen in due:
                    screen._on_timer_update()
            # Whoever is busy for longer waits for a thread, and leaves the processor to it.
            await asyncio.sleep(0 if turn < 100 else 0.001)


def _waits(pump: MessagePump) -> bool:
    queue: Queue[object] = pump._message_queue
    return pump._closed or (queue.empty() and bool(queue.ready_event._waiters))


def _frame_due(screen: Screen[object]) -> bool:
    if screen.app._batch_count or not screen.is_current:  # an app that ends draws no more
        return False
    laid_out = screen._layout_required or screen._scroll_required or bool(screen._callbacks)
    if screen is not screen.app.screen:  # one behind it would ask to be painted again and again
        return laid_out
    return laid_out or screen._repaint_required or bool(screen._dirty_widgets)


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Let the app go on until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await pilot.pause(0.01)


def shown(app: App[None]) -> str:
    """Return what an app shows, as text."""
    lines = [strip.text.rstrip() for strip in painted(app)]
    return "\n".join(lines).rstrip("\n") + "\n"


def painted(app: App[None]) -> list[Strip]:
    """Return what an app shows, line by line, with its colours."""
    behind = app._background_screens
    update = app.screen._compositor.render_update(full=True, screen_stack=behind)
    assert isinstance(update, LayoutUpdate)
    return [Strip.join(line) for line in update.strips]
