"""The gallery: choosing a lesson, waiting for a long one, and coming back."""

from __future__ import annotations

from threading import Event

import pytest
from textual.widgets import OptionList, Static

from stepgrad.recording.recording import Recording
from stepgrad.scenario import ScenarioFile, open_scenario, shipped
from stepgrad.scenario.build import record_file
from stepgrad.tui import gallery
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.gallery import GalleryScreen, RecordingScreen
from stepgrad.tui.screen import DebuggerScreen


async def test_it_lists_every_lesson_with_its_title() -> None:
    async with DebuggerApp().run_test() as pilot:
        titles = [str(option.prompt) for option in pilot.app.screen.query_one(OptionList).options]
        assert titles == [open_scenario(name).title for name in shipped()]


async def test_arrows_and_letters_choose_and_the_lesson_begins_beside_the_list() -> None:
    second = open_scenario(list(shipped())[1])
    async with DebuggerApp().run_test() as pilot:
        await pilot.press("down", "j", "k")
        await pilot.pause()
        screen = pilot.app.screen
        assert screen.query_one(OptionList).highlighted == 1
        assert str(screen.query_one("#title", Static).content) == second.title


async def test_enter_opens_a_lesson_and_q_comes_back() -> None:
    async with DebuggerApp().run_test() as pilot:
        await pilot.press("enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, DebuggerScreen)
        assert screen.now.recording.length
        await pilot.press("escape")
        assert pilot.app.screen is screen
        await pilot.press("q")
        assert isinstance(pilot.app.screen, GalleryScreen)


@pytest.mark.parametrize("key", ["q", "escape"])
async def test_leaving_the_gallery_leaves(key: str) -> None:
    async with DebuggerApp().run_test() as pilot:
        await pilot.press(key)
    assert pilot.app.return_code == 0


async def test_a_long_recording_can_be_left_and_says_that_it_takes_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = Event()

    def slow(file: ScenarioFile) -> Recording:
        done.wait(10)
        return record_file(file)

    monkeypatch.setattr(gallery, "record_file", slow)
    async with DebuggerApp().run_test() as pilot:
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, RecordingScreen)
        assert not pilot.app.screen.query_one("#wait").display
        await pilot.pause(gallery.PATIENCE + 0.1)
        assert pilot.app.screen.query_one("#wait").display
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, GalleryScreen)
        done.set()
        await pilot.pause(0.1)
        assert isinstance(pilot.app.screen, GalleryScreen)
