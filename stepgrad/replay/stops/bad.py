"""`bad`: where a number is not finite, although everything it is made of is.

The first such event is where the trouble starts; what is computed from it is merely infected. Where
everything is finite, one pass over the numbers, in C, settles it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from stepgrad.recording.blocks import Forward
from stepgrad.recording.recording import Recording
from stepgrad.replay.stops.columns import Column, Same


def is_finite(number: float | None) -> bool:
    """Whether a number is finite, or is not there at all."""
    return number is None or isfinite(number)


def bad_nodes(recording: Recording, block: Forward) -> Column:
    """Where a value or a tangent is not finite, although those of all operands are."""
    rows = [row for row in (block.values, block.tangents) if row is not None]
    if all(all(map(isfinite, row)) for row in rows):
        return Same(False)
    finite = [all(map(isfinite, numbers)) for numbers in zip(*rows, strict=True)]
    history, start, structure = recording.history, block.start, block.structure

    def was_finite(ref: int) -> bool:
        if ref >= 0:
            return finite[ref]
        node = block.node(ref)
        return is_finite(history.value(node, start)) and is_finite(history.tangent(node, start))

    return [
        not finite[offset] and all(map(was_finite, structure.operands(offset)))
        for offset in structure.created
    ]


def bad_edges(made_of: Sequence[bool], columns: Sequence[Sequence[float | None]]) -> Column:
    """Where a local derivative, a contribution or a gradient is not finite, but its parts are.

    `made_of` says whether the values that a local derivative is made of are finite. The columns
    are upstream gradients, local derivatives, contributions, and the sums before and after.
    """
    finite = (map(is_finite, column) for column in columns)
    return [
        (known and not local)
        or (upstream and local and not contribution)
        or (contribution and before and not after)
        for known, upstream, local, contribution, before, after in zip(
            made_of, *finite, strict=True
        )
    ]


def bad_writes(after: Sequence[float], used: Sequence[Sequence[float | None]]) -> Column:
    """Where what is written is not finite, although everything in the `used` columns is."""
    if all(map(isfinite, after)):
        return Same(False)
    known = (all(map(is_finite, numbers)) for numbers in zip(*used, strict=True))
    return [whole and not isfinite(x) for whole, x in zip(known, after, strict=True)]
