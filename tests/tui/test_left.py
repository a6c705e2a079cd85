"""Saving what a program has done from the screen, before it is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from screens import drained, press, shown, until
from stepgrad.program import run_program
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.saving import LONG
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.widgets.prompt import Prompt

PROGRAM = """
import stepgrad
x = stepgrad.Value(3.0, label="x")
(x * x).backward()
"""


async def test_a_recording_that_took_long_can_be_saved_before_it_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("slow.py").write_text(PROGRAM)
    recording = run_program("slow.py").recording
    assert 0 < recording.unsaved < LONG
    recording.unsaved = 34.0
    app = DebuggerApp(recording)
    async with app.run_test(size=(80, 24)) as pilot:
        await drained(pilot)
        await press(pilot, "q")
        assert "took 34 s and is not saved: ^s saves it, q again leaves it" in shown(app)
        await press(pilot, "ctrl+s")
        assert "leave empty for slow.stepgrad" in shown(app)
        await press(pilot, "enter")
        await until(pilot, lambda: "saved in" in shown(app))
        assert Recording.load("slow.stepgrad").length == 5
        await press(pilot, "q")
        await until(pilot, lambda: not app.is_running)


async def test_it_is_asked_about_once(tmp_path: Path) -> None:
    path = tmp_path / "slow.py"
    path.write_text(PROGRAM)
    recording = run_program(str(path)).recording
    recording.unsaved = 34.0
    app = DebuggerApp(recording)
    async with app.run_test(size=(80, 24)) as pilot:
        await drained(pilot)
        await press(pilot, "q", "s", "ctrl+c")
        assert "is not saved" in shown(app)
        await press(pilot, "q")
        await until(pilot, lambda: not app.is_running)


async def test_a_browser_writes_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DebuggerApp, "is_web", True)
    app = DebuggerApp(record_file(open_scenario("chain_rule")))
    async with app.run_test(size=(80, 24)) as pilot:
        await drained(pilot)
        await press(pilot, "ctrl+s")
        assert "nothing is saved on this machine" in shown(app)
        assert not app.screen.query_one(Prompt).asks
