"""What the reports of the screen show, in sentences; events in them can be gone to by number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING

from stepgrad.numbers import exact
from stepgrad.plain.words import MOST, listed, name_of, read_message, read_number, sentence, some
from stepgrad.printable import counted
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands.hints import key
from stepgrad.replay.commands.variants import NO_PROGRAM
from stepgrad.replay.difference import Change, Difference, alike, differences
from stepgrad.replay.gradients.cuts import cut_set
from stepgrad.replay.gradients.paths import Path, paths
from stepgrad.replay.session import Session
from stepgrad.replay.telling.derivatives import partial_at, spoken_derivative
from stepgrad.replay.telling.sentences import say
from stepgrad.replay.telling.spoken import spoken
from stepgrad.replay.telling.titles import short_title
from stepgrad.scenario.diagnosed import diagnosed

if TYPE_CHECKING:
    from stepgrad.diagnosis.reasons import Reason

_PRODUCT = " · ∂"
"""What is in a contribution, as notation has it."""

_EVENTS = 4
"""The most events of a verdict to name."""


def verdicts_told(session: Session) -> Iterator[str]:
    """Say what is wrong, each verdict with its events."""
    found = diagnosed(session.recording)
    if not found.verdicts and not found.notes:
        yield "Nothing wrong is found."
        return
    yield f"{counted(len(found.verdicts), 'verdict')}." if found.verdicts else "No verdict."
    for each in (*found.verdicts, *found.notes):
        name = each.head(session.recording)
        yield read_message(f"{'note' if each.note else 'verdict'} {name}: {each.text}")
        if each.advice:
            yield read_message(each.advice)
        if each.events:
            shown = [f"{position}" for position in each.events[:_EVENTS]]
            more = " and more" * (len(each.events) > _EVENTS)
            which = f"event{'s' * (len(shown) > 1)} {listed(shown)}{more}"
            yield read_message(f"see {which}; {key('goto')} {shown[0]} goes there")


def why_told(session: Session) -> Iterator[str]:
    """Say why the value of the subject and its derivative are what they are."""
    from stepgrad.diagnosis.reasons import explained  # noqa: PLC0415 - slow, and rarely asked

    node, recording = session.subject, session.recording
    if node is None:
        yield "There is no node yet."
        return
    for asked, reasons in explained(session.state, node):
        number = asked.read(recording)
        shown = "not there yet" if number is None else read_number(number)
        yield sentence(f"{read_message(asked.name(recording)).rstrip('.')} is {shown}")
        for each in reasons:
            yield _reason(recording, each)


def _reason(recording: Recording, reason: Reason) -> str:
    """Say a reason: for a contribution, which is long in notation, what is said of its event."""
    if _PRODUCT in reason.text:
        return say(recording, reason.position - 1)
    return f"Event {reason.position}: {read_message(reason.text)}"


def paths_told(session: Session) -> Iterator[str]:
    """Say how many paths lead from the subject to the output, and what the largest contribute."""
    recording, node, state = session.recording, session.subject, session.state
    root = state.destination
    if node is None or root is None:
        yield "There are no paths: there is no backward pass here, so there is no output."
        return
    name, output = name_of(recording, node), name_of(recording, root)
    if state.value(root) is None:
        yield read_message(f"{output} is not computed yet: {key('phase_end')} goes to the end of "
                           "the forward pass")  # fmt: skip
        return
    if node == root:
        yield f"{name} is the output itself: its derivative with respect to itself is 1."
        return
    position = state.seen_by(root)
    found = paths(recording, root, node, position)
    if not found.count:
        yield sentence(f"No path leads from {name} to {output}")
        return
    many = "one path leads" if found.count == 1 else f"{found.count:,} paths lead"
    whole = spoken_derivative(short_title(recording, root), short_title(recording, node))
    yield sentence(f"{many} from {name} to {output}; {whole} is {read_number(found.total)}")
    if shut := cut_set(recording, root, node, position):
        names = [partial_at(recording, edge.out, edge.slot) for edge in shut[:_EVENTS]]
        yield read_message(f"every path is shut at {listed(names)}, which is 0")
    yield from some((_path(recording, path) for path in found.weightiest), found.count, of="path")


def _path(recording: Recording, path: Path) -> str:
    """Say a path from its node to the output, and its product."""
    names = [name_of(recording, node) for node in path.nodes]
    between = len(names) - MOST
    if between > 0:
        names = [*names[: MOST // 2], f"{between} more", *names[-(MOST // 2) :]]
    factors = [read_number(local) for local in path.locals if local != 1]
    product = f", the product of {listed(factors)}" if 1 < len(factors) <= MOST else ""
    return sentence(f"{read_number(path.product)}{product}, by way of {', '.join(names)}")


def difference_told(session: Session) -> Iterator[str]:
    """Say the values and gradients that the edits changed here, and the first event."""
    from stepgrad.diagnosis.parting import part  # noqa: PLC0415 - rarely asked

    if session.program is None:
        yield read_message(NO_PROGRAM)
        return
    if session.original is None or session.before is None:
        yield read_message(f"there are no edits: {key('edit')} makes one")
        return
    parting = part(session.original, session.recording, ("before", "now"))
    if parting is None:
        yield "Nothing differs: every event is the same."
        return
    rows = differences(session.before, session.state)
    if not rows:
        yield f"Nothing differs {'yet' if session.cursor.position < parting.event else 'here'}."
    yield from some(map(_difference, rows), len(rows))
    yield read_message(f"The first difference is at event {parting.event}: {parting.text}")


def _difference(row: Difference) -> str:
    numbers = (("value", row.value), ("gradient", row.grad), ("tangent", row.tangent))
    changes = [f"its {word} {_change(*change)}" for word, change in numbers if _differs(change)]
    before, after = row.value
    if before is not None and after is not None and isfinite(by := after - before) and by:
        changes[0] += f", {read_number(abs(by))} {'more' if by > 0 else 'less'}"
    return read_message(f"{row.name}: {', and '.join(changes)}")


def _differs(change: Change) -> bool:
    return not alike(*change)


def _change(before: float | None, after: float | None) -> str:
    old, new = ("nothing" if x is None else read_number(x) for x in (before, after))
    if old == new and before is not None and after is not None:  # six digits do not tell
        old, new = (spoken(exact(x)) for x in (before, after))
    return f"was {old} and is {new}"


REPORTS: Mapping[str, Callable[[Session], Iterator[str]]] = {
    "verdicts": verdicts_told,
    "why": why_told,
    "paths": paths_told,
    "difference": difference_told,
}
"""The report of each command that has one."""
