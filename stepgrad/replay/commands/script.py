"""Scripts of keys, for a session without a screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from stepgrad.errors import StepgradError
from stepgrad.replay.commands.places import CommandError
from stepgrad.replay.commands.table import BY_KEY, COMMANDS, Command
from stepgrad.replay.session import Session

_WORD = re.compile(r"(?!.(?:inf|nan)$)[a-z_]{2,}|\w+\+.+")
"""What is meant as the name of a key, such as `pageup`: not as `p` with an answer after it."""

_COUNT = re.compile(r"([0-9]{1,6})(.+)")


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
        command, *given = _read(word)
        if command.report:
            if report is not None:
                report(command, session)
            continue
        if command.act is None:
            raise CommandError(f"the key `{word}` needs the screen: {command.help}")
        try:
            session = command.act(session, *given)
        except StepgradError as error:
            # After a letter, a text may have been meant as a part of a word.
            told = f"`{word}`: {error}" if word[0].isalpha() else str(error)
            raise CommandError(told) from error
    return session


def _read(word: str) -> tuple[Command, *tuple[str | int, ...]]:
    """Return the command of a word of a script, and the text after its key or the number before."""
    if word in BY_KEY:
        command = BY_KEY[word]
        return (command, "") if command.asks else (command,)
    count, asking = _COUNT.fullmatch(word), BY_KEY.get(word[:1])
    if count and (counting := BY_KEY.get(count[2])) and counting.counts:
        return counting, int(count[1])
    if asking is None or not asking.asks or _WORD.fullmatch(word):
        known = " ".join(each.keys[0] for each in COMMANDS if each.act or each.report)
        raise CommandError(f"no command for the key `{word}`; the keys are {known}")
    return asking, word[1:].strip()
