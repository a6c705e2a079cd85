"""Playing: an event after the other, each number on its way along its wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from screens import until
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.screen import playing
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.widgets.graph import GraphPanel


@asynccontextmanager
async def debugger(
    *, moves: bool, name: str = "two_layer"
) -> AsyncIterator[tuple[Pilot[None], DebuggerScreen]]:
    """A debugger before the first contribution of a pass, and whether anything moves by itself."""
    scenario = open_scenario(name)
    app = DebuggerApp(record_file(scenario), scenario)
    app.animation_level = "full" if moves else "none"
    async with app.run_test(size=(80, 24)) as pilot:
        screen = app.screen
        assert isinstance(screen, DebuggerScreen)
        await pilot.press("f", "s")
        yield pilot, screen


def seen(graph: GraphPanel) -> list[str]:
    """The graph as text."""
    return [graph.render_line(y).text for y in range(graph.size.height)]


@pytest.fixture
def long_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing arrives, and no event follows, while a test looks."""
    monkeypatch.setattr(playing, "FRAME", 60.0)
    monkeypatch.setattr(playing, "SPEEDS", (1 / 600,) * 6)


@pytest.mark.usefixtures("long_way")
async def test_a_number_is_on_its_wire_before_it_is_there() -> None:
    async with debugger(moves=True) as (pilot, screen):
        graph = screen.query_one(GraphPanel)
        await pilot.press("space")
        screen.player.tick()
        await pilot.pause()
        assert graph.under_way == playing.PLACES[0]
        on_its_way = seen(graph)
        await pilot.press("space")
        await pilot.pause()
        assert graph.under_way is None
        assert screen.now.cursor.position == 15
        assert seen(graph) != on_its_way


async def test_it_arrives_by_itself() -> None:
    async with debugger(moves=True) as (pilot, screen):
        graph = screen.query_one(GraphPanel)
        await pilot.press("space")
        await until(pilot, lambda: graph.under_way is not None)
        await until(pilot, lambda: graph.under_way is None)
        assert screen.now.cursor.position >= 15


@pytest.mark.parametrize("key", ["s", "n", "f", "down", "e"])
@pytest.mark.usefixtures("long_way")
async def test_a_key_is_answered_at_once(key: str) -> None:
    async with debugger(moves=True) as (pilot, screen):
        await pilot.press("space")
        screen.player.tick()
        await pilot.press(key)
        assert screen.query_one(GraphPanel).under_way is None


async def test_with_reduced_motion_nothing_travels() -> None:
    async with debugger(moves=False) as (pilot, screen):
        await pilot.press("space")
        screen.player.tick()
        assert screen.now.cursor.position == 15
        assert screen.query_one(GraphPanel).under_way is None


async def test_where_events_follow_fast_nothing_travels() -> None:
    async with debugger(moves=True) as (pilot, screen):
        await pilot.press(*"++++", "space")
        screen.player.tick()
        assert screen.query_one(GraphPanel).under_way is None


@pytest.mark.usefixtures("long_way")
async def test_nothing_travels_along_the_weights_of_a_network() -> None:
    async with debugger(moves=True, name="diagonal_flip") as (pilot, screen):
        graph = screen.query_one(GraphPanel)
        for travels in (False, True):
            await pilot.press("space")
            screen.player.tick()
            await pilot.pause()
            assert (graph.under_way is not None) == travels
            await pilot.press("v")  # the graph of nodes, in which it does
            await pilot.pause()
