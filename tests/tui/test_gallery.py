"""The gallery: choosing a lesson, waiting for a long one, and coming back."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import OptionList, Static

from gates import PATIENCE, gate
from stepgrad.recording.recording import Recording
from stepgrad.replay.session import Progress
from stepgrad.scenario import ScenarioFile, gallery
from stepgrad.scenario.build import record_file
from stepgrad.tui import work
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.dialogs import WaitDialog
from stepgrad.tui.gallery import GalleryScreen
from stepgrad.tui.render.lesson import lesson
from stepgrad.tui.screen import DebuggerScreen


async def test_it_lists_every_lesson_with_its_title() -> None:
    async with DebuggerApp().run_test() as pilot:
        options = pilot.app.screen.query_one(OptionList).options
        lessons = {option.id: str(option.prompt) for option in options if option.id}
        assert lessons == {name: f"  {file.title}" for name, file in gallery().items()}
        levels = [str(option.prompt) for option in options if not option.id]
        assert levels == ["beginner", "intermediate", "advanced", "debugging"]


async def test_arrows_and_letters_choose_and_the_lesson_begins_beside_the_list() -> None:
    name, second = list(gallery().items())[1]
    async with DebuggerApp().run_test() as pilot:
        await pilot.press("down", "j", "k")
        await pilot.pause()
        screen = pilot.app.screen
        chosen = screen.query_one(OptionList).highlighted_option
        assert chosen is not None
        assert chosen.id == name
        assert str(screen.query_one("#title", Static).content) == second.title
        text = screen.query_one("#text", Static)
        shown = [line.plain for line in lesson(second.lesson, text.size.width)]
        assert str(text.content).split("\n") == shown


async def test_g_and_capital_g_go_to_the_first_and_the_last_lesson() -> None:
    names = list(gallery())
    async with DebuggerApp().run_test() as pilot:
        for key, place in {"G": -1, "g": 0, "end": -1, "home": 0}.items():
            await pilot.press(key)
            chosen = pilot.app.screen.query_one(OptionList).highlighted_option
            assert chosen is not None
            assert chosen.id == names[place]


async def test_the_first_lesson_of_a_level_is_shown_below_its_name() -> None:
    async with DebuggerApp().run_test(size=(80, 24)) as pilot:
        lessons = pilot.app.screen.query_one(OptionList)
        await pilot.press("G", "g")
        await pilot.pause()
        assert lessons.scroll_offset.y == 0


async def test_enter_opens_a_lesson_and_q_comes_back() -> None:
    async with DebuggerApp().run_test() as pilot:
        await pilot.press("enter")
        await opened(pilot, DebuggerScreen)
        screen = pilot.app.screen
        assert isinstance(screen, DebuggerScreen)
        assert screen.now.recording.length
        await pilot.press("escape")
        assert pilot.app.screen is screen
        await pilot.press("q")
        assert isinstance(pilot.app.screen, GalleryScreen)


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving_the_gallery_leaves(key: str) -> None:
    async with DebuggerApp().run_test() as pilot:
        await pilot.press(key)
    assert pilot.app.return_code == 0


async def opened(pilot: Pilot[None], screen: type[Screen[Any]]) -> None:
    """Let the app go on until it shows such a screen."""
    async with asyncio.timeout(PATIENCE):
        while not isinstance(pilot.app.screen, screen):
            await pilot.pause(0.01)


async def test_a_long_lesson_opens_with_its_first_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    with gate(monkeypatch):
        async with DebuggerApp().run_test() as pilot:
            options = pilot.app.screen.query_one(OptionList)
            options.highlighted = options.get_option_index("xor_tanh")
            await pilot.press("enter")
            await opened(pilot, DebuggerScreen)
            screen = pilot.app.screen
            assert isinstance(screen, DebuggerScreen)
            assert screen.now.progress == Progress(1 / 101)
            await pilot.press("s", "q")
            assert isinstance(pilot.app.screen, GalleryScreen)


class Slow:
    """In the place of `record_file`: it waits before it begins."""

    def __init__(self) -> None:
        self.go, self.ended = Event(), Event()

    def __call__(
        self, file: ScenarioFile, *, recording: Recording, memory: int | None
    ) -> Recording:
        assert self.go.wait(PATIENCE)
        try:
            return record_file(file, recording=recording, memory=memory)
        finally:
            self.ended.set()


async def test_a_first_pass_that_takes_long_can_be_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = Slow()
    monkeypatch.setattr(work, "record_file", slow)
    async with DebuggerApp().run_test() as pilot:
        await pilot.press("enter")
        await opened(pilot, WaitDialog)
        slow.go.set()
        await opened(pilot, DebuggerScreen)


async def test_and_it_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    monkeypatch.setattr(work, "record_file", slow)
    async with DebuggerApp().run_test() as pilot:
        await pilot.press("enter")
        await opened(pilot, WaitDialog)
        await pilot.press("escape")
        await opened(pilot, GalleryScreen)
        slow.go.set()
        assert slow.ended.wait(PATIENCE)
        await pilot.press("down")
        assert isinstance(pilot.app.screen, GalleryScreen)


async def test_what_is_wrong_with_a_lesson_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(file: ScenarioFile, **_: Recording) -> Recording:
        raise file.error(("title",), "not a good title")

    monkeypatch.setattr(work, "record_file", wrong)
    async with DebuggerApp().run_test(notifications=True) as pilot:
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, GalleryScreen)
        await pilot.pause()
        (toast,) = pilot.app.screen.query("Toast")
        assert "not a good title" in str(toast.render())


@pytest.mark.parametrize("size", [(60, 15), (79, 24), (80, 24), (140, 45)])
async def test_a_lesson_has_room_to_be_read(size: tuple[int, int]) -> None:
    async with DebuggerApp().run_test(size=size) as pilot:
        await pilot.pause()
        preview = pilot.app.screen.query_one("#preview")
        assert preview.size.width >= 28
        assert preview.size.height >= 4
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, GalleryScreen)
