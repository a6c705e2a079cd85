"""What a code span of a lesson is: a key, or a place; anything else is code.

One rule for the colours of a text and for what its steps wait for, so that the two agree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, get_args

from stepgrad.recording.events import Phase
from stepgrad.recording.numbered import is_called, node_called
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.hints import Keymap
from stepgrad.replay.commands.table import BY_KEY, KEYS, Command
from stepgrad.replay.session import Session

_EVENT = re.compile(r"event (\d{1,18})", re.ASCII)
_PHASES = {phase.upper(): phase for phase in get_args(Phase)}


class Key(NamedTuple):
    """A key of the table, and what is typed after it: `/w1` is `search` and `w1`."""

    command: Command
    answer: str = ""

    @property
    def awaited(self) -> bool:
        """Whether a step waits for it: not for one that leaves, or shows a menu or the help."""
        return bool(self.command.act or self.command.panel or self.command.report)


def key_of(code: str) -> Key | None:
    """Return the key that a code span names; None if it names none."""
    command = BY_KEY.get(_spelt(code))
    if command is not None:
        return Key(command)
    asking = BY_KEY.get(code[:1])
    if asking is None or not asking.asks or code[0].isalnum():  # `exp` is a word
        return None
    return Key(asking, code[1:])


def shown(code: str, keys: Keymap = KEYS) -> str:
    """Return a code span as someone with these keys has to read it."""
    key = key_of(code)
    if key is None:
        return code
    own = keys.get(key.command.name, ())
    said = code.removesuffix(key.answer)
    if said in own or _spelt(said) in own:
        return code
    return f"{own[0] if own else key.command.name}{key.answer}"


def _spelt(code: str) -> str:
    """A key as the table spells it: `Enter` is `enter`, and `F5` is `f5`."""
    return code.lower() if len(code) > 1 and code[0].isupper() else code


@dataclass(frozen=True, slots=True)
class Place:
    """Where a lesson leads: an event, a phase, or a node, perhaps once it has a gradient."""

    event: int | None = None
    phase: Phase | None = None
    node: str = ""
    gradient: bool = False

    def is_at(self, session: Session) -> bool:
        """Whether a session is here: at this event, in this phase, or about this node.

        It is at a node's gradient from the first contribution on.
        """
        if self.event is not None:
            return session.cursor.position == self.event
        if self.phase is not None:
            return session.state.phase == self.phase
        subject = session.subject
        name = None if subject is None else session.recording.node(subject).name
        about = name is not None and is_called(name, self.node)
        return about and not (self.gradient and session.state.grad(subject or 0) is None)

    def is_past(self, session: Session) -> bool:
        """Whether a session is here, or has come past it."""
        if self.event is not None:
            return session.cursor.position >= self.event
        if self.phase is not None or self.is_at(session):
            return self.is_at(session)
        node = session.state.find(self.node)
        return node is not None and not (self.gradient and session.state.grad(node) is None)


def place_of(code: str, recording: Recording) -> Place | None:
    """Return what a code span names: `event 14`, `UPDATE`, `h`, the end of a name, or `h.grad`."""
    if event := _EVENT.fullmatch(code):
        return Place(event=int(event[1]))
    if code in _PHASES:
        return Place(phase=_PHASES[code])
    text, names = code.removesuffix(".grad"), recording.names(recording.length)
    named = next((n for n in names if n.endswith(f"/{text}")), None)
    named = named if node_called(names, text) is None else text
    return None if named is None else Place(node=named, gradient=text != code)
