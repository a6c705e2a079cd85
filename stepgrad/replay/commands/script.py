"""Commands as a person writes them: a key or a name, a number before it, a text after it.

A script is a list of such words. A prompt reads them line by line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from stepgrad.errors import StepgradError, nearest
from stepgrad.replay.commands.places import CommandError
from stepgrad.replay.commands.table import BY_KEY, COMMANDS, Command
from stepgrad.replay.session import Session

_WORD = re.compile(r"(?!.(?:inf|nan)$)[a-z_]{2,}|\w+\+.+")
"""What is meant as the name of a key, such as `pageup`: not as `p` with an answer after it."""

_COUNTED = re.compile(r"([1-9]\d*) ?(\S.*)", re.ASCII)

_MOST = 9_999
"""The most times that a command is repeated."""

_TYPED = 80
"""The most characters of what was typed to repeat."""

_SAID: Mapping[str, Command] = {
    **{each.name.replace("_", " "): each for each in COMMANDS},
    **{each.panel: each for each in COMMANDS if each.panel},
    "go to": BY_KEY[":"],
}
"""The commands by their names, with blanks between words, and by the panels that they show.

`goto` is also there as a voice says it.
"""


class Press(NamedTuple):
    """A command, how many `times` to carry it out, and the `text` after it; None without one."""

    command: Command
    text: str | None = None
    times: int = 1

    def alone(self) -> Command:
        """Return the command, which takes no text.

        Raises:
            CommandError: there is a text.
        """
        if self.text is not None:
            key = self.command.keys[0]
            before = f"; a number goes before it: `5{key}`" if self.command.act else ""
            raise CommandError(f"nothing follows `{key}`{before}")
        return self.command


class UnknownCommandError(CommandError):
    """Nothing has this key or this name; `near` are the names that were probably meant."""

    def __init__(self, typed: str) -> None:
        self.typed = typed[:_TYPED]
        word = typed.casefold() if _WORD.fullmatch(typed) else ""
        begun = [name for name in _SAID if word and name.startswith(word)]
        likely = nearest(word, _SAID) if word else None
        self.near = begun or ([likely] if likely else [])
        known = " ".join(each.keys[0] for each in COMMANDS if each.act or each.report)
        super().__init__(f"no command for the key `{self.typed}`; the keys are {known}")


def read(line: str) -> Press:
    """Read a command: `s`, `5n`, `:w1`, `e 0.7`, `who wrote`, `goto step 20`.

    Raises:
        CommandError: no command has this key or this name.
    """
    line = line.strip()
    if line in BY_KEY:
        return Press(BY_KEY[line])
    if (counted := _COUNTED.fullmatch(line)) and (found := _called(counted[2])):
        if len(counted[1]) > len(str(_MOST)):
            raise CommandError(f"`{line[:_TYPED]}`: a command is repeated at most {_MOST:,} times")
        return found._replace(times=int(counted[1]))
    if found := _called(line):
        return found
    raise UnknownCommandError(line)


def _called(line: str) -> Press | None:
    """Read a command that a line begins with: its key, its name, or its key with a text."""
    first, _, rest = line.partition(" ")
    if first in BY_KEY:
        return Press(BY_KEY[first], rest.strip() or None)
    words = line.replace("_", " ").split(" ")
    for length in (3, 2, 1):
        name = " ".join(words[:length])
        if command := _SAID.get(name.casefold()):
            return Press(command, line[len(name) :].strip() or None)
    asking = BY_KEY.get(line[:1])
    if asking is None or not asking.asks or _WORD.fullmatch(line):
        return None
    return Press(asking, line[1:].strip())


def carry_out(session: Session, press: Press) -> Session:
    """Do what a command does to a session; a count is for the command, or repeats it.

    It is repeated as long as that changes something.

    Raises:
        CommandError: the command takes no text, or is not about a session.
        StepgradError: what the command has to say against its text.
    """
    command, text, times = press
    if command.act is None:
        raise CommandError(f"`{command.keys[0]}` needs the screen: {command.help}")
    if command.asks:
        return command.act(session, text or "")
    press.alone()
    if command.counts:
        return command.act(session, times)
    for _ in range(times):
        before, session = session, command.act(session)
        if session == before:
            break
    return session


def replay(
    session: Session,
    keys: Iterable[str],
    report: Callable[[Command, Session], None] | None = None,
) -> Session:
    """Carry out a script of keys. A text that a key asks for follows it directly: `:50%`, `/w1`.

    A number that counts comes before its key: `5]`.

    `report` is called for a command that shows a report instead of changing the session.

    Raises:
        CommandError: no command has this key, or it needs the screen, or its text is wrong.
    """
    for word in keys:
        press = read(word)
        if press.command.report:
            asked = press.alone()
            if report is not None:
                report(asked, session)
            continue
        if press.command.act is None:
            raise CommandError(f"the key `{word}` needs the screen: {press.command.help}")
        try:
            session = carry_out(session, press)
        except StepgradError as error:
            # After a letter, a text may have been meant as a part of a word.
            told = f"`{word}`: {error}" if word[0].isalpha() else str(error)
            raise CommandError(told) from error
    return session
