"""Parameters that are replaced by results of themselves, as by `w = w - rate * w.grad`.

The values are right, but the graph grows: each pass goes back through all updates before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stepgrad.diagnosis.bookkeeping.updates import line_of, lines_of
from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.engine.tape import Place
from stepgrad.printable import counted
from stepgrad.recording.blocks import Forward
from stepgrad.recording.foreign.remark import PYTORCH
from stepgrad.recording.kept import kept

_FEWEST = 3
"""Updates that a pass goes back through; fewer may be meant, as a step that is learned from.

In PyTorch one is enough: results have no gradient, so the next update fails.
"""


@dataclass(frozen=True, slots=True)
class Growing:
    """A line that makes parameters of parameters.

    Args:
        place: the line.
        what: the line itself, in short.
        made: the nodes that it makes of leaves.
        leaves: these leaves.
        updates: how many times it has run before the last pass, which goes back through all.
    """

    place: Place
    what: str
    made: Sequence[int]
    leaves: Sequence[int]
    updates: int


def growing(survey: Survey) -> Iterator[Verdict]:
    """Updates make new nodes of the parameters, and passes go through them."""
    if not (found := grown(survey)):
        return
    first, recording = found[0], survey.recording
    made = [node for each in found for node in each.made]
    leaves = sorted({leaf for each in found for leaf in each.leaves})
    as_it_is = "it as it is" if len(leaves) == 1 else "them as they are"
    others = " and others like it" * (len(found) > 1)
    yield Verdict(
        "lost_update",
        f"{first.what}{others} make{'s' * (not others)} new nodes of {listed(recording, leaves)} "
        f"and leave{'s' * (not others)} {as_it_is}: the graph grows, and the last pass goes back "
        f"through {counted(max(each.updates for each in found), 'update')}",
        "Write `p.data -= learning_rate * p.grad`, which changes the parameter itself.",
        [recording.history.made_at(made[0]), survey.passes[-1].seed],
        [*leaves, *made],
        places=[each.place for each in found],
    )


@kept(1)
def grown(survey: Survey) -> Sequence[Growing]:
    """Return the lines that make the graph grow, of parameters that nothing else updates."""
    found = list[Growing]()
    in_torch = any(each.kind in PYTORCH for each in survey.recording.remarks)
    fewest = 1 if in_torch else _FEWEST
    updated = {node for step in survey.steps for node in step.before}
    for place, what in lines_of(survey.recording, "rebuilt") if survey.passes else ():
        made = _reached(survey, place)
        leaves = {node: [*_leaves(survey, node, place)] for node in (made[0] if made else ())}
        first = [node for node, its in leaves.items() if its]
        every = [leaf for its in leaves.values() for leaf in its]
        if len(made) >= fewest and every and updated.isdisjoint(every):
            found.append(Growing(place, what, first, every, len(made)))
    return found


def _reached(survey: Survey, place: Place) -> Sequence[Sequence[int]]:
    """Return the results of a line that the last pass reaches, those of each update together."""
    last = survey.passes[-1].block
    ends = [each.end for each in survey.passes]
    found: dict[int, list[int]] = {}
    for forward in last.over:
        update = sum(end <= forward.start for end in ends)
        for node in _made(survey, forward, place):
            if last.column(node) is not None:
                found.setdefault(update, []).append(node)
    return [found[update] for update in sorted(found)]


def _made(survey: Survey, forward: Forward, place: Place) -> Iterator[int]:
    nodes = range(forward.base, forward.base + len(forward.values))
    return (node for node in nodes if line_of(survey.recording.node(node).place) == place)


def _leaves(survey: Survey, node: int, place: Place) -> Iterator[int]:
    """Yield the leaves from elsewhere that a result is made of directly, and a pass reaches."""
    for each in survey.recording.node(node).operands:
        elsewhere = line_of(survey.recording.node(each).place) != place
        if elsewhere and each in survey.passes[-1].gradients:
            yield each
