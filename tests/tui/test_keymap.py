"""Custom keys: what the file may say, and how a bad one is reported."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import stepgrad
from screens import press, shown
from stepgrad.replay.commands.table import BY_KEY, GROUPS
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.dialogs.dialog import ReportScreen
from stepgrad.tui.dialogs.help import ABOUT, COLUMNS, HelpScreen, help_text
from stepgrad.tui.keymap import (
    DEFAULT,
    FOLDER_VARIABLE,
    KeymapError,
    key_name,
    keymap_path,
    keys_in_force,
    load_keymap,
)
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.widgets.text import Keys


def written(folder: Path, text: str) -> Path:
    path = folder / "keys.toml"
    path.write_text(text, encoding="utf-8")
    return path


def app_with(path: Path) -> DebuggerApp:
    scenario = open_scenario("two_layer")
    return DebuggerApp(record_file(scenario), scenario, keys=path)


def test_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert keymap_path().parts[-2:] == ("stepgrad", "keys.toml")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert keymap_path() == tmp_path / "keys.toml"


def test_no_file_no_change(tmp_path: Path) -> None:
    assert load_keymap(tmp_path / "keys.toml") == DEFAULT


def test_own_keys_come_first_and_are_taken_from_others(tmp_path: Path) -> None:
    keymap = load_keymap(written(tmp_path, 'step = "j"\nwho_wrote = ["W", "f2"]\n'))
    assert keymap["step"] == ("j",)
    assert keymap["who_wrote"] == ("W", "f2")
    assert keymap["select_down"] == ("down",)
    assert keymap["next_node"] == DEFAULT["next_node"]


def test_a_command_whose_keys_were_all_taken_is_in_the_help_without(tmp_path: Path) -> None:
    keymap = load_keymap(written(tmp_path, 'step = "n"'))
    assert keymap["next_node"] == ()
    assert "N next/previous node" in str(help_text(["Timeline"], keymap, 38))


def test_the_help_has_every_group_and_says_what_it_acts_on() -> None:
    titles = [title for column in COLUMNS for title in column]
    assert sorted(titles) == sorted(GROUPS)
    assert set(ABOUT) <= set(GROUPS)
    text = str(help_text(titles, DEFAULT, 60))
    assert "Timeline  where you are in the run" in text
    assert all(command.brief.split(": ")[0][:20] in text for command in GROUPS["Node"])


def test_every_key_of_the_table_is_a_key(tmp_path: Path) -> None:
    for key, command in BY_KEY.items():
        own = load_keymap(written(tmp_path, f"""{command.name} = ["{key}"]"""))
        assert own[command.name] == (key,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'step = "l"\nstpe_back = "h"',
            ":2: unknown command `stpe_back`; did you mean `step_back`?",
        ),
        ('step = "l"\nnext_node = "l"', ":1: the key `l` is given twice"),
        ("step = 3", ':1: `step` needs a key or a list of keys: step = "s"'),
        ("step = [1]", ':1: `step` needs a key or a list of keys: step = "s"'),
        ("step = []", ':1: `step` needs a key or a list of keys: step = "s"'),
        ('\nstep = "entr"', ":2: no key is called `entr`; did you mean `enter`?"),
        ('step = ""', ":1: no key is called ``"),
        ("step = l", ":1:8: "),
        ('[keys]\nstep = "l"', ":1: unknown command `keys`"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(KeymapError) as caught:
        load_keymap(path)
    assert str(caught.value).startswith(f"{path}{problem}")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "keys.toml").mkdir()
    with pytest.raises(KeymapError, match="cannot be read"):
        load_keymap(tmp_path / "keys.toml")
    os.mkfifo(tmp_path / "pipe.toml")  # never written to
    for device in (tmp_path / "pipe.toml", Path("/dev/zero")):
        with pytest.raises(KeymapError, match="it is not a regular file"):
            load_keymap(device)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(KeymapError, match="cannot be read"):
        load_keymap(tmp_path / "bytes.toml")


async def test_the_screen_goes_by_them_and_says_so(tmp_path: Path) -> None:
    app = app_with(written(tmp_path, 'step = "l"\nstep_back = "s"\npalette = "P"\n'))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = app.screen
        assert isinstance(screen, DebuggerScreen)
        await press(pilot, "l", "l", "s")
        assert screen.now.cursor.position == 1
        assert keys_in_force(screen)["step"] == ("l",)
        assert "l s next/previous event" in str(help_text(["Timeline"], keys_in_force(screen), 38))
        await press(pilot, "?")
        assert isinstance(app.screen, HelpScreen)
        assert screen.query_one(Keys).render().plain.startswith(" l step  s back")


async def test_a_bad_file_is_told_on_the_screen_and_changes_nothing(tmp_path: Path) -> None:
    app = app_with(written(tmp_path, 'stpe = "l"\n'))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        (toast,) = app.screen.query("Toast")
        assert "unknown command `stpe`" in str(toast.render())
        await press(pilot, "s")
        assert isinstance(app.screen, DebuggerScreen)
        assert app.screen.now.cursor.position == 1


@pytest.mark.parametrize(
    ("key", "name"), [("f5", "F5"), ("right", "→"), ("ctrl+p", "^p"), ("?", "?"), ("f", "f")]
)
def test_how_keys_are_written(key: str, name: str) -> None:
    assert key_name(key) == name


OPENING = {
    "help": ("f2", HelpScreen),
    "paths": ("f3", ReportScreen),
    "difference": ("f4", ReportScreen),
}


@pytest.mark.parametrize("name", OPENING)
async def test_a_key_of_your_own_closes_what_it_opens(name: str, tmp_path: Path) -> None:
    key, kind = OPENING[name]
    app = app_with(written(tmp_path, f'{name} = "{key}"\nquit = "Z"\n'))
    async with app.run_test(size=(80, 24)) as pilot:
        debugger = app.screen
        for close in (key, "Z", "escape"):
            await press(pilot, key)
            assert isinstance(app.screen, kind)
            await press(pilot, close)
            assert app.screen is debugger


async def test_messages_name_the_keys_in_force(tmp_path: Path) -> None:
    own = 'step = "l"\ncontinue = "r"\nhelp = "h"\nedit = "f6"\nplay = "y"\n'
    app = app_with(written(tmp_path, own))

    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        assert "Press l for the first event, h for help." in shown(app)
        await press(pilot, "b")
        assert "press r to go there" in shown(app)
        await press(pilot, "plus")
        assert "events a second: y plays" in shown(app)
        await press(pilot, "D")
        assert "There are no edits: F6 makes one." in shown(app)


def test_no_message_spells_a_key_out() -> None:
    """Keys may be others than those of the table: a message names the command (`hints.key`)."""
    spelt = re.compile(
        r"""[Pp]ress [A-Za-z:/.,?'][ .,;:"']|[ "][A-Za-z] (?:sets|edits|goes|plays)"""
    )
    for folder in ("replay", "tui"):
        for path in sorted((Path(stepgrad.__file__).parent / folder).rglob("*.py")):
            text = re.sub(r'"""[\s\S]*?"""|#.*', "", path.read_text(encoding="utf-8"))
            assert not spelt.search(text), f"{path.name}: {spelt.search(text)}"


@pytest.mark.parametrize("width", [38, 58, 64])
def test_between_the_columns_of_the_help_there_is_room(width: int) -> None:
    for titles in COLUMNS:
        rows = help_text(titles, DEFAULT, width).split("\n")
        assert all(row.cell_length < width for row in rows)
