"""The gallery: choosing a lesson, waiting for a long one, and coming back."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import OptionList, Static

from gates import PATIENCE, gate
from screens import press, shown, until
from shelf import COURSE
from stepgrad.course.folder import read_course
from stepgrad.course.progress import Mark
from stepgrad.course.state import keep, read_progress
from stepgrad.program import run_program
from stepgrad.recording.recording import Recording
from stepgrad.replay.quiz.answers import Question, Score
from stepgrad.replay.session import Progress
from stepgrad.scenario import ProgramFile, ScenarioFile, open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui import work
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.dialogs.dialog import WaitDialog
from stepgrad.tui.gallery.learning import LessonScreen
from stepgrad.tui.gallery.screen import GalleryScreen
from stepgrad.tui.render.lesson import lesson
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.widgets.lesson import LessonStrip


@pytest.fixture(autouse=True)
def _read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepgrad.course.lessons.gallery", COURSE.copy)


async def test_it_lists_every_lesson_with_its_title() -> None:
    async with DebuggerApp().run_test() as pilot:
        options = pilot.app.screen.query_one(OptionList).options
        lessons = {option.id: str(option.prompt) for option in options if option.id}
        assert lessons == {name: f"  {file.title}" for name, file in COURSE.items()}
        levels = [str(option.prompt) for option in options if not option.id]
        assert levels == ["beginner", "intermediate", "advanced", "debugging"]


async def test_a_folder_of_lessons_is_listed_like_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPGRAD_STATE", str(tmp_path / "state"))
    for name in ("mine", "yours"):
        text = f"title: This is {name}\ninputs: {{x: 2}}\ngraph: [y = x*3]\nbackward: y\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "course.yaml").write_text(
        "title: Two weeks\nlessons: {Session 1: [yours, cube], Session 2: mine}\n"
        "after: {mine: cube}\n"
    )
    app = DebuggerApp(course=read_course(tmp_path))
    async with app.run_test() as pilot:
        await press(pilot, "j", "j")
        lines = shown(pilot.app).splitlines()
        assert lines[0].strip() == "Two weeks  choose a lesson"
        options = [
            str(option.prompt).strip() for option in app.screen.query_one(OptionList).options
        ]
        cube = COURSE["cube"].title
        assert options == ["Session 1", "This is yours", cube, "Session 2", "This is mine"]
        about = str(app.screen.query_one("#command", Static).content)
        assert about.split("\n") == [
            f"stepgrad run {tmp_path}/mine.yaml", "builds on:", f"  {cube}",
        ]  # fmt: skip
        await press(pilot, "enter")
        await until(pilot, lambda: read_progress("Two weeks").last == "mine")
    assert not read_progress().last


async def test_arrows_and_letters_choose_and_the_lesson_begins_beside_the_list() -> None:
    name, second = list(COURSE.items())[1]
    async with DebuggerApp().run_test() as pilot:
        await press(pilot, "down", "j", "k")
        screen = pilot.app.screen
        chosen = screen.query_one(OptionList).highlighted_option
        assert chosen is not None
        assert chosen.id == name
        assert str(screen.query_one("#title", Static).content) == second.title
        text = screen.query_one("#text", Static)
        shown = [line.plain for line in lesson(second.lesson, text.size.width)]
        assert str(text.content).split("\n") == shown


async def test_g_and_capital_g_go_to_the_first_and_the_last_lesson() -> None:
    names = list(COURSE)
    async with DebuggerApp().run_test() as pilot:
        for key, place in {"G": -1, "g": 0, "end": -1, "home": 0}.items():
            await press(pilot, key)
            chosen = pilot.app.screen.query_one(OptionList).highlighted_option
            assert chosen is not None
            assert chosen.id == names[place]


async def test_the_first_lesson_of_a_level_is_shown_below_its_name() -> None:
    async with DebuggerApp().run_test(size=(80, 24)) as pilot:
        lessons = pilot.app.screen.query_one(OptionList)
        await press(pilot, "G", "g")
        assert lessons.scroll_offset.y == 0


async def test_enter_opens_a_lesson_and_q_comes_back() -> None:
    async with DebuggerApp().run_test() as pilot:
        await press(pilot, "enter")
        await opened(pilot, DebuggerScreen)
        screen = pilot.app.screen
        assert isinstance(screen, DebuggerScreen)
        assert screen.now.recording.length
        await press(pilot, "escape")
        assert pilot.app.screen is screen
        await press(pilot, "q")
        assert isinstance(pilot.app.screen, GalleryScreen)


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving_the_gallery_leaves(key: str) -> None:
    async with DebuggerApp().run_test() as pilot:
        await press(pilot, key)
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
            await press(pilot, "enter")
            await opened(pilot, DebuggerScreen)
            screen = pilot.app.screen
            assert isinstance(screen, DebuggerScreen)
            assert screen.now.progress == Progress(1 / 101)
            await press(pilot, "s", "q")
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
        await press(pilot, "enter")
        await opened(pilot, WaitDialog)
        slow.go.set()
        await opened(pilot, DebuggerScreen)


async def test_and_it_can_be_left(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    monkeypatch.setattr(work, "record_file", slow)
    async with DebuggerApp().run_test() as pilot:
        await press(pilot, "enter")
        await opened(pilot, WaitDialog)
        await press(pilot, "escape")
        await opened(pilot, GalleryScreen)
        slow.go.set()
        assert slow.ended.wait(PATIENCE)
        await press(pilot, "down")
        assert isinstance(pilot.app.screen, GalleryScreen)


async def test_what_is_wrong_with_a_lesson_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(file: ScenarioFile, **_: Recording) -> Recording:
        raise file.error(("title",), "not a good title")

    monkeypatch.setattr(work, "record_file", wrong)
    async with DebuggerApp().run_test(notifications=True) as pilot:
        await press(pilot, "enter")
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
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, GalleryScreen)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person who has done the first three lessons and seen the fourth."""
    monkeypatch.setenv("STEPGRAD_STATE", str(tmp_path))
    for name in ("gears", "chain_rule", "chain_rule_nudge"):
        keep(name, Mark(seen=True, done=True))
    keep("square", Mark(seen=True, right=3, asked=4))
    return tmp_path / "progress.json"


