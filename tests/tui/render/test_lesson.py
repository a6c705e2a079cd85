"""A lesson: what becomes of its Markdown."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content

from shelf import COURSE
from stepgrad import record_scenario
from stepgrad.replay.commands.table import KEYS
from stepgrad.replay.lesson.following import Lesson
from stepgrad.tui.render import ink
from stepgrad.tui.render.lesson import lesson
from stepgrad.tui.render.steps import ROWS, strip

MARKDOWN = {
    "Nobody would *add* 3 and 2:\nit is **6**.": ["Nobody would add 3 and", "2: it is 6."],
    "# Head\ntext": ["Head", "", "text"],
    "- a\n- b\n  1. c": ["• a", "• b", "  1. c"],
    "9. a\n10. b": [" 9. a", "10. b"],
    "* a\n\n* b": ["• a", "", "• b"],
    "```\nx = 1\n  y\n```": ["  x = 1", "    y"],
    "> so it\n> is": ["│ so it is"],
    "| a | bc |\n|---|---|\n| 1 | x |": ["a  bc", "1  x"],
    "see [it](http://x) `a*b*c`": ["see it (http://x)", "a*b*c"],
    "a  \nb": ["a", "b"],
    "<b>x</b>": ["<b>x</b>"],
    "~~no~~": ["no"],
    "![a](b)": ["!a (b)"],
}


@pytest.mark.parametrize("markdown", MARKDOWN)
def test_markdown_becomes_text(markdown: str) -> None:
    assert [line.plain for line in lesson(markdown, 22)] == MARKDOWN[markdown]


def test_what_is_marked_has_a_style() -> None:
    [line] = lesson("a **b** *c* `f`", 40)
    styles = {line.plain[span.start : span.end]: span.style for span in line.spans}
    assert styles == {"b": "bold", "c": "italic", "f": "bold $current @click=screen.type('f')"}


@pytest.mark.parametrize("word", ["f", ":step 50", "'", "/w"])
def test_a_key_can_be_clicked(word: str) -> None:
    [line] = lesson(f"press `{word}`", 40)
    assert ink.doing("type", word) in str(line.spans[0].style)


def test_a_table_that_is_too_wide_is_wrapped() -> None:
    table = "| a | b |\n|---|---|\n| 1 | one two three |"
    assert [line.plain for line in lesson(table, 12)] == ["a  b", "1  one two", "   three"]


@pytest.mark.parametrize("width", [8, 20, 35, 76])
def test_every_lesson_fits_and_is_whole(width: int) -> None:
    for file in COURSE.values():
        lines = lesson(file.lesson, width)
        assert all(line.cell_length <= width for line in lines)
        shown = "".join("".join(line.plain for line in lines).split())
        assert all(word in shown for word in file.lesson.split() if word.isalpha())
        assert "**" not in shown


@given(st.text(alphabet="ab1 -*#>|`\n.[]()<&", max_size=60), st.integers(1, 30))
def test_nothing_is_wider_than_there_is_room(markdown: str, width: int) -> None:
    assert all(line.cell_length <= max(width, 8) for line in lesson(markdown, width))


@pytest.mark.parametrize("name", COURSE)
def test_every_step_fits_the_strip_of_a_small_terminal(name: str) -> None:
    recording = record_scenario("gears")  # of places, a step gets only the colours
    each = Lesson.of(COURSE[name].lesson, recording)
    while (step := each.current) is not None:
        shown = strip(each, 78, KEYS, Content()).plain
        assert "shows all" not in shown, step.markdown
        assert shown.count("\n") < ROWS
        each = replace(each, steps=each.steps[1:])


def test_a_step_that_is_too_long_shows_the_next_key_and_names_the_key_for_the_rest() -> None:
    recording = record_scenario("gears")
    words = "and so on " * 40
    of = Lesson.of(f"{words}. Press `f`. {words}. Press `G`. {words}.", recording)
    lines = strip(of, 78, KEYS, Content()).plain.splitlines()
    assert len(lines) == ROWS
    assert lines[0].startswith("1/1… ")
    assert any("Press f" in line for line in lines)
    assert lines[-1].endswith("… 7 shows all")
    assert all(cell_len(line) <= 78 for line in lines)
    later = strip(replace(of, met=1), 78, KEYS, Content()).plain
    assert "Press G" in later
    assert "Press f" not in later
    assert "shows all" not in strip(of, 78, {}, Content()).plain
