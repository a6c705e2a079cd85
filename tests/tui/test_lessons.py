"""A lesson on the screen: its current step, its ticks, and where it leads."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.geometry import Offset
from textual.widget import Widget
from textual.widgets import Static

from screens import debugger, press, settle, until
from stepgrad.course.glossary import look_up
from stepgrad.course.learner import Learner
from stepgrad.replay.lesson.following import Lesson
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.scenario.rerun import session_on
from stepgrad.tui import app as app_module
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.dialogs.help import WordScreen, meanings
from stepgrad.tui.gallery.learning import LessonScreen
from stepgrad.tui.render.lesson import lesson
from stepgrad.tui.render.steps import explained
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.widgets.lesson import LessonPanel, LessonStrip


def lines_of(panel: Widget) -> list[str]:
    """The lines of a panel."""
    return [panel.render_line(y).text.rstrip() for y in range(panel.size.height)]


def strip_of(screen: DebuggerScreen) -> list[str]:
    """The lines of the strip with the current step."""
    strip = screen.query_one(LessonStrip)
    assert strip.region.bottom == screen.query_one("#chain").region.y
    return [line.plain.rstrip() for line in strip.render().split("\n")]


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (70, 20)])
async def test_the_current_step_stays_above_the_chain_line(size: tuple[int, int]) -> None:
    async with debugger("dead_relu", size=size) as (pilot, screen):
        assert not screen.query_one("#lesson").display
        assert strip_of(screen)[0].startswith("1/5  The neuron of")
        assert screen.query_one(LessonStrip).size.height == 3
        await press(pilot, "enter")
        assert screen.now.cursor.position == 0, "Enter goes on reading"
        assert strip_of(screen)[0].startswith("2/5  Press f")
        await press(pilot, "f", "n", "n", "n")
        assert strip_of(screen)[0].startswith("2/5  Press f")
        await press(pilot, "n", "n")
        there = screen.now.cursor
        assert strip_of(screen)[0].startswith("2/5✓ Press f"), "it says what is to be seen"
        assert "shut.  Enter goes on" in " ".join(strip_of(screen))
        await press(pilot, "down", "escape")
        assert strip_of(screen)[0].startswith("2/5✓ Press f")
        await press(pilot, "enter")
        assert screen.now.cursor == there
        assert strip_of(screen)[0].startswith("3/5  Keep pressing n")
        await press(pilot, "enter")
        assert screen.now.cursor == there, "nothing is selected: Enter is for the lesson"
        assert screen.now.said.endswith(" comes next in this lesson")
        await press(pilot, "S", "g")
        assert strip_of(screen)[0].startswith("3/5  Keep pressing n")


async def test_enter_goes_on_unless_something_else_has_been_selected_since(tmp_path: Path) -> None:
    file = tmp_path / "two.scenario.yaml"
    file.write_text(
        "title: Two\ninputs: {x: 2}\ngraph: [y = x**2]\n"
        "lesson: |\n  Press `G`, and select y (`/y`, Enter).\n\n  Read this.\n\n  And this.\n"
    )
    async with debugger(file) as (pilot, screen):
        await press(pilot, "G", *"/y", "enter")
        assert screen.now.selected is not None
        assert strip_of(screen) == ["2/3  Read this.  Enter goes on"]
        there = screen.now.cursor
        await press(pilot, "enter")
        assert screen.now.cursor == there
        assert strip_of(screen) == ["3/3  And this.  Enter goes on"]
        await press(pilot, "down", "up", "up")
        await press(pilot, "enter")
        assert screen.now.cursor != there, "to where it was made"


async def test_a_long_step_that_is_done_shows_its_end_and_the_last_one_leads_to_the_end(
    tmp_path: Path,
) -> None:
    file = tmp_path / "long.scenario.yaml"
    words = "This is long. " * 20
    file.write_text(
        "title: Long\ninputs: {x: 2}\ngraph: [y = x**2]\n"
        f"lesson: |\n  Press `G`, and look: y is 4. {words}It ends here.\n"
    )
    async with debugger(file) as (pilot, screen):
        await press(pilot, "G")
        assert strip_of(screen)[0].startswith("1/1✓ ")
        assert "It ends here." in " ".join(strip_of(screen))
        assert "Enter goes on" in strip_of(screen)[-1]
        await press(pilot, "enter")
        assert strip_of(screen) == ["✓ done · p: predict it · q: quit"]


async def test_a_panel_alone_leaves_the_step_and_all_of_the_lesson_replaces_it() -> None:
    async with debugger("dead_relu") as (pilot, screen):
        await press(pilot, "4")
        assert strip_of(screen)
        await press(pilot, "7")
        assert not screen.query_one(LessonStrip).display
        assert lines_of(screen.query_one("#lesson"))[0].startswith("▶ The neuron of")


async def test_the_step_names_the_keys_in_force(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text('phase_end = "9"\n')
    scenario = open_scenario("dead_relu")
    app = DebuggerApp(record_file(scenario), scenario, keys=keys)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "enter")
        assert isinstance(app.screen, DebuggerScreen)
        assert "Press 9" in strip_of(app.screen)[0]
        await press(pilot, "9")
        assert app.screen.now.state.phase == "forward"
        assert app.screen.lesson is not None
        assert app.screen.lesson.due == 1


ONE_STEP = "title: One\ninputs: {x: 2}\ngraph: [y = x**2]\nlesson: Press `G`.\n"


async def test_the_end_of_a_lesson_is_said_once_and_leads_on(tmp_path: Path) -> None:
    file = tmp_path / "one.scenario.yaml"
    file.write_text(ONE_STEP)
    scenario, told = open_scenario(file), list[bool]()
    answers: list[str | None] = []
    told_of: list[str] = []

    class Course(DebuggerApp):
        CSS_PATH = str(Path(app_module.__file__).with_name("debugger.tcss"))

        def on_debugger_screen_lesson_done(self) -> None:
            told.append(True)

    app = Course(record_file(scenario), scenario)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        session = session_on(record_file(scenario), scenario)
        another = LessonScreen("one", Learner(lambda _: None), session, scenario)
        await app.push_screen(another, answers.append)
        await press(pilot, "s", "G", "g", "G")
        assert told == [True]
        assert strip_of(another) == ["✓ done · Enter: next lesson · p: predict it · q: gallery"]
        await press(pilot, "p")
        assert another.prompt.asks
        assert another.now.cursor.position < another.now.recording.length
        await press(pilot, "escape", "enter")
        assert answers == ["next"]
        assert told_of == []
        assert isinstance(app.screen, DebuggerScreen)
        await press(pilot, "G")
        assert strip_of(app.screen) == ["✓ done · p: predict it · q: quit"]
        await press(pilot, "enter")
        assert app.screen.is_current, "a file of one's own has no next lesson"


async def test_a_text_with_steps_is_never_laid_out_without_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lay_out, seen = LessonPanel._lay_out, list[tuple[Lesson | None, int]]()

    def noted(panel: LessonPanel, width: int) -> object:
        seen.append((panel.lesson, width))
        return lay_out(panel, width)

    monkeypatch.setattr(LessonPanel, "_lay_out", noted)
    async with debugger(size=(140, 45)) as (pilot, screen):
        await settle(pilot)
        assert screen.diagnosis is not None
        widths = [width for lesson, width in seen if lesson is screen.lesson]
        assert len(seen) == len({*widths}) > 0


async def test_all_steps_have_a_column_in_which_the_current_one_is_in_view() -> None:
    async with debugger("gradient_check", size=(140, 36)) as (pilot, screen):
        lesson = screen.query_one(LessonPanel)
        assert not screen.query_one(LessonStrip).display
        assert lines_of(lesson)[0].startswith("▶ ")
        assert lines_of(lesson)[-1] == "… 7 shows all"
        for keys in (
            ["enter"],
            ["G", *"ex=0.501\r", "D", "escape"],
            ["g"],
            ["g"],
            ["g"],
            ["g"],
            ["g"],
        ):
            await press(pilot, *keys)
            assert screen.lesson is not None
            current = "done · p" if screen.lesson.done else "▶ "
            assert any(current in line for line in lines_of(lesson)), keys
            assert (screen.lesson.ticked == 0) == (keys == [])


async def test_the_header_has_as_much_of_the_title_as_there_is_room_for() -> None:
    async with debugger("two_layer", size=(140, 45)) as (pilot, screen):
        header = screen.query_one("#header")
        assert lines_of(header)[0].startswith(" Backpropagation through two layers ")
        await pilot.resize_terminal(40, 24)
        await pilot.pause()
        assert lines_of(header)[0].startswith(" Backpropagation th")
        assert "…  event 0/26" in lines_of(header)[0]


async def test_a_program_that_is_a_lesson_is_followed_and_another_is_only_described(
    tmp_path: Path,
) -> None:
    from stepgrad.program import run_program  # noqa: PLC0415

    text = '''"""Doubling.

