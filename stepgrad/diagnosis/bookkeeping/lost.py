"""Updates that change no parameter, or lose its value: `lost_update`.

The numbers show that nothing moves, or that a value is its step alone; the text shows which line
was meant to update it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from math import isclose
from typing import NamedTuple

from stepgrad.diagnosis.bookkeeping.growing import growing
from stepgrad.diagnosis.bookkeeping.unused import computed_in_vain
from stepgrad.diagnosis.bookkeeping.updates import Kind, line_of, lines_of
from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.engine.tape import Place
from stepgrad.numbers import factor, number
from stepgrad.printable import counted
from stepgrad.recording.blocks import Backward, Forward, Write
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import gradient_title, title

_FEWEST = 3
"""Passes, or steps: fewer are no training."""

_SAME, _ALIKE = 1e-9, 1e-4
"""How far multiples may differ; and first steps, as Adam's do by its epsilon."""

_ADVICE = "Write `p.data -= learning_rate * p.grad`, which changes the parameter itself."


def lost_update(survey: Survey) -> Iterator[Verdict]:
    """What is computed for a parameter does not arrive there, or replaces it."""
    uncalled = [*_uncalled(survey)]
    if uncalled:
        yield uncalled[0]
    elif not survey.steps:
        yield from _thrown_away(survey)
        yield from _without_gradients(survey.recording)
    else:
        yield from _replaced(survey)
    yield from growing(survey)


def _uncalled(survey: Survey) -> Iterator[Verdict]:
    """Nothing runs backward, or nothing is updated: a line names the method, and calls nothing."""
    if survey.passes and survey.steps:
        return
    missing: Kind = "update" if survey.passes else "backward pass"
    for place, method in lines_of(survey.recording, missing):
        text = f"no {missing} runs: `{method}` has no parentheses, and so calls nothing"
        advice = f"Write `{method}()`."
        yield Verdict("lost_update", text, advice, [survey.recording.length], (), places=[place])


def _thrown_away(survey: Survey) -> Iterator[Verdict]:
    """Nothing is updated, and a line computes an update and stores it elsewhere, or nowhere."""
    if len(survey.passes) < _FEWEST:
        return
    first, *others = ({n for n, grad in p.gradients.items() if grad} for p in survey.passes)
    still = sorted(first.intersection(*others))
    if not still:
        return
    lines = [*lines_of(survey.recording, "lost")]
    lines += [
        (place, f"{what} makes new objects, which nothing uses")
        for place, what in lines_of(survey.recording, "rebuilt")
        if _unused(survey, place)
    ]
    never = not lines and computed_in_vain(survey)
    if never:
        root = survey.recording.node(survey.passes[-1].root)
        lines = [(root.place, "no line reads a gradient")]
    for place, what in lines[:1]:
        names = listed(survey.recording, still)
        yield Verdict(
            "lost_update",
            f"{counted(len(survey.passes), 'pass')} bring gradients to {names}, and nothing "
            f"updates {'it' if len(still) == 1 else 'them'}: {what}",
            _ADVICE,
            [survey.passes[-1].end],
            still,
            places=[place],
            unless=("pytorch",) if never else (),
        )


def _unused(survey: Survey, place: Place) -> bool:
    """Whether a line makes nodes after several passes, and nothing but the line uses them."""
    recording, since = survey.recording, survey.passes[0].end
    forwards = [block for block in recording.blocks if isinstance(block, Forward)]
    made = {
        forward.base: [
            node
            for node in range(forward.base, forward.base + len(forward.values))
            if line_of(recording.node(node).place) == place
        ]
        for forward in forwards
        if forward.start >= since
    }
    own = {node for nodes in made.values() for node in nodes}
    if not own.isdisjoint(each.root for each in survey.passes):
        return False
    users = {f.base + offset for node in own for f in forwards for offset in f.users(node)}
    return sum(map(bool, made.values())) >= _FEWEST - 1 and users <= own


