"""Parameters that are 0 and stay 0, because each is multiplied by another of them (`saddle`)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from functools import partial

from stepgrad.diagnosis.reach.blame import Blame
from stepgrad.diagnosis.reach.unmoved import unmoved
from stepgrad.diagnosis.survey import Pass, Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.printable import counted
from stepgrad.replay.gradients.between import Edge
from stepgrad.replay.gradients.cuts import Counts, cut_of, cut_set
from stepgrad.replay.gradients.ledger import walk
from stepgrad.replay.telling.titles import short_title, title

_FEWEST = 3
"""Passes that have to reach a parameter, and give it 0."""


def saddle(survey: Survey) -> Iterator[Verdict]:
    """Yield a verdict on the parameters that hold each other at 0."""
    found = on_saddle(survey)
    if not found:
        return
    recording = survey.recording
    which, passes = _last(survey, found)
    blame = Blame(recording, survey.parameters, which.block.start)
    edges = [
        edge
        for node in sorted(found)
        for edge in cut_set(recording, which.root, node, which.block.start)[:1]
        if blame.edge(edge)
    ]
    events = [
        at for edge in edges if (at := walk(which.block, edge.out, edge.slot)) is not None
    ]  # fmt: skip
    out, slot, operand = edges[0]
    factor = recording.node(out).operands[1 - slot]
    yield Verdict(
        "saddle",
        f"{listed(recording, found)} are exactly 0 and receive exactly 0 in all "
        f"{counted(passes, 'pass')}: each is multiplied by another that is 0, so none can move; "
        f"at event {events[0]:,}, what {short_title(recording, operand)} receives "
        f"is multiplied by {title(recording, factor)} = 0",
        "Initialise the weights at random; those of one layer may start at 0.",
        [*dict.fromkeys(events)],
        sorted(found),
    )


def on_saddle(survey: Survey) -> Set[int]:
    """Return the parameters that are exactly 0, and receive exactly 0 because others of them are.

    Each path of the last pass is shut by them, or by a factor of the data that is 0.
    """
    history = survey.recording.history
    found = {
        each.node
        for each in unmoved(survey)
        if each.always
        and len(each.passes) >= _FEWEST
        and history.first_value(each.node) == 0
        and history.value(each.node, survey.end) == 0
    }
    if len(found) < 2:
        return set()
    which, _ = _last(survey, found)
    blame = Blame(survey.recording, survey.parameters, which.block.start)
    found -= _shut(survey, which, found, lambda edge: not blame.edge(edge))  # by the data alone
    more: Set[int] = set()
    while found != more:
        more = found
        found = _shut(survey, which, more, partial(_by, blame, more))
    return found if len(found) > 1 else set()


def _by(blame: Blame, parameters: Set[int], edge: Edge) -> bool:
    """Whether an edge is shut by some parameters that are 0, or by the data."""
    return blame.edge(edge) <= parameters


def _last(survey: Survey, nodes: Set[int]) -> tuple[Pass, int]:
    """Return the last pass that reaches any of some parameters, and how many passes do."""
    reaching = [each for each in survey.passes if not nodes.isdisjoint(each.gradients)]
    return reaching[-1], len(reaching)


def _shut(survey: Survey, which: Pass, nodes: Collection[int], counts: Counts) -> set[int]:
    """Return those of some parameters that a pass reaches, but over no open path."""
    cut = cut_of(survey.recording, which.block, counts)
    places = {node: which.block.column(node) for node in nodes}
    return {
        node for node, place in places.items() if place is not None and place not in cut.open
    }  # fmt: skip
