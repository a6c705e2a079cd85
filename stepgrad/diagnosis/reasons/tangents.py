"""Why a tangent of forward mode is what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from stepgrad.diagnosis.reasons.chain import Link, Number, Reason, same_kind
from stepgrad.diagnosis.reasons.slopes import Slope
from stepgrad.numbers import factor, number
from stepgrad.recording.recording import Node, Recording
from stepgrad.replay.telling.derivatives import differential, partial_at, tangent_into
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.titles import short_title, title


@dataclass(frozen=True, slots=True)
class _Term:
    """What an operand adds to a tangent: its own tangent times the local derivative."""

    slot: int
    operand: int
    tangent: float
    slope: Slope
    amount: float


def explain_tangent(recording: Recording, asked: Number) -> Link:
    """Explain a tangent by those of the operands, and by the local derivatives."""
    index, history = asked.node, recording.history
    made = history.made_at(index)
    tangent = history.tangent(index, asked.position)
    if tangent is None:
        later = asked.position < made
        why = "is not computed yet: this event makes it" if later else "is not in forward mode"
        return Link([Reason(made, index, f"{title(recording, index)} {why}")])
    node = recording.node(index)
    told = _told(recording, made)
    if not node.operands:
        why = "forward mode starts here" if tangent else "forward mode does not start here"
        return Link([Reason(made, index, f"{told}: {why}")])
    chosen = _telling(_terms(recording, node, made), tangent)
    if chosen is None:
        born = not isfinite(tangent)
        return Link([Reason(made, index, told + (": it overflows" if born else ""), born)])
    above = Number("tangent", chosen.operand, made)
    if isfinite(tangent):
        return Link([Reason(made, index, told)], [above])
    if not isfinite(chosen.tangent):
        return Link([Reason(made, index, told)], [above], dull=same_kind(chosen.tangent, tangent))
    born = chosen.slope.born or isfinite(chosen.slope.local)
    term = _term_told(recording, index, chosen)
    return Link([Reason(made, index, term, born)], chosen.slope.sources(recording))


def _told(recording: Recording, made: int) -> str:
    narration = narrate(recording, made - 1)
    return f"{narration.symbols} {narration.numbers}".rstrip()


def _term_told(recording: Recording, index: int, term: _Term) -> str:
    """Write the term that makes a tangent infinite or nan: `dn += ∂n/∂s · ds = inf · 1 = inf`."""
    of, by = differential(short_title(recording, index)), short_title(recording, term.operand)
    local = partial_at(recording, index, term.slot)
    numbers = f"{number(term.slope.local)} · {factor(term.tangent)} = {number(term.amount)}"
    return f"{of} += {local} · {differential(by)} = {numbers}"


def _terms(recording: Recording, node: Node, made: int) -> Sequence[_Term]:
    found = []
    for slot, operand in enumerate(node.operands):
        if not recording.is_constant(operand):
            slope = Slope.of(recording, node.index, slot, made)
            tangent = tangent_into(recording, node.index, operand, made)
            carry = recording.history.carry(node.index, slot, made)
            found.append(_Term(slot, operand, tangent, slope, carry(tangent)))
    return found


def _telling(terms: Sequence[_Term], tangent: float) -> _Term | None:
    """Return the term that makes a tangent what it is; None if only their sum does."""
    if isfinite(tangent):
        return max(terms, key=lambda each: abs(each.amount), default=None)
    sick = [each for each in terms if not isfinite(each.amount)]
    return next((each for each in sick if same_kind(each.amount, tangent)), next(iter(sick), None))
