"""Whole screens, as people see them: kept as text at three sizes, and some as pictures.

A picture holds the colours too, and is reviewed by looking at it. Text is reviewed as a diff.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import ProgressBar
from transformer import transformer

from gates import gate
from screens import SIZES, Size, app_on, recorded, screenshots, until
from stepgrad.replay.commands.table import PANELS
from stepgrad.scenario import open_scenario
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.work import Growing
from textual_once import every_frame

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
    "a network": ("diagonal_flip", ("f", "f", "down")),
    "a network row by row": ("xor_tanh", (*":1000", "enter")),
    "an open neuron": ("diagonal_flip", ("G", *"/neuron3/h", "enter", "enter")),
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

AMID = {
    **{f"{panel} alone": (str(key),) for key, panel in enumerate(PANELS, 1)},
    "folded": ("u",),
    "the whole graph": ("v", "v"),
    "a plot of the graph": ("v", "v", "v", "4"),
    "a part of the plot": ("v", "v", "v", "4", *"iii"),
    "more of the graph": ("v", "o"),
}
"""What is pressed amid the second backward pass of xor_tanh."""

AT_EACH_SIZE = {
    "a network",
    "a network row by row",
    "two_layer backward",
    "xor_tanh update",
    "large graph backward",
    "gallery",
}
PICTURED = {
    "a network", "two_layer forward", "two_layer with a selection", "dead_relu shut gate",
    "forward mode",
    "training alone", "folded", "the whole graph", "a plot of the graph", "constants",
    "stops and a bookmark", "who wrote this", "paths", "difference", "help",
    "a number to predict", "a wrong prediction", "waiting", "light theme",
}  # fmt: skip


class Text(SingleFileSnapshotExtension):
    """A screen as text."""

    file_extension = "txt"
    _write_mode = WriteMode.TEXT


class Picture(SingleFileSnapshotExtension):
    """A screen as SVG."""

    file_extension = "svg"
    _write_mode = WriteMode.TEXT


Taken = Callable[..., Awaitable[None]]


@pytest.fixture
def seen(snapshot: SnapshotAssertion) -> Taken:
    """Compare what an app shows with what is kept of it: its text, and some pictures."""

    async def compare(
        moment: str,
        app: App[None],
        keys: Sequence[str] = (),
        sizes: Sequence[Size] = SIZES,
        before: Callable[[Pilot[None]], Awaitable[None]] | None = None,
    ) -> None:
        kept = sizes if moment in AT_EACH_SIZE else [(140, 45)] if moment in PICTURED else []
        shots = await screenshots(app, keys, sizes, before, pictured=kept)
        for size, shot in shots.items():
            name = "{}x{}".format(*size)
            assert snapshot(name=name, extension_class=Text) == shot.text
            if size in kept:
                same = snapshot(name=name, extension_class=Picture) == shot.picture
                assert same, f"{name}: its colours differ; look at both"

    return compare


@pytest.mark.parametrize("moment", [*MOMENTS, *AMID])
async def test_screen(moment: str, seen: Taken) -> None:
    name, keys = MOMENTS.get(moment) or ("xor_tanh", AMID[moment])
    app = app_on(name, position=571 if moment in AMID else 0)
    await seen(moment, app, keys)


LARGE = {
    "at the start": (),
    "a scope": ("down", "down"),
    "backward": ("f", "f", *"nnnnnnnn"),
    "a level open": ("f", "f", *"nnnnnnnn", "d"),
    "at the end": ("G", "down"),
    "a plot": ("f", "f", *"nnnnnnnn", "v", "v"),
}


@pytest.mark.parametrize("moment", LARGE)
async def test_large_graph(moment: str, seen: Taken) -> None:
    app = DebuggerApp(transformer(positions=2))
    await seen(f"large graph {moment}", app, LARGE[moment])


async def test_growing(seen: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    with gate(monkeypatch) as passes:
        scenario = open_scenario("xor_tanh")
        growing = Growing(scenario)
        passes.let(46)
        app = DebuggerApp(growing.result(), scenario, growing)
        await seen("growing", app, ("f", "t", *"nnnn"))


async def test_waiting(seen: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_on("xor_tanh")
    with gate(monkeypatch) as passes:

        async def edit(pilot: Pilot[None]) -> None:
            await pilot.press("s", *"e2", "enter")
            passes.let(46)
            bar = pilot.app.screen.query_one(ProgressBar)
            await until(pilot, lambda: bar.progress >= 46 / 101)

        await seen("waiting", app, before=edit)


async def test_gallery(seen: Taken) -> None:
    await seen("gallery", DebuggerApp(), ("j",))


async def test_small_terminal(seen: Taken) -> None:
    sizes = [(79, 24), (50, 14)]
    await seen("small terminal", app_on("two_layer"), ("f", "n", "n"), sizes=sizes)


async def test_light_theme(seen: Taken) -> None:
    scenario, recording = recorded("two_layer")
    app = DebuggerApp(recording, scenario, theme="textual-light")
    keys = ("f", "n", "n", "n", "b", "down")
    await seen("light theme", app, keys, sizes=[(140, 45)])


async def test_palette(seen: Taken) -> None:
    async def open_palette(pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+p")
        await pilot.app.workers.wait_for_complete()  # it gathers its commands by and by

    with every_frame():
        await seen("palette", app_on("two_layer"), before=open_palette)
