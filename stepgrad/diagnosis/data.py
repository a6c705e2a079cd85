"""The data that a pass is over (`data_of`): passes over the same rows have the same."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from stepgrad.diagnosis.survey import Pass, Survey
from stepgrad.recording.kept import kept
from stepgrad.recording.sweep import Sweep


@kept(1 << 12)
def data_of(survey: Survey, which: Pass) -> tuple[object, ...]:
    """Return what tells the rows of the data that a pass is over from others.

    Those are the operations that it goes over, and the values of everything that they start from;
    but of parameters which ones they are, as a program may look one up by a token.
    """
    block, history = which.block, survey.recording.history
    operations, inputs = _inputs(block.sweep)
    found: list[object] = [operations]
    for number, offset in inputs:
        forward = block.over[number]
        node = forward.base + offset
        if node in survey.parameters:
            found.append(node)
        elif history.index.is_updated(node):  # an input, written in place
            found.append(history.value(node, block.start))
        else:
            found.append(forward.values[offset])
    return tuple(found)


@kept(1)
def _inputs(sweep: Sweep) -> tuple[bytes, Sequence[tuple[int, int]]]:
    """Return the operations of a sweep, and the leaves and constants that they start from.

    Each of these is the number of its forward pass, and its offset there.
    """
    operations = bytearray()
    inputs: dict[tuple[int, int], None] = {}
    for number, offsets in sweep.computed_nodes:
        structure, links = sweep.structures[number], sweep.links[number] or ()
        operations += bytes(map(structure.codes.__getitem__, offsets))
        taken = bytearray(len(structure))
        for offset in offsets:
            taken[offset] = 1
        owned = map(taken.__getitem__, structure.owners)
        for ref in dict.fromkeys(compress(structure.refs, owned)):
            earlier, offset = (-1, ref) if ref >= 0 else structure.outer[~ref]
            of = number if ref >= 0 else links[earlier]
            if of >= 0 and not sweep.structures[of].op(offset).partials:
                inputs[of, offset] = None
    return bytes(operations), [*inputs]