def _without_gradients(recording: Recording) -> Iterator[Verdict]:
    """Lines update values along gradients, and no backward pass runs."""
    if any(isinstance(block, Backward) for block in recording.blocks):
        return
    reading, history = {*lines_of(recording, "reads")}, recording.history
    places = {place for place, _ in reading}
    found = [(event, node) for event, node, place in _updates(recording) if place in places]
    if len(found) >= _FEWEST and not any(history.grad(node, event) for event, node in found):
        nodes = sorted({node for _, node in found})
        yield Verdict(
            "lost_update",
            f"no backward pass runs: in {counted(len(found), 'update')} of "
            f"{listed(recording, nodes)}, each gradient is 0",
            "Call `loss.backward()`, with its parentheses, before the update.",
            [found[0][0]],
            nodes,
        )


def _updates(recording: Recording) -> Iterator[tuple[int, int, Place | None]]:
    """Yield the position just after each update by hand, its node and its line."""
    for block in recording.blocks:
        if isinstance(block, Write) and not block.rule:
            for offset, (kind, node) in enumerate(
                zip(block.writes.kinds, block.writes.nodes, strict=True)
            ):
                if kind == "update":
                    yield block.start + offset + 1, node, line_of(block.place(offset))


def _replaced(survey: Survey) -> Iterator[Verdict]:
    """In each step, a line sets values to what is computed from gradients, not from old values."""
    recording = survey.recording
    alone, reads = (
        {place for place, _ in lines_of(recording, kind)} for kind in ("alone", "reads")
    )
    found = [*_set(survey, alone)]
    ratios = [each.after / each.gradient for each in found]
    if len(found) < _FEWEST:
        return
    steady = isclose(min(ratios), max(ratios), rel_tol=_SAME)
    down = max(ratios) < 0 and all(each.place in reads for each in found)
    if not (steady or down or _begins_with_a_step(survey, found)):
        return
    first = next((each for each in found if each.before), found[0])
    name, gradient = title(recording, first.node), gradient_title(recording, first.node)
    if steady or down:
        ratio = number(first.after / first.gradient)
        what = f" = {ratio} · {factor(first.gradient)}, a multiple of {gradient} alone"
    else:
        what = ", which is computed from gradients alone"
    yield Verdict(
        "lost_update",
        f"updates replace values by their steps: event {first.event:,} sets {name} to "
        f"{number(first.after)}{what}; it was {number(first.before)}",
        "Write `-=`, or add the step to the old value.",
        [each.event for each in found[:_FEWEST]],
        sorted({each.node for each in found}),
    )


class _Set(NamedTuple):
    """A value that is set where it has a gradient: from what to what, at which event and line."""

    event: int
    node: int
    before: float
    after: float
    gradient: float
    place: Place | None


def _set(survey: Survey, places: Collection[Place]) -> Iterator[_Set]:
    """Yield the values that some lines set, of nodes that have a gradient there."""
    history = survey.recording.history
    for event, node, place in _updates(survey.recording):
        if place in places:
            gradient, after = history.grad(node, event), history.value(node, event)
            before = history.value(node, event - 1) or 0.0
            if gradient and after:
                yield _Set(event, node, before, after, gradient, place)


def _begins_with_a_step(survey: Survey, found: Sequence[_Set]) -> bool:
    """Whether the first values that are set are one multiple of their gradients, or all as large.

    As momentum begins, or Adam. Where values begin at 0, that is no loss.
    """
    end = next((p.block.start for p in survey.passes if p.block.start > found[0].event), None)
    first = [each for each in found if end is None or each.event < end]
    ratios = [each.after / each.gradient for each in first]
    sizes = [abs(each.after) for each in first]
    alike = (isclose(min(each), max(each), rel_tol=_ALIKE) for each in (ratios, sizes))
    several = len({each.gradient for each in first}) > 1
    return several and max(ratios) < 0 and any(each.before for each in first) and any(alike)
