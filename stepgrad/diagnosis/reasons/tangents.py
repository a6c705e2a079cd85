"""Why a tangent of forward mode is what it is."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from stepgrad.diagnosis.reasons.chain import Link, Number, Reason, alike
from stepgrad.diagnosis.reasons.values import numbers_to_follow
from stepgrad.recording.recording import Node, Recording
from stepgrad.replay.telling.derivatives import tangent_into
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.titles import title


@dataclass(frozen=True, slots=True)
class _Term:
    """What an operand adds to a tangent: its own tangent, and the local derivative."""

    operand: int
    tangent: float
    local: float
    amount: float


def explain_tangent(recording: Recording, asked: Number) -> Link:
    """Explain a tangent by those of the operands, and by the local derivatives."""
    index, history = asked.node, recording.history
    made, name = history.made_at(index), title(recording, asked.node)
    tangent = history.tangent(index, asked.position)
    if tangent is None:
        later = asked.position < made
        why = "is not computed yet: this event makes it" if later else "is made in reverse mode"
        return Link([Reason(made, index, f"{name} {why}")])
    node = recording.node(index)
    if not node.operands:
        why = "forward mode starts here" if tangent else "forward mode does not start here"
        text = f"{narrate(recording, made - 1)}: {why}"
        return Link([Reason(made, index, text)])
    terms = _terms(recording, node, made)
    told = f"{narrate(recording, made - 1)}"
    chosen = _telling(terms, tangent)
    if chosen is None:
        return Link([Reason(made, index, f"{told}: it overflows", not isfinite(tangent))])
    above = Number("tangent", chosen.operand, made)
    if isfinite(tangent):
        return Link([Reason(made, index, told)], [above])
    if alike(chosen.tangent, tangent):
        return Link([Reason(made, index, told)], [above], dull=True)
    values = [history.value(each, made) or 0.0 for each in (*node.operands, index)]
    born = all(map(isfinite, (*values, chosen.tangent)))
    zero = [each for each, x in zip(node.operands, values, strict=False) if not x]
    then = [*numbers_to_follow(recording, zero or node.operands, made)]
    return Link([Reason(made, index, told, born)], then if isfinite(chosen.tangent) else [above])


def _terms(recording: Recording, node: Node, made: int) -> list[_Term]:
    found = []
    for slot, operand in enumerate(node.operands):
        if not recording.is_constant(operand):
            carry = recording.history.carry(node.index, slot, made)
            tangent = tangent_into(recording, node.index, operand, made)
            found.append(_Term(operand, tangent, carry(1.0), carry(tangent)))
    return found


def _telling(terms: list[_Term], tangent: float) -> _Term | None:
    """Return the term that makes a tangent what it is; None if only their sum does."""
    if isfinite(tangent):
        return max(terms, key=lambda each: abs(each.amount), default=None)
    sick = [each for each in terms if not isfinite(each.amount)]
    return next((each for each in sick if alike(each.amount, tangent)), next(iter(sick), None))
