"""Parameters that learn nothing because shut gates separate them from the loss (`dead`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from itertools import islice
from statistics import fmean

from stepgrad.diagnosis.data import data_of
from stepgrad.diagnosis.reach.blame import Blame
from stepgrad.diagnosis.reach.gates import Gates, gates_of, margin, moved_by, named
from stepgrad.diagnosis.reach.saddle import on_saddle
from stepgrad.diagnosis.reach.unmoved import Unmoved, epoch, unmoved
from stepgrad.diagnosis.survey import Pass, Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.engine import ops
from stepgrad.engine.ops import Op
from stepgrad.printable import counted
from stepgrad.replay.gradients.cuts import Counts, cut_of
from stepgrad.replay.gradients.ledger import walk

_FEWEST = 10
"""Passes with a gradient of exactly 0, before it is called dead."""

_ROWS = 64
"""Contributions, all 0, from batches that do not come again: rows, or positions of a filter."""

_MANY = 0.25
"""The share of the parameters from which on it is more than a note that batches show it."""

_LEARNED = 0.1
"""What is left of a loss that has been learned."""

_CHECKED = 64
"""The most passes of which it is checked that every path is shut: a row of the data in each."""

_LOOKED_AT = 12
"""The most parameters whose gates are looked for, out of all that are dead."""


def dead(survey: Survey) -> Iterator[Verdict]:
    """Yield a verdict on all parameters that shut gates separate from the loss."""
    saddle = on_saddle(survey)
    waiting = [
        each
        for each in unmoved(survey)
        if len(each.passes) >= _FEWEST and each.node not in saddle
    ]  # fmt: skip
    groups: dict[tuple[int, ...], list[Unmoved]] = {}
    for each in waiting:
        groups.setdefault(tuple(each.passes), []).append(each)
    rows = {passes: epoch(survey, passes) for passes in groups}
    for passes in [each for each, over in rows.items() if not over]:
        groups[passes] = [each for each in groups[passes] if _plenty(survey, each)]
        rows[passes] = passes if groups[passes] else ()
    shut = {
        passes: _shut(survey, {each.node for each in group}, rows[passes])
        for passes, group in groups.items()
        if rows[passes]
    }
    every = {node for nodes in shut.values() for node in nodes}
    found = [
        each
        for passes, nodes in shut.items()
        if nodes and not _learned(survey, passes, rows[passes], every)
        for each in groups[passes]
        if each.node in nodes
    ]
    if found:
        yield _verdict(survey, found)


def _plenty(survey: Survey, waiting: Unmoved) -> bool:
    """Whether there are enough rows that differ from pass to pass for one more to be like them."""
    over = [survey.passes[number] for number in waiting.passes]
    rows = {data_of(survey, each) for each in over}
    columns = [(each.block.sweep, each.block.column(waiting.node)) for each in over]
    count = sum(len(sweep.incoming[column]) for sweep, column in columns if column is not None)
    return len(rows) == len(over) and count >= _ROWS


def _shut(survey: Survey, nodes: Collection[int], rows: Sequence[int]) -> Collection[int]:
    """Return those of some parameters that every pass over the rows is shut off from.

    Something has to arrive at the gates in one of them; and no gate may be shut by the data.
    """
    shut, lit = {*nodes}, set[int]()
    for row in rows[-_CHECKED:]:
        block = survey.passes[row].block
        cut = cut_of(survey.recording, block, _blamed(survey, block.start))
        places = {node: block.column(node) for node in shut}
        shut -= {node for node, place in places.items() if place in cut.open}
        if not shut:
            break
        arrives = [edge for edge in cut.edges if block.grads[block.sweep.outs[edge]]]
        below = {block.sweep.receivers[edge] for edge in arrives}
        for out, receiver in zip(block.sweep.outs, block.sweep.receivers, strict=True):
            if out in below:
                below.add(receiver)
        lit |= {node for node in shut if places[node] in below}
    return shut & lit


def _blamed(survey: Survey, position: int) -> Counts:
    """Return whether an edge with a local derivative of 0 is not shut by the data."""
    blame = Blame(survey.recording, survey.parameters, position)
    return lambda edge: bool(blame.edge(edge))


def _learned(
    survey: Survey, passes: Sequence[int], rows: Sequence[int], shut: Collection[int]
) -> bool:
    """Whether the loss is nearly gone, although not because all that is left is a constant."""
    root = survey.passes[passes[-1]].block.sweep
    losses = [each.loss for each in survey.passes if each.block.sweep is root]
    length = min(len(rows), len(losses))
    first, last = fmean(losses[:length]), fmean(losses[-length:])
    if not last:
        return True
    return 0 <= last <= _LEARNED * first and not _blind(survey, survey.passes[passes[-1]], shut)


def _blind(survey: Survey, which: Pass, shut: Collection[int]) -> bool:
    """Whether the root depends on no input: each parameter that multiplies one is shut off."""
    block, multiplying = which.block, set[int]()
    for slot, out, place in zip(
        block.sweep.slots, block.sweep.outs, block.sweep.receivers, strict=True
    ):
        if place < block.sweep.computed:
            continue
        node = block.node(place)
        product = survey.recording.node(block.node(out))
        if node in survey.parameters and product.op is ops.MUL:
            other = survey.recording.node(product.operands[1 - slot])
            if not other.operands and other.index not in survey.parameters:
                multiplying.add(node)
    return bool(multiplying) and multiplying <= {*shut}


def _verdict(survey: Survey, found: Sequence[Unmoved]) -> Verdict:
    recording = survey.recording
    firsts = [each.first for each in found]
    first = max(sorted({*firsts}, reverse=True), key=firsts.count)  # when most of them died
    main = [each for each in found if each.first == first]
    others = [each.node for each in found if each.first != first]
    nodes = [each.node for each in main]
    passes, always = main[0].passes, main[0].always
    some = [each.node for each in main[:: -(-len(main) // _LOOKED_AT)]]
    which, found_gates = _gates(survey, passes, some)
    shut = Counter(gate for each in found_gates.values() for gate in each.nodes)
    rows = epoch(survey, passes)
    over = "for all rows" if rows else "in all batches"
    text = (
        f"{listed(recording, nodes)} receive{'s' * (len(nodes) == 1)} exactly 0 in "
        f"{'all' if always else 'the last'} {counted(len(passes), 'pass')}: every path is shut, "
        f"{over}, by {named(recording, [gate for gate, _ in shut.most_common()])}"
        f"{margin(recording, shut, which.block.start) if len(rows) == 1 else ''}"
    )
    events = [
        position
        for each in found_gates.values()
        for edge in islice(each.edges, 1)
        if (position := walk(which.block, edge.out, edge.slot)) is not None
    ]
    if not always and (moved := moved_by(survey, which, found_gates)):
        text += f"; {moved.text}"
        events.insert(0, moved.position)
    if others:
        text += f"; {counted(len(others), 'other parameter')} died at another time"
    advice = _advice({recording.node(gate).op for gate in shut}, always=always)
    few = len(found) < _MANY * len(survey.parameters)
    return Verdict(
        "dead",
        text,
        "" if few and not rows else advice,
        [*dict.fromkeys(events)],
        [*nodes, *others],
        note=few and not rows,
    )


def _gates(
    survey: Survey, passes: Sequence[int], nodes: Sequence[int]
) -> tuple[Pass, Mapping[int, Gates]]:
    """Return the gates that shut some parameters off in the first pass, or else in the last.

    In the first, it may have been the data.
    """
    for number in (passes[0], passes[-1]):
        which = survey.passes[number]
        blame = Blame(survey.recording, survey.parameters, which.block.start)
        found = {node: gates_of(survey, which, blame, node) for node in nodes}
        if all(each.nodes for each in found.values()):
            break
    return which, found


def _advice(kinds: Set[Op], *, always: bool) -> str:
    if kinds & {ops.TANH, ops.SIGMOID, ops.EXP} and ops.RELU not in kinds:
        what = "the inputs or the initial weights" if always else "the steps or the inputs"
        return f"Make {what} smaller: far from 0, the function is flat."
    if always:
        return (
            "Choose other initial weights, start the biases at 0 or a little above, "
            "or use leaky_relu, which is never shut."
        )
    return (
        "Lower the learning rate, scale the inputs and targets, clip the gradients, "
        "or use leaky_relu, which is never shut."
    )
