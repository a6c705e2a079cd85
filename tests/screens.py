"""What the screen shows: pressed into being without a terminal, as a picture and as text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from textual._compositor import LayoutUpdate
from textual.app import App
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Input

from gates import PATIENCE
from stepgrad.recording.recording import Recording
from stepgrad.scenario import ScenarioFile, open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp
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
        await pilot.pause()  # the lesson is opened after the first paint
        assert isinstance(app.screen, DebuggerScreen)
        yield pilot, app.screen


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys that arrive together, and wait for what they do.

    `Pilot.press` waits after each key, and for the processor to be idle.
    """
    for key in keys:
        character = key if len(key) == 1 else None
        name = key if key.isalnum() or not character else _character_to_key(key)
        pilot.app.post_message(Key(name, character))
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
    """Wait until no widget has a message left, and handling the last one has sent no more.

    What the screen would lay out or paint with its next frame, it does at once.
    """
    async with asyncio.timeout(PATIENCE):
        empty = 0
        while empty < 2:
            await pilot.pause(0)  # each handles what it has so far
            screens = pilot.app.screen_stack
            everybody = [pilot.app, *(each for one in screens for each in one.walk_children())]
            waiting = any(each.message_queue_size for each in [*everybody, *screens])
            empty = 0 if waiting else empty + 1
            if not waiting and _frame_due(pilot.app.screen):
                pilot.app.screen._on_timer_update()
                empty = 0


def _frame_due(screen: Screen[object]) -> bool:
    if screen.app._batch_count or not screen.is_current:  # an app that ends draws no more
        return False
    required = screen._layout_required, screen._scroll_required, screen._repaint_required
    return any(required) or bool(screen._dirty_widgets) or bool(screen._callbacks)


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
