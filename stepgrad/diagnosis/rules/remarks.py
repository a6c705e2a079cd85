"""What whoever watched an engine has seen, and no event shows: as faults, or as what was hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stepgrad.diagnosis.rules.faults import Fault, Kind
from stepgrad.recording.foreign.remark import AGREES, BACKWARD, DIFFERS, HOOKED, ROUNDED
from stepgrad.recording.recording import Recording

UNFINISHED = "unfinished"
"""The kind of a remark that the last pass has ended in an error."""

_KINDS: Mapping[str, Kind] = {
    "early": "called",
    "hung": "wrong node",
    "stray": "wrong node",
    "forward": "wrong forward",
}
"""The remarks that are about faults."""

_KNOWN = "differences", "complex steps"
_UNKNOWN = "unknown"
"""How the derivatives of an operation were found, or that they were not; the text is its name."""

_PYTORCH = AGREES, BACKWARD, DIFFERS, HOOKED, ROUNDED
"""Those that another question is about."""


def seen(recording: Recording) -> bool:
    """Whether there are remarks on an engine."""
    return any(remark.kind not in _PYTORCH for remark in recording.remarks)


def noticed(recording: Recording) -> Iterator[Fault]:
    """Yield the faults that were noticed, the first of each kind at a line."""
    seen = set[object]()
    for remark in recording.remarks:
        kind = _KINDS.get(remark.kind)
        if kind is None or (kind, remark.place) in seen:
            continue
        seen.add((kind, remark.place))
        nodes = () if remark.node is None else (remark.node,)
        position = 1 if remark.node is None else recording.history.made_at(remark.node)
        place = remark.place if remark.place.line else None
        yield Fault(kind, position, remark.text, nodes, place)


def hidden(recording: Recording) -> Sequence[str]:
    """Return what could not be seen or judged, each once."""
    found: list[str] = []
    for remark in recording.remarks:
        if remark.kind == _UNKNOWN:
            found.append(f"the rule of {remark.text} is not judged: its derivative is not known")
        elif remark.kind not in (*_KINDS, *_KNOWN, *_PYTORCH):
            found.append(remark.text)
    return [*dict.fromkeys(found)]
