"""Which keys do what: those of the table of commands, or your own from `keys.toml`."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from platformdirs import user_config_path
from textual.app import App
from textual.binding import Binding
from textual.keys import Keys, format_key
from textual.widget import Widget

from stepgrad.errors import StepgradError, suggest
from stepgrad.reading import read_regular, why
from stepgrad.replay.commands.hints import Keymap
from stepgrad.replay.commands.table import BY_KEY, KEYS, Command

FOLDER_VARIABLE = "STEPGRAD_CONFIG"
"""The environment variable that names another folder for `keys.toml`."""

DEFAULT: Keymap = KEYS

_WRITTEN = {
    "right": "→", "left": "←", "up": "↑", "down": "↓", "enter": "Enter", "escape": "Esc",
    "home": "Home", "end": "End", "space": "Space", "tab": "Tab", "shift+tab": "⇧Tab",
    "pageup": "PgUp", "pagedown": "PgDn",
}  # fmt: skip
_MODIFIERS = re.compile(r"(?:(?:ctrl|alt|shift|super|meta|hyper)\+)*(?=.)")
_NAMED_KEYS = {key.value for key in Keys if not key.value.startswith("<")}
_TEXTUAL = {",": "comma"}  # it separates keys, so it has to be spelt


class KeymapError(StepgradError):
    """A `keys.toml` that cannot be used: everything that is wrong with it, one line each."""


@cache
def key_name(key: str) -> str:
    """How a key is written for a person: `→`, `F5`, `^p`."""
    if re.fullmatch(r"f\d+", key):
        return key.upper()
    return _WRITTEN.get(key, key.replace("ctrl+", "^"))


def textual_keymap(keymap: Keymap) -> dict[str, str]:
    """A keymap as Textual wants it, without the commands that keep the keys of the table."""
    return {name: _joined(keys) for name, keys in keymap.items() if keys and keys != DEFAULT[name]}


def _joined(keys: Sequence[str]) -> str:
    return ",".join(_TEXTUAL.get(key, key) for key in keys)


def binding(command: Command, does: str = "") -> Binding:
    """Bind a command of the table to the action of its name.

    With priority, a key is done before the next one is looked up, however fast they arrive.
    """
    return Binding(
        _joined(command.keys),
        does or command.name,
        command.label or command.help,
        show=False,  # the foot of the screen chooses by itself
        tooltip=command.help,
        id=command.name,
        priority=True,
    )


def table_key(key: str) -> str:
    """A key as the table has it, from how Textual spells it: `?` for `question_mark`."""
    return key if key in _NAMED_KEYS or "+" in key else format_key(key)


class KeyedApp(App[None]):
    """An app in which commands have the keys of the table, or a person's own."""

    keys: Keymap = DEFAULT

    def load_keys(self, path: Path) -> None:
        """Take over the keys in a file, or say what is wrong with it."""
        try:
            self.keys = load_keymap(path)
        except KeymapError as error:
            self.notify(
                str(error), title="keys.toml was ignored", severity="warning", timeout=20,
                markup=False,
            )  # fmt: skip
        else:
            self.set_keymap(textual_keymap(self.keys))

    def get_key_display(self, binding: Binding) -> str:
        """Write a key as the help does."""
        return key_name(table_key(binding.key))


def keys_in_force(widget: Widget) -> Keymap:
    """The keys of each command that has any, wherever the focus is."""
    app = widget.app
    assert isinstance(app, KeyedApp), "each of our apps is one"
    return {name: keys for name, keys in app.keys.items() if keys}


def shown_keys(widget: Widget) -> Keymap:
    """The keys in force as they are written for a person."""
    return {name: tuple(map(key_name, keys)) for name, keys in keys_in_force(widget).items()}


def keymap_path() -> Path:
    """Where your own keys are kept; the file need not exist."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return (Path(folder) if folder else user_config_path("stepgrad")) / "keys.toml"


def load_keymap(path: Path) -> Keymap:
    """Read a keymap: for each command named in the file its keys, for the others the table's.

    A key that the file gives to one command is taken from the command that has it in the table.

    Raises:
        KeymapError: the file cannot be read, or something in it is wrong; then it is ignored.
    """
    try:
        text = read_regular(path).decode().replace("\r\n", "\n")
    except FileNotFoundError:
        return DEFAULT
    except (OSError, UnicodeDecodeError) as error:
        raise KeymapError(f"{path}: cannot be read: {why(error)}") from error
    import tomllib  # noqa: PLC0415 - few have keys of their own

    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise KeymapError(f"{path}{_place(str(error))}: {error}") from error
    own = {name: _keys(value) for name, value in table.items()}
    problems = [
        f"{path}:{_line_of(name, text)}: {problem}"
        for name in own
        if (problem := _problem(name, own))
    ]
    if problems:
        raise KeymapError(*problems)
    taken = {key for keys in own.values() for key in keys}
    rest = {name: tuple(key for key in keys if key not in taken) for name, keys in DEFAULT.items()}
    return {**rest, **own}


def _keys(value: object) -> tuple[str, ...]:
    """The keys that an entry gives; none if it is neither a text nor a list of texts."""
    listed = value if isinstance(value, list) else [value]
    keys = tuple(key for key in listed if isinstance(key, str))
    return keys if len(keys) == len(listed) else ()


def _problem(name: str, own: Keymap) -> str:
    """What is wrong with an entry of the file, or nothing."""
    keys = own[name]
    if name not in DEFAULT:
        return f"unknown command `{name}`{suggest(name, DEFAULT)}"
    if not keys:
        return f'`{name}` needs a key or a list of keys: {name} = "{DEFAULT[name][0]}"'
    for key in keys:
        if not _is_key(key):
            return f"no key is called `{key}`{suggest(key, [*BY_KEY, *_NAMED_KEYS])}"
    uses = Counter(key for others in own.values() for key in others)
    twice = next((key for key in keys if uses[key] > 1), None)
    return f"the key `{twice}` is given twice" if twice else ""


def _is_key(key: str) -> bool:
    bare = _MODIFIERS.sub("", key, count=1)
    return (len(bare) == 1 and bare.isprintable()) or key in _NAMED_KEYS or bare in _NAMED_KEYS


def _line_of(name: str, text: str) -> int:
    """The line that sets `name`, from 1; TOML's parser keeps no places."""
    entry = re.compile(rf"""\s*["']?{re.escape(name)}["']?\s*[=.\]]|\s*\[+\s*{re.escape(name)}\b""")
    return next((i for i, line in enumerate(text.splitlines(), 1) if entry.match(line)), 1)


def _place(message: str) -> str:
    """The place that TOML's parser names, as `:line:column`; empty if it names none."""
    found = re.search(r"at line (\d+), column (\d+)", message)
    return f":{found[1]}:{found[2]}" if found else ""
