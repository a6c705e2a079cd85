"""Why a gradient is huge or tiny: which edges carry the decades."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import log10

from stepgrad.diagnosis.reasons.arithmetic import decades
from stepgrad.diagnosis.reasons.chain import Link, Reason
from stepgrad.diagnosis.reasons.received import Received
from stepgrad.printable import counted
from stepgrad.replay.gradients.ledger import Contribution
from stepgrad.replay.telling.derivatives import local_derivative
from stepgrad.replay.telling.titles import gradient_title, title

_EXTREME = 3
"""From how many decades away from 1 on a gradient is huge or tiny."""

_SHOWN = 3
"""The most edges that are shown."""

_FARTHEST = 10_000  # edges that are gone through on the way to the root


def explain_decades(at: Received, grad: float) -> Link | None:
    """Say which edges carry the decades of a gradient; None if it is not extreme, or none do.

    They lie on the way to the root along the largest contributions.
    """
    whole = log10(abs(grad))
    if abs(whole) < _EXTREME:
        return None
    path = _largest_path(at)
    if at.carried or not all(edge.amount for _, edge in path):
        return None
    carried = sum(log10(abs(edge.local)) for _, edge in path)
    if not abs(carried - whole) < abs(whole) / 2:  # it is a sum of many, or the path is longer
        return None
    name, root = gradient_title(at.recording, at.node), title(at.recording, at.block.root)
    text = (
        f"{name} is {abs(whole):.3g} decades {'above' if whole > 0 else 'below'} 1, "
        f"over {counted(len(path), 'edge')} from {root}; "
        f"{_decades_by_operation(at, path, whole)}"
    )
    head = Reason(at.contributions[-1].position, at.node, text)
    same_way = [each for each in path if log10(abs(each[1].local)) * whole > 0]
    steepest = sorted(same_way, key=lambda each: -decades(each[1].local))[:_SHOWN]
    told = [Reason(edge.position, where.node, _decades_of(where, edge)) for where, edge in steepest]
    where, edge = steepest[0]
    return Link([head, *told], where.sources(edge))


def _decades_by_operation(
    at: Received, path: Sequence[tuple[Received, Contribution]], whole: float
) -> str:
    """Say which operation carries most: `10 of them, through sigmoid, carry 6.02`."""
    counts, sums = Counter[str](), defaultdict[str, float](float)
    for _, edge in path:
        if edge.local not in (1, -1):
            name = at.recording.node(edge.out).op.name
            counts[name] += 1
            sums[name] += log10(abs(edge.local))
    most = max(sums, key=lambda name: sums[name] * whole)
    carry = "carries" if counts[most] == 1 else "carry"
    return f"{counts[most]:,} of them, through {most}, {carry} {abs(sums[most]):.3g}"


def _largest_path(at: Received) -> Sequence[tuple[Received, Contribution]]:
    """Follow the largest contributions from a gradient to the root."""
    path: list[tuple[Received, Contribution]] = []
    while at.contributions and len(path) < _FARTHEST:
        edge = max(at.contributions, key=lambda each: abs(each.amount))
        path.append((at, edge))
        at = at.above(edge)
    return path


def _decades_of(at: Received, edge: Contribution) -> str:
    local = local_derivative(at.recording, edge.out, edge.slot, at.block.start)
    way = "up" if abs(edge.local) > 1 else "down"
    return f"{local.name} = {local}: {decades(edge.local):.3g} decades {way}"