def listed(pilot: Pilot[None]) -> list[str]:
    """The lessons in the list, by name."""
    return [each.id for each in pilot.app.screen.query_one(OptionList).options if each.id]


def chosen(pilot: Pilot[None]) -> str | None:
    option = pilot.app.screen.query_one(OptionList).highlighted_option
    return option.id if option else None


def top(pilot: Pilot[None]) -> str:
    return str(pilot.app.screen.query_one("#top", Static).content)


@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_it_shows_how_far_one_is(size: tuple[int, int], kept: Path) -> None:
    assert kept.exists()
    async with DebuggerApp().run_test(size=size) as pilot:
        await pilot.pause()
        lines = shown(pilot.app).splitlines()
        assert lines[0].strip() == (
            f"stepgrad  ✓ 3 done  ◐ 1 seen  of {len(COURSE)} · continue: A square has the slope 2x"
        )
        assert any(line.startswith(" ✓ Gears, or why rates multiply  ") for line in lines)
        (line,) = [line for line in lines if line.startswith(" ◐ A square has the slope 2x  ")]
        assert line.partition("│")[0].rstrip().endswith("  3/4")
        assert chosen(pilot) == "square"


async def test_a_score_is_never_cut(kept: Path) -> None:
    keep("loss_constant", Mark(right=14, asked=15))
    assert kept.exists()
    async with DebuggerApp().run_test(size=(60, 20)) as pilot:
        await press(pilot, *["/", *"loss_constant"])
        assert any(
            re.search(r"  The loss never changes.*…  14/15", line)
            for line in shown(pilot.app).splitlines()
        )


async def test_what_a_lesson_builds_on_is_shown_with_its_mark(kept: Path) -> None:
    assert kept.exists()
    async with DebuggerApp().run_test(size=(140, 45)) as pilot:
        await pilot.press("G", *["/", *"flip"])
        await pilot.pause()
        assert chosen(pilot) == "diagonal_flip"
        about = str(pilot.app.screen.query_one("#command", Static).content)
        assert about.splitlines()[1:] == [
            "builds on:",
            "  Backpropagation through two layers",
            "  A shut ReLU learns nothing",
        ]
        await pilot.press("escape", "g", "down")
        await pilot.pause()
        about = str(pilot.app.screen.query_one("#command", Static).content)
        assert about.endswith("builds on:\n✓ Gears, or why rates multiply")


