"""Whole screens, as people see them: kept as snapshots at both sizes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp

SIZES = [(80, 24), (140, 45)]

MOMENTS = {
    "two_layer at the start": ("two_layer", ()),
    "two_layer forward": ("two_layer", ("n",) * 9),
    "two_layer backward": ("two_layer", ("f", "n", "n", "n", "n", "n")),
    "two_layer at the end": ("two_layer", ("G",)),
    "two_layer with a selection": ("two_layer", ("G", "down", "down")),
    "sum_over_paths second path": ("sum_over_paths", ("G",)),
    "dead_relu shut gate": ("dead_relu", ("f", "n", "n", "n", "n")),
    "xor_tanh update": ("xor_tanh", ("f", "f", "f", "f", "t", "S")),
    "help": ("chain_rule", ("?",)),
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
