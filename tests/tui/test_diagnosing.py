"""What is wrong, on the screen: found in the background, and a list that leads to the evidence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from threading import Event

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import OptionList

import stepgrad.diagnosis
from diagnosing import ask_for_names
from gates import gate
from scenario.runs import read
from scenario.samples import GRAPH, changed
from screens import press, settle, shown, until
from stepgrad import Recording, Value, record
from stepgrad.diagnosis import Question, Verdict
from stepgrad.diagnosis.survey import Survey
from stepgrad.progress import advance
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.scenario.load import ScenarioFile
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.dialogs.dialog import ReportDialog, WaitDialog
from stepgrad.tui.dialogs.help import HelpScreen
from stepgrad.tui.dialogs.places import PlacesScreen
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.work import Growing

DEAD = changed(changed(GRAPH, "h = relu", "dead = relu"), "(h -", "(dead -")
TAUGHT = f"{DEAD}lesson: Look for it.\n"
MADE, END = 7, 18
"""Where the node called dead is made, and the last event: the evidence."""


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    ask_for_names(monkeypatch)


@asynccontextmanager
async def debugger(
    text: str, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Pilot[None], DebuggerScreen]]:
    scenario = read(text)
    async with opened(DebuggerApp(record_file(scenario), scenario), size) as (pilot, screen):
        await settle(pilot)
        await pilot.pause()
        yield pilot, screen


@asynccontextmanager
async def opened(
    app: DebuggerApp, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[tuple[Pilot[None], DebuggerScreen]]:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, DebuggerScreen)
        yield pilot, screen


def row(app: App[None], word: str) -> str:
    """The first line on the screen that has a word."""
    return next(line for line in shown(app).splitlines() if word in line)


async def test_the_header_counts_and_the_lesson_begins_with_the_first() -> None:
    async with debugger(TAUGHT) as (pilot, _):
        app = pilot.app
        lines = shown(app).splitlines()
        assert "⚠ 1 " in lines[0]
        assert "⚠ a node is called dead. ! shows" in " ".join(shown(app).split())
        assert "Look for it." in shown(app)


async def test_the_timeline_marks_the_evidence() -> None:
    async with debugger(TAUGHT) as (pilot, _):
        assert row(pilot.app, "fwd ").count("!") == 1


async def test_a_run_with_nothing_wrong_is_as_it_was() -> None:
    async with debugger(f"{GRAPH}lesson: Look at it.\n") as (pilot, _):
        assert "⚠" not in shown(pilot.app)
        await press(pilot, "!")
        assert isinstance(pilot.app.screen, ReportDialog)
        assert "Nothing found in 1 backward pass and 0 steps: 3 questions asked." in shown(
            pilot.app
        )
        await press(pilot, "!")
        assert isinstance(pilot.app.screen, DebuggerScreen)


async def test_what_is_promised_is_counted_and_not_given_away() -> None:
    async with debugger(f"{DEAD}  verdicts: [dead]\nlesson: Look for it.\n") as (pilot, _):
        assert "⚠ 1 " in shown(pilot.app).splitlines()[0]
        assert "a node is called dead" not in shown(pilot.app)
        assert "!" not in row(pilot.app, "fwd ")
        await press(pilot, "!")
        assert "⚠ dead: a node is called dead" in shown(pilot.app)


async def test_where_there_is_no_lesson_the_message_line_says_it() -> None:
    with record() as recording:
        (Value(1.0, label="dead") * 2).backward()
    async with opened(DebuggerApp(recording)) as (pilot, screen):
        await settle(pilot)
        assert screen.now.said.endswith("shows where: a node is called dead")


async def test_it_does_not_talk_over_what_ended_the_program() -> None:
    with record() as recording:
        (Value(1.0, label="dead") * 2).backward()
    async with opened(DebuggerApp(recording, said="the program failed")) as (pilot, screen):
        await settle(pilot)
        assert screen.now.said == "the program failed"


async def test_the_list_leads_to_the_evidence() -> None:
    async with debugger(DEAD) as (pilot, screen):
        await press(pilot, "!")
        assert isinstance(pilot.app.screen, PlacesScreen)
        assert "Call dead something else." in shown(pilot.app)
        await press(pilot, "enter")
        assert screen.now.cursor.position == MADE
        dead = screen.now.recording.names(END)["dead"]
        assert screen.now.subject == dead
        await press(pilot, "!", "j", "enter")
        assert screen.now.cursor.position == END
        assert screen.now.selected is None, "the event says itself what it is about"


async def test_a_click_leads_there_and_escape_leads_nowhere() -> None:
    async with debugger(DEAD) as (pilot, screen):
        await press(pilot, "!")
        await pilot.click(OptionList, offset=(4, 3))
        assert screen.now.cursor.position == END
        for key in ("escape", "!", "q"):
            await press(pilot, "!", key)
            assert pilot.app.screen is screen
            assert screen.now.cursor.position == END


async def test_y_says_why_and_leads_there() -> None:
    async with debugger(DEAD) as (pilot, screen):
        await press(pilot, *":w1", "enter", "y")
        assert "w1 = 0.5" in shown(pilot.app)
        await press(pilot, "enter")
        assert screen.now.cursor.position == screen.now.recording.history.made_at(
            screen.now.recording.names(END)["w1"]
        )


async def test_without_a_node_there_is_no_reason() -> None:
    async with opened(DebuggerApp(Recording("empty"))) as (pilot, _):
        await press(pilot, "y")
        assert "There is no node yet." in shown(pilot.app)


async def test_a_growing_recording_is_diagnosed_when_it_is_complete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with gate(monkeypatch) as passes:
        scenario = open_scenario("xor_tanh")
        growing = Growing(scenario)
        passes.let(2)
        app = DebuggerApp(growing.result(), scenario, growing)
        async with opened(app) as (pilot, screen):
            assert screen.diagnosis is None
            await press(pilot, "!")
            assert screen.now.said == "what is wrong shows when the recording is complete"
            passes.leave_open()
            await until(pilot, lambda: screen.diagnosis is not None)
            assert screen.diagnosis
            assert not screen.diagnosis.verdicts


async def test_an_edited_recording_is_diagnosed_for_itself() -> None:
    scenario = read(f"{DEAD}  verdicts: [dead]\n")
    async with opened(DebuggerApp(record_file(scenario), scenario)) as (pilot, screen):
        await settle(pilot)
        assert screen.diagnosis is not None
        assert screen.diagnosis.promised == ("dead",)
        await press(pilot, "G", *"ew1=1", "enter")
        await settle(pilot)
        assert screen.diagnosis.promised is None
        await press(pilot, "E")
        await settle(pilot)
        assert screen.diagnosis.promised == ("dead",)


@contextmanager
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """Have the diagnosis wait until an event is set, or until it is cancelled."""
    go = Event()

    def find(brief: Survey) -> Iterator[Verdict]:
        while not go.wait(0.001):
            advance(0, 1)
        yield Verdict("dead", "it is dead", "Mend it.", [brief.recording.length])

    monkeypatch.setattr("stepgrad.diagnosis.QUESTIONS", [Question("dead", "", "", find)])
    try:
        yield go
    finally:
        go.set()


def app_on(scenario: ScenarioFile) -> DebuggerApp:
    return DebuggerApp(record_file(scenario), scenario)


async def test_keys_do_not_wait_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with slow(monkeypatch) as go:
        async with opened(app_on(read(DEAD))) as (pilot, screen):
            await press(pilot, "s", "s")
            assert screen.now.cursor.position == 2
            assert not screen.settled
            assert "⚠" not in shown(pilot.app)
            go.set()
            await settle(pilot)
            await pilot.pause()
            assert "⚠ 1" in shown(pilot.app)


async def test_the_list_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with slow(monkeypatch) as go:
        async with opened(app_on(read(DEAD))) as (pilot, _):
            await pilot.press("!")
            assert isinstance(pilot.app.screen, WaitDialog)
            go.set()
            await until(pilot, lambda: isinstance(pilot.app.screen, PlacesScreen))
            await pilot.pause()
            assert "⚠ dead: it is dead" in shown(pilot.app)


async def test_it_can_be_cancelled_and_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with slow(monkeypatch) as go:
        async with opened(app_on(read(DEAD))) as (pilot, screen):
            await press(pilot, "!", "escape")
            assert screen.now.said == "cancelled"
            assert screen.settled
            assert screen.diagnosis is None
            go.set()
            await press(pilot, "!")
            assert isinstance(pilot.app.screen, PlacesScreen)


async def test_closing_the_screen_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Event()
    diagnose = stepgrad.diagnosis.diagnose

    def watched(*arguments: object) -> object:
        try:
            return diagnose(*arguments)  # type: ignore[arg-type]
        finally:
            ended.set()

    monkeypatch.setattr("stepgrad.diagnosis.diagnose", watched)
    with slow(monkeypatch):
        async with opened(app_on(read(DEAD))) as (pilot, _):
            await press(pilot, "q")
        assert ended.wait(10)


async def test_the_help_explains_the_marks() -> None:
    async with debugger(DEAD) as (pilot, _):
        await press(pilot, "?")
        assert isinstance(pilot.app.screen, HelpScreen)
        await pilot.press("end")
        await pilot.pause()
        assert "! marks where" in shown(pilot.app)
