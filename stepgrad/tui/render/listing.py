"""Reports whose lines lead somewhere: what is wrong, and why a number is what it is.

Questions and reasons are loaded when they are asked for, after the first paint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from stepgrad.numbers import gradient_inline
from stepgrad.printable import counted
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.hints import key, with_keys
from stepgrad.replay.commands.table import KEYS
from stepgrad.replay.session import Session
from stepgrad.replay.telling.narration import narrate
from stepgrad.scenario.diagnosed import Diagnosis, diagnosed
from stepgrad.tui.render import ink

if TYPE_CHECKING:
    from stepgrad.diagnosis.reasons import Of

_MOST = 4
"""The most events of a verdict that are listed."""

Keymap = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph of a report; with a `position`, it is a place to go to, and to select a node."""

    text: Content
    position: int | None = None
    node: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A report to choose from."""

    lines: Sequence[Line]

    @property
    def plain(self) -> str:
        """The text, without styles."""
        return "\n".join(line.text.plain for line in self.lines)


def alarm(found: Diagnosis, keys: Keymap = KEYS) -> Content | None:
    """Return the first verdict as the opening of a lesson says it, and the key that shows all."""
    if not found.open:
        return None
    first, count = found.open[0], len(found.open)
    which = f"all {count} verdicts" if count > 1 else "where"
    hint = with_keys(f"{key('verdicts')} shows {which}.", keys)
    return ink.line(
        (f"{ink.ALARM} ", ink.HALT), (f"{first.text}. ", ink.PLAIN), (hint, ink.CURRENT)
    )


def verdicts_report(
    session: Session,
    _keys: Keymap = KEYS,
    _width: int = 0,
) -> Content | Listing:
    """Return what is wrong in the recording, each verdict with its evidence to go to."""
    recording, found = session.recording, diagnosed(session.recording)
    if not found.verdicts and not found.notes:
        from stepgrad.diagnosis import QUESTIONS  # noqa: PLC0415

        return Content(f"Nothing found: {counted(len(QUESTIONS), 'question')} asked.")
    return Listing([*_verdicts(recording, found)])


def _verdicts(recording: Recording, found: Diagnosis) -> Iterator[Line]:
    for each in (*found.verdicts, *found.notes):
        head = f"note, {each.name}: " if each.note else f"{ink.ALARM} {each.name}: "
        yield Line(ink.line((head, ink.QUIET if each.note else ink.HALT), (each.text, ink.PLAIN)))
        for position in each.events[:_MOST]:
            told = narrate(recording, position - 1)
            line = ink.line((f"  event {position:,}  ", ink.CURRENT), (str(told), ink.PLAIN))
            yield Line(line, position)
        more = len(each.events) - _MOST
        if more > 0:
            yield Line(ink.line((f"  and {counted(more, 'more event')}", ink.QUIET)))
        if each.advice:
            yield Line(ink.line((each.advice, ink.QUIET)))


def why_report(
    session: Session,
    _keys: Keymap = KEYS,
    _width: int = 0,
) -> Content | Listing:
    """Return why the subject's value and its derivative are what they are at the cursor."""
    node = session.subject
    if node is None:
        return Content("There is no node yet.")
    return Listing([*_reasons(session, node)])


def _reasons(session: Session, node: int) -> Iterator[Line]:
    from stepgrad.diagnosis.reasons import Number, reasons  # noqa: PLC0415

    recording, state = session.recording, session.state
    derivative: Of = "gradient" if state.tangent(node) is None else "tangent"
    for of in ("value", derivative):
        asked = Number(of, node, state.position)
        shown = f"{asked.name(recording)} = {gradient_inline(asked.read(recording))}"
        yield Line(ink.line((shown, ink.NAME)))
        for each in reasons(recording, node, state.position, of):
            where = (f"  event {each.position:,}  ", ink.CURRENT)
            yield Line(ink.line(where, (each.text, ink.PLAIN)), each.position, each.node)
