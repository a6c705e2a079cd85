"""The graph panel in the debugger: its rows, what is in view, and the mouse."""

from __future__ import annotations

import pytest
from textual.events import MouseMove

from screens import debugger, press
from stepgrad.tui.widgets.graph import GraphPanel


def lines_of(panel: GraphPanel) -> list[str]:
    """The lines of the panel."""
    return [panel.render_line(y).text.rstrip() for y in range(panel.size.height)]


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("two_layer", (140, 45)),
        ("loss_is_inf", (140, 45)),
        ("gradient_check", (80, 24)),
        ("forgotten_zero_grad", (80, 24)),
        ("chain_rule", (100, 30)),
    ],
)
async def test_a_small_graph_is_whole_in_view_after_any_key(
    name: str, size: tuple[int, int]
) -> None:
    async with debugger(name, size) as (pilot, screen):
        panel = screen.query_one(GraphPanel)
        for key in ["s", "n", "n", "f", "n", "n", "down", "escape", "G", "k", "N", "t", "F"]:
            await press(pilot, key)
            assert "graph" in str(panel.border_title)
            assert not set("←→↑↓") & set(str(panel.border_title)), key


async def test_the_graph_has_the_rows_that_it_needs_and_the_tape_those_of_its_lines() -> None:
    async with debugger("chain_rule", (80, 24)) as (pilot, screen):
        panel, tape = screen.query_one(GraphPanel), screen.query_one("#tape")
        await press(pilot, "s")
        assert (panel.size.height, tape.size.height) == (4, 7)
        await pilot.resize_terminal(140, 45)
        await pilot.pause()
        assert panel.size.height == 4
    async with debugger("disconnected_parameter", (140, 45)) as (pilot, screen):
        panel, tape = screen.query_one(GraphPanel), screen.query_one("#tape")
        await pilot.pause()
        assert panel.size.height == 19
        assert tape.size.height >= len(screen.now.outline)


async def test_a_key_fits_the_graph_into_its_panel_and_back() -> None:
    async with debugger("two_layer", (80, 24)) as (pilot, screen):
        panel = screen.query_one(GraphPanel)
        await press(pilot, "f", "n")
        assert "→" in str(panel.border_title) or "←" in str(panel.border_title)
        for fits in (True, False):
            await press(pilot, "0")
            assert (not set("←→↑↓") & set(str(panel.border_title))) == fits


async def test_the_docked_root_can_be_clicked() -> None:
    async with debugger("two_layer", (80, 24)) as (pilot, screen):
        await press(pilot, "s")
        panel = screen.query_one(GraphPanel)
        x, y = (
            panel.size.width - 4,
            next(y for y, line in enumerate(lines_of(panel)) if "┄▶ loss" in line),
        )
        await pilot.click("#graph", offset=(x, y + 1))
        assert screen.now.selected == screen.now.recording.first_named("loss")


async def test_a_drag_moves_a_large_drawing_until_the_next_key() -> None:
    async with debugger("two_layer", (80, 24)) as (pilot, screen):
        await press(pilot, "s")
        panel = screen.query_one(GraphPanel)
        before = lines_of(panel)
        await pilot.mouse_down(panel, offset=(30, 2))
        panel.post_message(MouseMove(panel, 30, 2, -8, 0, 1, False, False, False))
        await pilot.pause()
        assert lines_of(panel) != before
        await press(pilot, "s", "S")
        assert lines_of(panel) == before
