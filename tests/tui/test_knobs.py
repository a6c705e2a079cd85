"""Knobs on the screen: keys with a count, undo, and a slider for the mouse."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Static

from screens import press, shown, until
from stepgrad.engine.world import World
from stepgrad.recording.recording import Recording
from stepgrad.replay.program import Program
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.dialogs.dialog import WaitDialog
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.widgets.slider import Slider


@asynccontextmanager
async def knob_of(
    name: str, scenario: str = "chain_rule", size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Pilot[None], DebuggerScreen]]:
    """A debugger at the end of a scenario, with a node selected."""
    file = open_scenario(scenario)
    app = DebuggerApp(record_file(file), file)
    async with app.run_test(size=size) as pilot:
        screen = app.screen
        assert isinstance(screen, DebuggerScreen)
        await press(pilot, "G")
        screen.session = screen.now.select(screen.now.recording.first_named(name))
        await pilot.pause()
        yield pilot, screen


TURNS = """\
title: Turns
lesson: Press `]` three times.
inputs: {x: 2.0}
graph: [y = x*x]
backward: y
"""


def edits(screen: DebuggerScreen) -> dict[str, float | str]:
    return dict(screen.now.edits)


async def test_keys_turn_a_knob_and_all_that_depends_on_it_follows() -> None:
    async with knob_of("x") as (pilot, screen):
        start = screen.now
        await press(pilot, "]")
        assert edits(screen) == {"x": 2.1}
        assert screen.now.cursor.position == start.cursor.position
        assert screen.now.selected == start.selected
        lines = shown(pilot.app)
        assert "x 2 → 2.1: h +4.29, by the gradient +4.2" in lines
        for change in ("2 → 2.1", "42 → 43.8", "49 → 53.29", "→14.6"):
            assert change in lines, change
        await press(pilot, "[", "[", "}")
        assert edits(screen) == {"x": 1.901}
        await press(pilot, "{", "]")
        assert screen.now.recording is start.recording
        assert "→ 2.1" not in shown(pilot.app)


async def test_digits_before_a_knob_are_a_count_and_what_they_have_shown_goes_back() -> None:
    async with knob_of("x") as (pilot, screen):
        await press(pilot, "5")
        assert screen.maximized is not None, "a digit shows its panel at once"
        await press(pilot, "]")
        assert screen.maximized is None
        assert edits(screen) == {"x": 2.5}
        await press(pilot, "1", "0", "[")
        assert screen.maximized is None
        assert edits(screen) == {"x": 1.5}


async def test_a_digit_is_a_count_only_right_before_a_knob() -> None:
    async with knob_of("x") as (pilot, screen):
        await press(pilot, "3", "W", "]")
        assert edits(screen) == {"x": 2.1}
        alone = screen.maximized
        assert alone is not None, "here it was for the panel"
        await press(pilot, "3", "4", "tab", "]")
        assert edits(screen) == {"x": 2.2}


async def test_a_0_alone_is_no_count() -> None:
    async with knob_of("x") as (pilot, screen):
        await press(pilot, "0", "]")
        assert edits(screen) == {"x": 2.1}


async def test_a_count_is_typed_while_a_knob_is_turned() -> None:
    async with knob_of("x") as (pilot, screen):
        screen.action_nudge_up()  # type: ignore[attr-defined]
        screen.action_nudge_up()  # type: ignore[attr-defined]
        screen.action_show_chain()  # type: ignore[attr-defined]
        await until(pilot, lambda: edits(screen) == {"x": 2.2})
        await press(pilot, "]")
        assert screen.maximized is None
        assert edits(screen) == {"x": 2.7}


async def test_a_count_holds_while_a_recording_grows() -> None:
    async with knob_of("x") as (pilot, screen):
        await press(pilot, "5")
        screen.session = screen.now  # more of it is there
        await press(pilot, "]")
        assert edits(screen) == {"x": 2.5}


async def test_a_lesson_counts_every_turn(tmp_path: Path) -> None:
    file = tmp_path / "turns.yaml"
    file.write_text(TURNS, encoding="utf-8")
    scenario = open_scenario(file)
    app = DebuggerApp(record_file(scenario), scenario)
    async with app.run_test() as pilot:
        screen = app.screen
        assert isinstance(screen, DebuggerScreen)
        await press(pilot, "G", *"/x", "enter")
        for _ in range(3):
            screen.action_nudge_up()  # type: ignore[attr-defined]
        await until(pilot, lambda: edits(screen) == {"x": 2.3})
        assert screen.lesson is not None
        assert screen.lesson.done


async def test_what_cannot_be_turned_says_so() -> None:
    async with knob_of("h") as (pilot, screen):
        await press(pilot, "]")
        assert screen.now.said == "h is computed: only inputs and parameters can be edited"
        assert not screen.query_one(Slider).display


async def test_undo_and_redo_take_single_edits_and_worlds() -> None:
    async with knob_of("x") as (pilot, screen):
        await press(pilot, "]", "]", "%", *"overwrite", "enter")
        assert str(screen.now.recording.world) == "overwrite"
        await press(pilot, "ctrl+z")
        assert (screen.now.recording.world, screen.now.said) == (None, "undone: no bug")
        await press(pilot, "ctrl+z", "ctrl+z", "ctrl+z")
        assert (edits(screen), screen.now.said) == ({}, "there is nothing to undo")
        await press(pilot, "ctrl+y")
        assert (edits(screen), screen.now.said) == ({"x": 2.1}, "redone: x = 2.1")
        await press(pilot, "E", "ctrl+z")
        assert edits(screen) == {"x": 2.1}


async def test_the_prompt_takes_expressions_and_settings_and_says_what_is_wrong() -> None:
    async with knob_of("layer1/neuron1/w1", "xor_tanh") as (pilot, screen):
        question = screen.query_one("#question", Static)
        await press(pilot, "e")
        assert "Or a setting: activation, seed, steps, " in str(question.content)
        await press(pilot, *"lr = x", "enter")
        problem = str(screen.query_one("#problem", Static).content)
        assert problem == "expected a number, not the text `x`"
        await press(pilot, "backspace", *"0.1", "enter")
        assert edits(screen) == {"learning_rate": "0.1"}
        assert "edited learning_rate = 0.1" in shown(pilot.app) or pilot.app.size.width < 100
        await press(pilot, "e", *"w1*2", "enter")
        w1 = record_file(open_scenario("xor_tanh")).history.first_value(0)
        assert edits(screen)["layer1/neuron1/w1"] == 2 * w1


async def test_what_is_turned_faster_than_it_is_painted_is_done_as_one() -> None:
    async with knob_of("x") as (pilot, screen):
        runs = []
        program = screen.now.program
        assert program is not None

        def run(given: Mapping[str, Any], world: World | None) -> Recording:
            runs.append(given)
            return program.run(given, world)

        screen.session = replace(screen.now, program=program._replace(run=run))
        for _ in range(30):  # as keys that are there before anything is painted
            screen.action_nudge_up()  # type: ignore[attr-defined]
        await until(pilot, lambda: edits(screen) == {"x": 5.0} and not screen._turning)
        assert len(runs) == 2
        screen.action_nudge_up()  # type: ignore[attr-defined]
        screen.action_nudge_up()  # type: ignore[attr-defined]
        screen.action_undo()  # type: ignore[attr-defined]
        assert edits(screen) == {"x": 5.1}, "another command waits for no paint"


async def test_a_long_turn_waits_in_a_dialog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepgrad.tui.screen.working.PATIENCE", 0)
    async with knob_of("x") as (pilot, screen):
        await press(pilot, "]", "]", "]")
        await until(pilot, lambda: not isinstance(pilot.app.screen, WaitDialog))
        await until(pilot, lambda: bool(screen.now.edits))
        assert pilot.app.screen is screen


@pytest.mark.parametrize("keys", [["]"], ["ctrl+z"]])
async def test_a_program_that_cannot_run_again_says_why(keys: list[str]) -> None:
    async with knob_of("x") as (pilot, screen):
        await press(pilot, "]", "]")

        def run(*_: object) -> Recording:
            raise MemoryError

        screen.session = before = replace(screen.now, program=Program(run))
        await press(pilot, *keys)
        assert screen.now.said.startswith("not enough memory")
        assert screen.now.edits == before.edits


async def test_a_slider_appears_at_a_leaf_and_takes_clicks_drags_and_the_wheel() -> None:
    async with knob_of("x") as (pilot, screen):
        slider = screen.query_one(Slider)
        assert str(slider.render()).split() == ["−2", "├────────●────────┤", "6"]
        middle = slider.size.width // 2
        await pilot.click(Slider, offset=(middle + 2, 0))
        assert edits(screen) == {"x": 3.0}
        assert screen.now.selected == 0, "the panel below gets no click"
        await pilot.mouse_down(Slider, offset=(middle - 1, 0))
        await pilot.hover(Slider, offset=(middle - 3, 0))
        await pilot.hover(Slider, offset=(0, 0))
        await pilot.mouse_up(Slider, offset=(0, 0))
        await until(pilot, lambda: edits(screen) == {"x": -2.0})  # an end is the end
        await press(pilot, "ctrl+z")
        assert edits(screen) == {"x": 3.0}, "a drag is one edit"
        await pilot._post_mouse_events([events.MouseScrollUp], Slider, button=0)
        await until(pilot, lambda: edits(screen) == {"x": 3.1})


async def test_a_dial_stays_as_it_is_while_it_is_dragged() -> None:
    async with knob_of("x") as (pilot, screen):
        await press(pilot, "e", *"x=42", "enter")
        slider = screen.query_one(Slider)
        ends = str(slider.render()).split()[::2]
        assert ends == ["−38", "42"]
        right = slider.size.width - 10
        await pilot.mouse_down(Slider, offset=(right - 2, 0))
        for back in (4, 6):
            await pilot.hover(Slider, offset=(right - back, 0))
        await until(pilot, lambda: edits(screen) == {"x": 12.0})
        assert str(slider.render()).split()[::2] == ends
        await pilot.mouse_up(Slider, offset=(right - 6, 0))
        await pilot.pause()
        assert str(slider.render()).split()[::2] != ends


async def test_the_slider_of_a_bit_has_two_places() -> None:
    async with knob_of("row1/x2", "diagonal_flip") as (pilot, screen):
        slider = screen.query_one(Slider)
        assert str(slider.render()).startswith("      0 ├●──")
        await pilot.click(Slider, offset=(slider.size.width - 10, 0))
        assert edits(screen) == {"row1/x2": 1.0}
        await press(pilot, "]")
        assert edits(screen) == {}


async def test_the_slider_leaves_when_nothing_is_selected() -> None:
    async with knob_of("x") as (pilot, screen):
        assert screen.query_one(Slider).display
        await press(pilot, "escape")
        assert not screen.query_one(Slider).display
