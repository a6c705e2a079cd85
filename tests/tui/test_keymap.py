"""Custom keys: what the file may say, and how a bad one is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepgrad.replay.commands import BY_KEY
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.help import HelpScreen, help_text
from stepgrad.tui.keymap import (
    DEFAULT,
    FOLDER_VARIABLE,
    KeymapError,
    key_name,
    keymap_path,
    keys_in_force,
    load_keymap,
)
from stepgrad.tui.screen import DebuggerScreen


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
    assert "N next/previous node" in str(help_text(keymap, 76))


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
        ("step = 3", ':1: `step` wants a key, or a list of keys: step = "s"'),
        ("step = [1]", ':1: `step` wants a key, or a list of keys: step = "s"'),
        ("step = []", ':1: `step` wants a key, or a list of keys: step = "s"'),
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
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(KeymapError, match="cannot be read"):
        load_keymap(tmp_path / "bytes.toml")


async def test_the_screen_goes_by_them_and_says_so(tmp_path: Path) -> None:
    app = app_with(written(tmp_path, 'step = "l"\nstep_back = "s"\npalette = "P"\n'))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = app.screen
        assert isinstance(screen, DebuggerScreen)
        await pilot.press("l", "l", "s")
        assert screen.now.cursor.position == 1
        assert keys_in_force(screen)["step"] == ("l",)
        assert "l s next/previous event" in str(help_text(keys_in_force(screen), 76))
        await pilot.press("?")
        assert isinstance(app.screen, HelpScreen)
        assert "l" in [key.key for key in screen.query("FooterKey")]  # type: ignore[attr-defined]


async def test_a_bad_file_is_told_on_the_screen_and_changes_nothing(tmp_path: Path) -> None:
    app = app_with(written(tmp_path, 'stpe = "l"\n'))
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        (toast,) = app.screen.query("Toast")
        assert "unknown command `stpe`" in str(toast.render())
        await pilot.press("s")
        assert isinstance(app.screen, DebuggerScreen)
        assert app.screen.now.cursor.position == 1


@pytest.mark.parametrize(
    ("key", "name"), [("f5", "F5"), ("right", "→"), ("ctrl+p", "^p"), ("?", "?"), ("f", "f")]
)
def test_how_keys_are_written(key: str, name: str) -> None:
    assert key_name(key) == name
