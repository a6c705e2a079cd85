"""Parameters that stand still, because they receive exactly 0, pass after pass (`Still`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from stepgrad.diagnosis.survey import Pass, Survey
from stepgrad.recording.kept import kept
from stepgrad.recording.sweep import Sweep


@dataclass(frozen=True, slots=True)
class Still:
    """A parameter that receives exactly 0 from `first` on, in all passes that reach it.

    Args:
        node: the parameter.
        passes: the numbers of those passes, in order.
        always: whether no pass before them reaches it, so that it never received anything.
    """

    node: int
    passes: Sequence[int]
    always: bool

    @property
    def first(self) -> int:
        """The number of the first pass from which on it receives exactly 0."""
        return self.passes[0]


def still(survey: Survey) -> Sequence[Still]:
    """Return the parameters that receive exactly 0 in all passes from one of them to the end."""
    waiting = dict.fromkeys(survey.parameters)
    since: dict[int, list[int]] = {node: [] for node in waiting}
    moved: set[int] = set()
    for which in reversed(survey.passes):
        for node in waiting.keys() & which.gradients.keys():
            if survey.received_nothing(which, node):
                since[node].append(which.number)
            else:
                moved.add(node)
                del waiting[node]
        if not waiting:
            break
    return [
        Still(node, passes[::-1], node not in moved) for node, passes in since.items() if passes
    ]


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


def epoch(survey: Survey, passes: Sequence[int]) -> Sequence[int]:
    """Return the last of some passes that are over all rows of the data, if they are.

    Empty where no row has come twice, or one of an earlier pass has not come again: then there may
    be more rows than these.
    """
    rows = [data_of(survey, survey.passes[number]) for number in passes]
    all_rows = {*rows}
    if len(all_rows) == len(rows) or not all_rows.issuperset(
        data_of(survey, each) for each in survey.passes[: passes[0]]
    ):
        return ()
    seen: set[tuple[object, ...]] = set()
    for begin in range(len(passes) - 1, -1, -1):
        seen.add(rows[begin])
        if len(seen) == len(all_rows):
            break
    return passes[begin:]
