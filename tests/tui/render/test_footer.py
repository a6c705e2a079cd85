"""The foot of the screen, and the line that says what is out of view."""

import pytest

from stepgrad.replay.commands.table import KEYS, PANELS
from stepgrad.tui.keymap import key_name
from stepgrad.tui.render import ink
from stepgrad.tui.render.footer import footer
from stepgrad.tui.render.notice import alone, hidden, small

NAMES = ("jump", "edit", "follow", "why", "help", "quit")
SHOWN = {name: tuple(map(key_name, keys)) for name, keys in KEYS.items()}


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (80, " Enter jump  e edit  Esc clear  y why  ? help  q quit"),
        (50, " Enter jump  e edit  Esc clear  ? help  q quit"),
        (20, " ? help  q quit"),
    ],
)
def test_keys_without_room_are_left_out_but_never_help_and_the_way_out(
    width: int, line: str
) -> None:
    assert footer(NAMES, KEYS, width).plain == line


def test_a_command_without_a_key_is_not_named() -> None:
    assert footer(NAMES, {"help": ("h",)}, 80).plain == " h help"


def test_a_key_that_does_something_else_at_the_moment_says_so() -> None:
    assert footer(NAMES, KEYS, 50, {"jump": "close"}).plain.startswith(" Enter close  e edit")


def test_a_click_on_a_key_or_its_word_does_it() -> None:
    line = footer(NAMES, KEYS, 80)
    does = {line.plain[span.start : span.end]: str(span.style) for span in line.spans}
    assert all(ink.doing("edit") in does[text] for text in ("e", " edit"))


@pytest.mark.parametrize("width", [48, 58, 68, 78, 200])
def test_every_panel_that_is_hidden_is_named_whole(width: int) -> None:
    lines = hidden(PANELS, SHOWN, width).split("\n")
    assert all(line.cell_length <= width for line in lines)
    text = " ".join(line.plain for line in lines)
    assert all(f"{key} {panel}" in text for key, panel in enumerate(PANELS, 1))


def test_a_click_on_a_hidden_panel_shows_it() -> None:
    assert ink.doing("show_node") in str(hidden(["node"], SHOWN, 80).spans)


@pytest.mark.parametrize("width", range(1, 80, 7))
def test_the_other_notices_are_one_line(width: int) -> None:
    for notice in (small(SHOWN, width), alone("lesson", SHOWN, width, scrolls=True)):
        assert "\n" not in notice.plain
        assert notice.cell_length <= width


def test_a_notice_in_a_narrow_terminal_says_less() -> None:
    assert small(SHOWN, 60).plain == "small terminal: 60×20 shows more · ? help"
    assert small(SHOWN, 30).plain == "60×20 shows more · ? help"
    assert alone("lesson", SHOWN, 58, scrolls=True).plain == (
        "7 or Esc: all panels · ↑ ↓ PgUp PgDn scroll"
    )
