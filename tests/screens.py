"""What the screen shows: pressed into being without a terminal, as a picture and as text."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from html import unescape

from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from gates import PATIENCE
from stepgrad.tui.diagnosing import DiagnosingScreen

Size = tuple[int, int]

SIZES = [(80, 24), (140, 45), (200, 60)]

_RUN = re.compile(r'<text class="[^"]*" x="([\d.]+)"[^>]*line-(\d+)\)">([^<]*)</text>')
_CELL = 12.2
"""How wide a character of a picture is."""


async def screenshots(
    app: App[None],
    keys: Iterable[str] = (),
    sizes: Sequence[Size] = SIZES,
    before: Callable[[Pilot[None]], Awaitable[None]] | None = None,
) -> dict[Size, str]:
    """Run an app, press keys, and return the screen as SVG, at each size of the terminal."""
    pictures = {}
    async with app.run_test(size=sizes[0]) as pilot:
        await pilot.pause()
        if before:
            await before(pilot)
        await pilot.press(*keys)
        await settle(pilot)
        for line in app.screen.query(Input):
            line.cursor_blink = False
        for size in sizes:
            await pilot.resize_terminal(*size)
            await pilot.wait_for_scheduled_animations()
            await pilot.pause()
            pictures[size] = app.export_screenshot(simplify=True)
    return pictures


async def settle(pilot: Pilot[None]) -> None:
    """Wait until the debugger, if one is open, has found out what is wrong."""
    screens = [each for each in pilot.app.screen_stack if isinstance(each, DiagnosingScreen)]
    await until(pilot, lambda: all(screen.settled for screen in screens))


async def drained(pilot: Pilot[None]) -> None:
    """Wait until no widget has a message left, and handling the last one has sent no more."""
    async with asyncio.timeout(PATIENCE):
        empty = 0
        while empty < 2:
            await pilot.pause(0)  # each handles what it has so far
            screens = pilot.app.screen_stack
            everybody = [pilot.app, *(each for one in screens for each in one.walk_children())]
            waiting = any(each.message_queue_size for each in [*everybody, *screens])
            empty = 0 if waiting else empty + 1


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Let the app go on until something holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await pilot.pause(0.01)


def text(svg: str) -> str:
    """Return the lines of a picture of a screen, without colours."""
    lines: dict[int, str] = {}
    for x, number, escaped in _RUN.findall(svg):
        line, run = lines.get(int(number), ""), unescape(escaped).replace("\xa0", " ")
        gap = round(float(x) / _CELL) - cell_len(line)
        lines[int(number)] = line + " " * gap + run
    last = max(lines, default=-1)
    return "".join(f"{lines.get(number, '').rstrip()}\n" for number in range(last + 1))


def shown(app: App[None]) -> str:
    """Return what an app shows, as text."""
    return text(app.export_screenshot(simplify=True))
