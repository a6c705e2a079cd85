"""Reports whose lines lead somewhere: what is wrong, and why a number is what it is.

Questions and reasons are loaded when they are asked for, after the first paint.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from textual.content import Content

from stepgrad.numbers import exact, gradient_inline, number
from stepgrad.printable import counted
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.hints import Keymap, key, with_keys
from stepgrad.replay.session import Session
from stepgrad.replay.telling.narration import narrate
from stepgrad.scenario.diagnosed import Diagnosis, diagnosed, scenario_of
from stepgrad.scenario.expect import checks, matches
from stepgrad.tui.render import ink

_MOST = 4
"""The most events of a verdict that are listed."""

_ROOM = 20
"""The fewest cells beside an indent in which text is legible."""


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph of a report; with a `position`, it is a place to go to, and to select a node.

    Where it wraps, its further lines begin below the cell `indent`.
    """

    text: Content
    position: int | None = None
    node: int | None = None
    indent: int = 0

    def wrapped(self, width: int) -> Content:
        """Return the text in lines of at most this width."""
        head, rest = self.text[: self.indent], self.text[self.indent :]
        if width - self.indent < _ROOM:
            return Content("\n").join(self.text.wrap(max(width, 1)))
        first, *further = rest.wrap(width - self.indent) or [Content()]
        return Content("\n").join([head + first, *(" " * self.indent + each for each in further)])


@dataclass(frozen=True, slots=True)
class Listing:
    """A report to choose from."""

    lines: Sequence[Line]

    @property
    def plain(self) -> str:
        """The text, without styles."""
        return "\n".join(line.text.plain for line in self.lines)


def alarm(found: Diagnosis, keys: Keymap) -> Content | None:
    """Return the first verdict as the opening of a lesson says it, and the key that shows all."""
    if not found.open:
        return None
    first, count = found.open[0], len(found.open)
    which = f"all {count} verdicts" if count > 1 else "where"
    hint = with_keys(f"{key('verdicts')} shows {which}.", keys)
    return ink.line(
        (f"{ink.ALARM} ", ink.HALT), (f"{first.text}. ", ink.PLAIN), (hint, ink.CURRENT)
    )


def verdicts_report(session: Session, *_: object) -> Content | Listing:
    """Return what is wrong in the recording, each verdict with its evidence to go to.

    What the scenario expects follows, with what became of it by the cursor.
    """
    recording, found = session.recording, diagnosed(session.recording)
    lines = [*_verdicts(recording, found), *_expected(session)]
    if found.verdicts or found.notes:
        return Listing(lines)
    nothing = Content(f"Nothing found {found.asked}.")
    return Listing([Line(nothing), *lines]) if lines else nothing


def _verdicts(recording: Recording, found: Diagnosis) -> Iterator[Line]:
    for each in (*found.verdicts, *found.notes):
        name = each.head(recording)
        head = f"note, {name}: " if each.note else f"{ink.ALARM} {name}: "
        text = ink.line((head, ink.QUIET if each.note else ink.HALT), (each.text, ink.PLAIN))
        yield Line(text, indent=2)
        for position in each.events[:_MOST]:
            yield _event(position, str(narrate(recording, position - 1)))
        more = len(each.events) - _MOST
        if more > 0:
            yield Line(ink.line((f"  and {counted(more, 'more event')}", ink.QUIET)))
        if each.advice:
            yield Line(ink.line((each.advice, ink.QUIET)), indent=2)


def _event(position: int, text: str, node: int | None = None) -> Line:
    """A place to go to, under the line that it belongs to."""
    head = f"  event {position:,}  "
    return Line(ink.line((head, ink.CURRENT), (text, ink.PLAIN)), position, node, len(head))


def _expected(session: Session) -> Iterator[Line]:
    """Yield what the scenario expects, and what became of it by the cursor; nothing once edited."""
    file = scenario_of(session.recording)
    held = checks(file, session.recording, session.cursor.position) if file else []
    if held:
        yield Line(ink.line((matches(sum(check.ok for check in held), len(held)), ink.NAME)))
    for check in held:
        if check.got is None:
            mark, said = "·", f"{check.name} = {number(check.expected)}, not reached yet"
        elif check.ok:
            mark, said = "✓", f"{check.name} = {number(check.expected)}"
        else:
            write = exact if number(check.expected) == number(check.got) else number
            is_ = f"but it is {write(check.got)}"
            mark, said = "✗", f"{check.name} = {write(check.expected)}, {is_}"
        style = {"·": ink.QUIET, "✓": ink.PLAIN, "✗": ink.HALT}[mark]
        position = None if check.got is None else check.position
        yield Line(ink.line((f"  {mark} ", style), (said, style)), position, check.node, 4)


def why_report(session: Session, *_: object) -> Content | Listing:
    """Return why the subject's value and its derivative are what they are at the cursor."""
    node = session.subject
    if node is None:
        return Content("There is no node yet.")
    return Listing([*_reasons(session, node)])


def _reasons(session: Session, node: int) -> Iterator[Line]:
    from stepgrad.diagnosis.reasons import explained  # noqa: PLC0415

    recording = session.recording
    for asked, reasons in explained(session.state, node):
        shown = f"{asked.name(recording)} = {gradient_inline(asked.read(recording))}"
        yield Line(ink.line((shown, ink.NAME)))
        for each in reasons:
            yield _event(each.position, each.text, each.node)