async def test_a_search_narrows_the_list_while_it_is_typed() -> None:
    async with DebuggerApp().run_test() as pilot:
        await pilot.press("/")
        await pilot.pause()
        for typed, found in {
            "relu_g": ["relu_gate"],  # by its name
            "three p": ["three_input_product"],  # by words of its title
            "decision boundary": None,  # by words of its text
        }.items():
            await pilot.press(*(key if key != " " else "space" for key in typed))
            await pilot.pause()
            names = listed(pilot)
            assert found is None or set(found) <= set(names)
            assert len(names) < len(COURSE)
            await pilot.press("escape", "/")
            await pilot.pause()
            assert listed(pilot) == list(COURSE)


async def test_letters_are_typed_and_arrows_choose_while_one_searches() -> None:
    async with DebuggerApp().run_test() as pilot:
        await pilot.press("/", "q", "j", "backspace", "backspace", *"xor", "down")
        await pilot.pause()
        names = listed(pilot)
        assert isinstance(pilot.app.screen, GalleryScreen)
        assert chosen(pilot) == names[1]
        await pilot.press("enter")
        await pilot.pause()
        await opened(pilot, DebuggerScreen)
        await pilot.press("q")
        await pilot.pause()
        assert listed(pilot) == names
        assert chosen(pilot) == names[1]
        await pilot.press("escape")
        await pilot.pause()
        assert listed(pilot) == list(COURSE)
        assert chosen(pilot) == names[1]


async def test_a_search_that_finds_nothing_says_so_and_opens_nothing() -> None:
    async with DebuggerApp().run_test() as pilot:
        await pilot.press("/", *"zzz", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, GalleryScreen)
        (option,) = pilot.app.screen.query_one(OptionList).options
        assert str(option.prompt) == "no lesson has these words"
        assert not pilot.app.screen.query_one("#preview").visible


async def lesson_opened(pilot: Pilot[None]) -> LessonScreen:
    await opened(pilot, LessonScreen)
    await pilot.pause()
    screen = pilot.app.screen
    assert isinstance(screen, LessonScreen)
    return screen


async def test_a_lesson_that_is_opened_is_seen_and_one_that_is_over_is_done(kept: Path) -> None:
    assert kept.exists()
    async with DebuggerApp().run_test() as pilot:
        await press(pilot, "down", "enter")
        screen = await lesson_opened(pilot)
        await until(pilot, lambda: read_progress().last == "cube")
        assert read_progress().mark("cube") == Mark(seen=True)
        screen.post_message(DebuggerScreen.LessonDone())
        await pilot.pause()
        assert read_progress().mark("cube").done
        await press(pilot, "q")
        assert "✓ 4 done" in top(pilot)


@pytest.mark.parametrize("leave", ["q", "ctrl+q"])
async def test_the_score_is_kept_when_a_lesson_is_left(leave: str, kept: Path) -> None:
    assert kept.exists()
    async with DebuggerApp().run_test() as pilot:
        await press(pilot, "down", "enter")
        screen = await lesson_opened(pilot)
        question = Question("value", "", "", 0.0, "")
        score = Score(((question, True), (question, False)))
        screen.session = screen.now.say("", score=score)
        await press(pilot, leave)
    assert read_progress().mark("cube").score == "1/2"


async def test_after_a_lesson_the_next_one_opens(kept: Path) -> None:
    assert kept.exists()
    async with DebuggerApp().run_test() as pilot:
        await press(pilot, "enter")
        screen = await lesson_opened(pilot)
        screen.post_message(DebuggerScreen.LessonDone())
        await pilot.pause()
        screen.dismiss("next")
        await until(pilot, lambda: read_progress().last == "cube")
        await lesson_opened(pilot)
        await press(pilot, "q")
        assert chosen(pilot) == "cube"


async def test_a_lesson_that_is_opened_without_the_gallery_counts_too(kept: Path) -> None:
    scenario = open_scenario("two_layer")
    app = DebuggerApp(record_file(scenario), scenario)
    async with app.run_test() as pilot:
        await lesson_opened(pilot)
        await press(pilot, "q")
    assert read_progress().last == "two_layer"
    own = kept.parent / "two_layer.yaml"
    own.write_text(scenario.source.text)
    async with DebuggerApp(record_file(scenario), open_scenario(own)).run_test() as pilot:
        await opened(pilot, DebuggerScreen)
        assert not isinstance(pilot.app.screen, LessonScreen)


