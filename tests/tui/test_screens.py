"""Whole screens, as people see them: kept as snapshots at both sizes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, ProgressBar
from transformer import transformer

from gates import gate
from stepgrad.replay.commands import PANELS
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.work import Growing

SIZES = [(80, 24), (140, 45), (200, 60)]

MOMENTS = {
    "two_layer at the start": ("two_layer", ()),
    "two_layer forward": ("two_layer", ("n",) * 9),
    "two_layer backward": ("two_layer", ("f", *"nnnnnnnn")),
    "two_layer at the end": ("two_layer", ("G",)),
    "two_layer with a selection": ("two_layer", ("G", "down", "down")),
    "sum_over_paths second path": ("sum_over_paths", ("G",)),
    "dead_relu shut gate": ("dead_relu", ("f", *"nnnnn")),
    "forward mode": ("forward_and_reverse", ("t", "t", *"nnnnn")),
    "xor_tanh update": ("xor_tanh", ("f", "f", "f", "f", "t", "S")),
    **{
        f"{panel} alone": ("xor_tanh", ("f", "f", "f", "t", *"nnnn", str(key)))
        for key, panel in enumerate(PANELS, 1)
    },
    "folded": ("xor_tanh", ("f", "f", "f", "t", *"nnnn", "u")),
    "the whole graph": ("xor_tanh", ("f", "f", "f", "t", *"nnnn", "v")),
    "a plot of the graph": ("xor_tanh", ("f", "f", "f", "t", *"nnnn", "v", "v", "4")),
    "a part of the plot": ("xor_tanh", ("f", "f", "f", "t", *"nnnn", "v", "v", "4", *"iii")),
    "more of the graph": ("xor_tanh", ("f", "f", "f", "t", *"nnnn", "o")),
    "constants": ("chain_rule", ("G", "#", "down")),
    "stops and a bookmark": ("sum_over_paths", ("n", "b", "n", "w", "c", "m", "c")),
    "where a condition holds": ("two_layer", ("B", *"abs(grad)>5", "enter", "c", "c")),
    "who wrote this": ("sum_over_paths", ("G", "W")),
    "paths": ("sum_over_paths", ("G", "x")),
    "difference": ("two_layer", ("G", *"e", *"w1=-1", "enter", "D")),
    "help": ("chain_rule", ("?",)),
    "a number to predict": ("two_layer", (*"fnnnnn", "p")),
    "a second path to predict": ("xor_tanh", (*":241", "enter", "p")),
    "a wrong prediction": ("two_layer", (*"fnnnnn", *"p6", "enter")),
    "go to nowhere": ("two_layer", (*":w9", "enter")),
}


def app_on(name: str) -> DebuggerApp:
    scenario = open_scenario(name)
    return DebuggerApp(record_file(scenario), scenario)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("moment", MOMENTS)
def test_screen(moment: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    name, keys = MOMENTS[moment]
    assert snap_compare(app_on(name), press=keys, terminal_size=size)


LARGE = {
    "at the start": (),
    "a scope": ("down", "down"),
    "backward": ("f", "f", *"nnnnnnnn"),
    "a level open": ("f", "f", *"nnnnnnnn", "d"),
    "at the end": ("G", "down"),
    "a plot": ("f", "f", *"nnnnnnnn", "v", "v"),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("moment", LARGE)
def test_large_graph(moment: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    app = DebuggerApp(transformer(positions=2))
    assert snap_compare(app, press=LARGE[moment], terminal_size=size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_growing(
    size: tuple[int, int], snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    with gate(monkeypatch) as passes:
        scenario = open_scenario("xor_tanh")
        growing = Growing(scenario)
        passes.let(46)
        app = DebuggerApp(growing.result(), scenario, growing)
        assert snap_compare(app, press=("f", "t", *"nnnn"), terminal_size=size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_waiting(
    size: tuple[int, int], snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_on("xor_tanh")
    with gate(monkeypatch) as passes:

        async def edit(pilot: Pilot[None]) -> None:
            await pilot.press("s", *"e2", "enter")
            passes.let(46)
            bar = pilot.app.screen.query_one(ProgressBar)
            while bar.progress < 46 / 101:
                await pilot.pause(0.01)

        assert snap_compare(app, run_before=edit, terminal_size=size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_gallery(size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(DebuggerApp(), press=("j",), terminal_size=size)


@pytest.mark.parametrize("size", [(79, 24), (50, 14)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_small_terminal(size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    assert snap_compare(app_on("two_layer"), press=("f", "n", "n"), terminal_size=size)


def test_light_theme(snap_compare: Callable[..., bool]) -> None:
    scenario = open_scenario("two_layer")
    app = DebuggerApp(record_file(scenario), scenario, theme="textual-light")
    assert snap_compare(app, press=("f", "n", "n", "n", "b", "down"), terminal_size=(80, 24))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_palette(size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    async def open_palette(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+p")
        pilot.app.screen.query_one(Input).cursor_blink = False
        await pilot.pause(0.5)  # it gathers its commands by and by

    assert snap_compare(app_on("two_layer"), run_before=open_palette, terminal_size=size)
