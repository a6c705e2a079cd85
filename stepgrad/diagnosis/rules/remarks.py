"""What whoever watched an engine has seen, and no event shows: as faults, or as what was hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace

from stepgrad.diagnosis.rules.faults import Fault, Kind
from stepgrad.diagnosis.rules.lines import Lines
from stepgrad.diagnosis.rules.text import cutting
from stepgrad.diagnosis.rules.wrote import foreign_passes
from stepgrad.diagnosis.wording import joined
from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Forward
from stepgrad.recording.foreign.remark import (
    IN_PLACE,
    LOOKALIKES,
    PYTORCH,
    TAPED,
    UNFOLLOWED,
    Remark,
)
from stepgrad.recording.recording import Recording

UNFINISHED = "unfinished"
"""The kind of a remark that the last pass has ended in an error."""

_KINDS: Mapping[str, Kind] = {
    "early": "called",
    "hung": "wrong node",
    "stray": "wrong node",
    "unlisted": "left out",
    "blind": "upstream missing",
    "forward": "wrong forward",
}
"""The remarks that are about faults."""

_SOME = "some children"
_LACKING = "childless", _SOME
"""A result of the method that the text names has none, or not all, of its operands as children."""

_KNOWN = "differences", "complex steps"
_MOST = 6
"""The most rules to name that are not judged."""

_UNKNOWN = "unknown"
"""How the derivatives of an operation were found, or that they were not; the text is its name."""


def seen(recording: Recording) -> bool:
    """Whether there are remarks on an engine."""
    return any(remark.kind not in (*LOOKALIKES, *PYTORCH, TAPED) for remark in recording.remarks)


def blurred(recording: Recording) -> bool:
    """Whether it is not seen what some results are computed from, as they keep no operands.

    Then a pass may be right that seems to leave something out.
    """
    kinds = {remark.kind for remark in recording.remarks}
    return TAPED in kinds and not kinds.isdisjoint((*_LACKING, "unlisted"))


def unfollowed(recording: Recording) -> bool:
    """Whether a backward pass could not be followed."""
    return any(remark.kind == UNFOLLOWED for remark in recording.remarks)


def in_place(recording: Recording) -> bool:
    """Whether an operator has computed in place, which is not checked."""
    return any(remark.kind == IN_PLACE for remark in recording.remarks)


def noticed(recording: Recording) -> Iterator[Fault]:
    """Yield the faults that were noticed, the first of each kind at a line.

    A rule in a method that leaves out children may seem to be another node's: only the first cause
    is said of that method.
    """
    seen, lines = set[object](), Lines(recording)
    for remark in recording.remarks:
        for fault in _left_out(recording, remark):
            seen.add(lines.method(remark.place))
            yield fault
    for remark in recording.remarks:
        kind = _KINDS.get(remark.kind)
        if kind is None or (kind, remark.place) in seen or lines.method(remark.place) in seen:
            continue
        seen.add((kind, remark.place))
        nodes = () if remark.node is None else (remark.node,)
        position = 1 if remark.node is None else recording.history.made_at(remark.node)
        place = remark.place if remark.place.line else None
        yield Fault(kind, position, remark.text, nodes, place)


def _left_out(recording: Recording, remark: Remark) -> Iterator[Fault]:
    """Yield a fault if a method hands an operand on to nothing: then a pass cannot find it.

    One that hands it on may leave it out on purpose, where no gradients are asked for.
    """
    if remark.kind not in _LACKING or remark.node is None:
        return
    lines = Lines(recording)
    if names := lines.left_out(remark.place):
        text = (
            f"`{remark.text}` leaves {' and '.join(names)} out of the children of its result: a "
            f"backward pass does not go on to {'it' if len(names) == 1 else 'them'}"
        )
        position = recording.history.made_at(remark.node)
        yield Fault("left out", position, text, (remark.node,), remark.place)
    elif remark.kind == _SOME and (place := _cutting(lines, remark.place)):
        text = f"the result of `{remark.text}` keeps only some of its operands as children"
        position = recording.history.made_at(remark.node)
        yield Fault("left out", position, text, (remark.node,), place)


def _cutting(lines: Lines, place: Place) -> Place | None:
    """The line in the constructor of the class around a line that cuts children off."""
    source = lines.source(place)
    line = source and cutting(source, place.line or 0)
    return replace(place, line=line) if line else None


def choosing(recording: Recording) -> Set[str]:
    """Return the methods whose results keep only some of their operands as children, on purpose.

    So an engine does in which a number may need no gradient.
    """
    return {
        remark.text
        for remark in recording.remarks
        if remark.kind == _SOME and not [*_left_out(recording, remark)]
    }


def hidden(recording: Recording) -> Sequence[str]:
    """Return what could not be seen or judged, each once."""
    remarks, others = (
        recording.remarks,
        (_UNKNOWN, TAPED, *LOOKALIKES, *_KINDS, *_KNOWN, *_LACKING, *PYTORCH),
    )
    names = [*dict.fromkeys(each.text for each in remarks if each.kind == _UNKNOWN)]
    found = [each.text for each in remarks if each.kind not in others]
    if len(names) == 1:
        found.append(f"the rule of {names[0]} is not judged: its derivative is not known")
    elif names:
        rules = joined(names[:_MOST], len(names))
        found.append(f"the rules of {rules} are not judged: their derivatives are not known")
    if (nothing := _computes_nothing(recording)) or blurred(recording):
        found.append(
            f"what {'the' if nothing else 'some'} results of the engine are computed from is not "
            "seen: store the operands in each result, or an object that has them by then"
        )
    return [*dict.fromkeys(found)]


def _computes_nothing(recording: Recording) -> bool:
    """Whether an engine runs backward passes, and none of its objects has operands."""
    return bool(foreign_passes(recording.blocks)) and not any(
        block.structure.op(offset).partials
        for block in recording.blocks
        if isinstance(block, Forward)
        for offset in block.structure.created
    )