Press `G`.
"""
'''
    marked = "# lesson: {level: first, order: 1, after: []}\nfrom stepgrad import Value\n"
    for taught in (True, False):
        path = tmp_path / f"{taught}.py"
        path.write_text(text + marked.replace("# lesson", "# lesson" if taught else "# about")
                        + "(Value(2.0, label='x') * 2).backward()\n")  # fmt: skip
        async with DebuggerApp(run_program(str(path)).recording).run_test(size=(80, 24)) as pilot:
            await pilot.pause()
            screen = pilot.app.screen
            assert isinstance(screen, DebuggerScreen)
            assert (screen.lesson is not None) == taught
            assert screen.query_one(LessonStrip).display == taught
            if taught:
                assert strip_of(screen) == ["1/1  Press G."]
                assert "Doubling" in lines_of(screen.query_one("#header"))[0]


async def test_a_verdict_may_come_while_the_column_is_out_of_view() -> None:
    async with debugger("vanishing_gradient", size=(80, 24)) as (pilot, screen):
        await settle(pilot)
        first = screen.diagnosis
        await press(pilot, "e", *"w5 = 2", "enter")
        await until(pilot, lambda: screen.now.changed)
        await until(pilot, lambda: screen.settled and screen.diagnosis not in (None, first))
        assert not screen.query_one("#lesson").display
        await pilot.resize_terminal(140, 45)
        await pilot.pause()
        assert any("w1 receives" in line for line in lines_of(screen.query_one("#lesson")))


@pytest.mark.parametrize("size", [(80, 24), (140, 45)])
async def test_a_word_of_the_step_is_explained_by_a_click_and_first_in_the_help(
    size: tuple[int, int],
) -> None:
    async with debugger("topological_order", size=size) as (pilot, screen):
        shown = screen.query_one(LessonStrip if size[0] == 80 else LessonPanel)
        lines = [shown.render_line(y).text for y in range(shown.size.height)]
        y = next(y for y, line in enumerate(lines) if "gradient" in line)
        inside = shown.content_region.offset - shown.region.offset
        word = Offset(lines[y].index("gradient"), y)
        await pilot.click(shown, offset=inside + word)
        assert isinstance(pilot.app.screen, WordScreen)
        entry = look_up("gradient")
        assert entry is not None
        told = str(pilot.app.screen.query_one(Static).content)
        assert told == f"{entry.meaning}\n\n{entry.example}\n  {entry.command}"
        await press(pilot, "escape", "?")
        assert pilot.app.screen.query(Static).first().content == meanings([entry])


async def test_a_word_is_marked_where_it_is_first_in_the_step_at_hand() -> None:
    text = "The chain\nrule has gradients, and `chain rule` and gradients again."
    [line] = lesson(text, 80, finish=explained)
    marked = [line.plain[s.start : s.end] for s in line.spans if "explain" in str(s.style)]
    assert marked == ["chain rule", "gradients"]
