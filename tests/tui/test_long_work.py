"""What takes long, on the screen: it opens early, grows, can be stopped; no key waits for it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from threading import Event

import pytest
from textual.content import Content
from textual.pilot import Pilot
from textual.widgets import Input, ProgressBar, Static

from gates import PATIENCE, Gate, gate
from screens import until
from stepgrad.errors import NotEnoughMemoryError
from stepgrad.progress import advance
from stepgrad.recording.recording import Recording
from stepgrad.replay.program import Program
from stepgrad.replay.session import Progress, Session
from stepgrad.scenario import build, open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.dialogs.dialog import ReportScreen, WaitDialog
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.widgets.prompt import Prompt
from stepgrad.tui.widgets.text import Header, Timeline
from stepgrad.tui.work import Growing

XOR = open_scenario("xor_tanh")
WHOLE = record_file(XOR)


@pytest.fixture(name="gate")
def _gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    with gate(monkeypatch) as it:
        yield it


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
        assert not thread.is_alive()


@asynccontextmanager
async def growing_debugger() -> AsyncIterator[tuple[Pilot[None], DebuggerScreen]]:
    growing = Growing(XOR)
    app = DebuggerApp(growing.result(), XOR, growing)
    async with app.run_test(size=(100, 30)) as pilot:
        assert isinstance(app.screen, DebuggerScreen)
        yield pilot, app.screen


def header(screen: DebuggerScreen) -> str:
    return screen.query_one(Header).render().plain


async def test_it_opens_early_and_grows_and_the_keys_act_meanwhile(gate: Gate) -> None:
    async with growing_debugger() as (pilot, screen):
        first = WHOLE.steps[1]
        assert f"event 0/{first}" in header(screen)
        assert "recording 0%  R stops" in header(screen)
        await pilot.press("s", "s")
        assert screen.now.cursor.position == 2
        await pilot.press("G")
        assert screen.now.cursor.position == first
        await pilot.press("t")
        assert screen.now.cursor.position == first, "there is no other step yet"

        gate.let(41)
        await until(pilot, lambda: screen.now.recording.length == WHOLE.steps[41])
        assert screen.now.cursor.position == first
        assert f"event {first}/{WHOLE.steps[41]}" in header(screen)
        assert "recording 40%" in header(screen)
        await pilot.press("t")
        assert screen.now.state.step == 1
        await pilot.press(*":step 30", "enter")
        assert screen.now.state.step == 30

        gate.leave_open()
        await until(pilot, lambda: screen.now.progress is None)
        assert "recording" not in header(screen)
        await pilot.press("G")
        assert list(screen.now.recording.events) == list(WHOLE.events)
        assert "matches 9 of 9" in header(screen)


async def test_it_can_be_stopped_and_what_is_there_stays(gate: Gate) -> None:
    async with growing_debugger() as (pilot, screen):
        gate.let(34)
        await pilot.press("R")
        assert screen.now.said == "stopped at step 33 of 100"
        assert "stopped at 33%" in header(screen)
        gate.leave_open()
        await pilot.press("G", "n", "R")
        assert screen.now.said == "nothing is being recorded"
        assert screen.now.cursor.position == WHOLE.steps[34] == screen.now.recording.length
        assert "stopped at 33%" in header(screen)


async def test_where_nothing_grows_nothing_is_stopped() -> None:
    async with DebuggerApp(WHOLE, XOR).run_test() as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, DebuggerScreen)
        await pilot.press("R")
        assert screen.now.said == "nothing is being recorded"


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_quitting_in_the_middle_ends_the_thread(gate: Gate, key: str) -> None:
    growing = Growing(XOR)
    app = DebuggerApp(growing.result(), XOR, growing)
    async with app.run_test() as pilot:
        gate.let(3)
        await pilot.press(key)
    gate.leave_open()
    growing.wait(PATIENCE)
    assert growing.progress is not None
    assert growing.progress.stopped


async def test_an_edit_of_what_still_grows_and_back(gate: Gate) -> None:
    async with growing_debugger() as (pilot, screen):
        original = screen.now.recording
        edited = Recording()
        screen.session = replace(screen.now, program=Program(lambda *_: edited))
        await pilot.press("s", "e", "1", "enter")
        assert screen.now.recording is edited
        assert screen.now.progress is None
        assert "recording" not in header(screen)
        gate.let(2)
        await until(pilot, lambda: original.length == WHOLE.steps[2])
        await pilot.press("E")
        assert screen.now.recording is original
        assert screen.now.progress == Progress(2 / 101)


class Gated:
    """A program that runs again only as far as a test lets it."""

    def __init__(self) -> None:
        self.half, self.go = Event(), Event()

    def __call__(self, *_: object) -> Recording:
        advance(1, 2)
        self.half.set()
        assert self.go.wait(PATIENCE)
        advance(2, 2)
        return WHOLE


@asynccontextmanager
async def long_edit(program: Gated) -> AsyncIterator[tuple[Pilot[None], DebuggerScreen, Session]]:
    """Begin to edit, up to where the dialog is there."""
    async with DebuggerApp(WHOLE, XOR).run_test() as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, DebuggerScreen)
        screen.session = before = replace(
            screen.now.go(screen.now.cursor.step()), program=Program(program)
        )
        await pilot.press("e", *"layer1/neuron1/w1=2")
        assert screen.query_one(Prompt).asks
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WaitDialog))
        try:
            yield pilot, screen, before
        finally:
            program.go.set()


async def test_a_long_edit_shows_how_far_it_is_and_then_its_result() -> None:
    program = Gated()
    async with long_edit(program) as (pilot, screen, before):
        assert program.half.wait(PATIENCE)
        bar = pilot.app.screen.query_one(ProgressBar)
        await until(pilot, lambda: bar.percentage == 0.5)
        await pilot.press("s")
        assert screen.now == before, "the keys are the dialog's"
        program.go.set()
        await until(pilot, lambda: pilot.app.screen is screen and screen.now != before)
        assert screen.now.edits == (("layer1/neuron1/w1", 2.0),)
        assert screen.now.said.startswith("w1 0.278854 → 2: loss ")


@pytest.mark.parametrize("key", ["escape", "ctrl+c"])
async def test_a_long_edit_can_be_cancelled(key: str) -> None:
    program = Gated()
    async with long_edit(program) as (pilot, screen, before):
        await pilot.press(key)
        await until(pilot, lambda: pilot.app.screen is screen)
        assert screen.now == before.say("cancelled")
        program.go.set()
        await pilot.press("s")
        assert screen.now == before.go(before.cursor.step())


async def test_quitting_from_the_dialog_ends_the_work() -> None:
    program = Gated()
    async with long_edit(program) as (pilot, _, _):
        await pilot.press("ctrl+q")
    assert pilot.app.return_code == 0


async def test_what_is_done_at_once_shows_no_dialog() -> None:
    async with DebuggerApp(WHOLE, XOR).run_test() as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, DebuggerScreen)
        screen.session = replace(screen.now, program=Program(lambda *_: WHOLE))
        await pilot.press("s", "e", *"nothing", "enter")
        assert screen.query_one(Prompt).asks
        assert "`nothing` is not a number" in str(screen.query_one("#problem", Static).content)
        screen.query_one(Input).value = "2"
        await pilot.press("enter")
        assert screen.now.edits == (("layer1/neuron1/w1", 2.0),)
        await pilot.press("D")
        assert isinstance(pilot.app.screen, ReportScreen)


@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_where_the_memory_was_spent_is_on_the_screen(size: tuple[int, int]) -> None:
    growing = Growing(XOR, memory=100_000)
    app = DebuggerApp(growing.result(), XOR, growing)
    async with app.run_test(size=size) as pilot:
        assert isinstance(app.screen, DebuggerScreen)
        timeline = app.screen.query_one(Timeline)
        await until(pilot, lambda: growing.progress is None)
        await until(pilot, lambda: timeline.border_title != "timeline")
        why = f"recorded up to event {growing.recording.length:,}: the memory budget is spent"
        assert Content.from_markup(timeline.border_title or "").plain == f"timeline  {why}"
        assert timeline.display
        assert len(why) + 12 < timeline.size.width


async def test_what_there_is_when_memory_runs_out_can_be_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(done: int, total: int) -> None:
        if done == 8:
            raise MemoryError
        advance(done, total)

    monkeypatch.setattr(build, "advance", fail)
    growing = Growing(XOR)
    assert growing.wait()  # it has ended before the debugger opens
    app = DebuggerApp(growing.result(), XOR, growing)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = app.screen
        assert isinstance(screen, DebuggerScreen)
        await until(pilot, lambda: bool(pilot.app._notifications))
        [told] = pilot.app._notifications
        assert told.message == str(NotEnoughMemoryError())
        assert f"event 0/{WHOLE.steps[8]}  " in header(screen)


@pytest.mark.parametrize("key", ["s", "t"])
async def test_a_command_that_finds_no_memory_says_so(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    app = DebuggerApp(WHOLE, XOR)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, DebuggerScreen)
        monkeypatch.setattr(type(screen.now), "go", fail)
        await pilot.press(key)
        await pilot.pause()
        monkeypatch.undo()
        assert screen.now.said == str(NotEnoughMemoryError())
        assert screen.now.cursor.position == 0