async def test_after_a_lesson_opened_directly_the_next_one_opens_and_q_leaves(kept: Path) -> None:
    assert kept.exists()
    scenario = open_scenario("square")
    app = DebuggerApp(record_file(scenario), scenario)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await lesson_opened(pilot)
        await finish(pilot, screen)
        end = screen.query_one(LessonStrip).render().plain
        assert end == "✓ done · Enter: next lesson · p: predict it · q: quit"
        following = read_progress().following("square", list(COURSE))
        await press(pilot, "enter")
        await until(pilot, lambda: read_progress().last == following)
        await lesson_opened(pilot)
        await press(pilot, "q")
        await until(pilot, lambda: app._exit)


async def test_from_a_program_that_is_a_lesson_one_goes_on_and_to_one(kept: Path) -> None:
    assert kept.exists()
    names = list(COURSE)
    program = next(n for n in names if isinstance(COURSE[n], ProgramFile))
    before = names[names.index(program) - 1]
    scenario = open_scenario(before)
    async with DebuggerApp(record_file(scenario), scenario).run_test(size=(80, 24)) as pilot:
        screen = await lesson_opened(pilot)
        screen.dismiss("next")
        await until(pilot, lambda: read_progress().last == program)
    run = run_program(str(COURSE[program].path))
    async with DebuggerApp(run.recording).run_test(size=(80, 24)) as pilot:
        screen = await lesson_opened(pilot)
        screen.dismiss("next")
        following = read_progress().following(program, names)
        await until(pilot, lambda: read_progress().last == following)


async def finish(pilot: Pilot[None], screen: LessonScreen) -> None:
    """Tick all steps of a lesson."""
    await pilot.pause()
    assert screen.lesson is not None
    due = sum(len(step.demands) for step in screen.lesson.steps)
    screen.lesson = replace(screen.lesson, met=due, read=len(screen.lesson.steps))
    await pilot.pause()
    assert screen.lesson.done


async def test_progress_that_cannot_be_kept_is_said_once_and_ends_nothing(kept: Path) -> None:
    kept.write_text("mine")
    async with DebuggerApp().run_test(notifications=True) as pilot:
        await press(pilot, "enter")
        await lesson_opened(pilot)
        await press(pilot, "q")
        assert isinstance(pilot.app.screen, GalleryScreen)
        assert len(pilot.app.screen.query("Toast")) == 1
        assert "◐ 1 seen" in top(pilot)  # as long as this debugger is open
    assert kept.read_text() == "mine"


async def test_switched_off_it_shows_no_progress() -> None:
    async with DebuggerApp().run_test() as pilot:
        await press(pilot, "enter")
        await lesson_opened(pilot)
        await press(pilot, "q")
        assert top(pilot).strip() == "stepgrad  choose a lesson"


@pytest.mark.parametrize("valid", [True, False])
async def test_from_a_lesson_of_a_folder_opened_directly_one_goes_on_in_that_course(
    valid: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPGRAD_STATE", str(tmp_path / "state"))
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("title: x\ninputs: {x: 2}\ngraph: [y = x*3]\n")
    (tmp_path / "course.yaml").write_text("title: Two weeks\nlessons: {One: [b, a]}\n")
    scenario = open_scenario(tmp_path / "b.yaml")
    app = DebuggerApp(record_file(scenario), scenario)
    async with app.run_test() as pilot:
        screen = await lesson_opened(pilot)
        if not valid:
            (tmp_path / "a.yaml").write_text("title: x\n")
        screen.dismiss("next")
        if valid:
            await until(pilot, lambda: read_progress("Two weeks").last == "a")
    assert read_progress("Two weeks").last == ("a" if valid else "b")
    assert (app.return_code == 0) is not valid  # it has left, with a message


HANGING = '''"""A program that hangs."""

# lesson: {}
import os
import time
from pathlib import Path

Path("process").write_text(str(os.getpid()))
while True:
    time.sleep(60)
'''


async def test_a_program_that_hangs_is_ended_with_escape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "hanging.py").write_text(HANGING)
    started = tmp_path / "process"
    async with DebuggerApp(course=read_course(folder)).run_test() as pilot:
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, WaitDialog))
        await until(pilot, lambda: started.exists() and bool(started.read_text()))
        await press(pilot, "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, GalleryScreen))
        await until(pilot, lambda: not is_running(int(started.read_text())))


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
