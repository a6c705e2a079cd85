"""Steps that take the loss up, where that is not on purpose: `uphill`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import hypot, sqrt
from operator import mul

from stepgrad.diagnosis import bookkeeping
from stepgrad.diagnosis.bookkeeping.left_out import staying
from stepgrad.diagnosis.steps.downhill import downhill
from stepgrad.diagnosis.steps.penalties import sense
from stepgrad.diagnosis.survey import Step, Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.recording.foreign.remark import FIXED, MAXIMISED
from stepgrad.replay.telling.titles import gradient_title, title

_GAINS = re.compile("reward|return|gain|likelihood|objective|score|utility|profit|elbo", re.I)

_SAME = 1e-4
"""How far gradients may be from a multiple of others, for their size: some are in float32."""

_RUNNING = 3  # steps, one after the other


def uphill(survey: Survey) -> Iterator[Verdict]:
    """Parameters move with their gradient; or against it, and the loss has the wrong sign."""
    yield from _with_gradients(survey)
    yield from _reversed_sign(survey)


def _with_gradients(survey: Survey) -> Iterator[Verdict]:
    """Parameters move with their gradient, step after step."""
    recording = survey.recording
    rising = _rising(survey)
    if len(rising) < _RUNNING or _to_maximise(survey) or _seeks_an_input(survey):
        return
    step = rising[0]
    _, node = max(zip(_rises(survey, step), step.before, strict=True))
    position, name = survey.updated_in(step, node), title(recording, node)
    moves = f"event {position:,} moves {name} by {number(step.after[node] - step.before[node])}"
    gradient = number(step.gradients[node] or 0.0)
    if turned := _turned(survey, step):
        block, offset = next(recording.history.gradient_writes(node, position))
        events = [block.start + offset + 1]
        text = (
            f"gradients are turned round before they are used: event {events[0]:,} sets "
            f"{gradient_title(recording, node)} to {gradient}, where the backward pass brought "
            f"{number(turned[node])}, and {moves}"
        )
        advice = "Leave the signs of gradients as they are"
    else:
        events = [position, *(each.position for each in rising[1:_RUNNING])]
        text = (
            f"parameters move with their gradient, not against it: {moves} where its gradient is "
            f"{gradient}"
        )
        advice = (
            "Subtract the gradient, `p.data -= learning_rate * p.grad`, with a learning rate above "
            "0"
        )
    yield Verdict(
        "uphill",
        f"{text}; Σ Δp·∂L/∂p is above 0 in all {counted(len(rising), 'step')}{_course(survey)}",
        f"{advice}; to maximise a result, minimise its negative.",
        events[:_RUNNING],
        [*step.before],
        unless=bookkeeping.NAMES,
    )


def _turned(survey: Survey, step: Step) -> Mapping[int, float]:
    """Return the gradients that passes have brought, if the step uses a multiple below 0 of all.

    Other changes may well be meant, such as that of the gradients of one network out of two.
    """
    brought = dict[int, float]()
    for number_ in step.passes:
        brought |= survey.passes[number_].gradients
    there = {node: grad for node in step.before if (grad := brought.get(node))}
    used = [step.gradients[node] or 0.0 for node in there]
    size = sum(map(mul, used, used))
    along = sum(map(mul, used, there.values()))
    if along >= 0:
        return {}
    off = (u - grad * size / along for u, grad in zip(used, there.values(), strict=True))
    return there if hypot(*off) <= _SAME * sqrt(size) else {}


def _rising(survey: Survey) -> Sequence[Step]:
    """Return the steps that go uphill, if all do that go anywhere.

    Where some parameters always go downhill, others may have to go uphill, as in a game of two.
    """
    found, up, down = list[Step](), set[int](), set[int]()
    for step in survey.steps:
        rises = _rises(survey, step)
        rise = sum(rises)
        if rise < 0:
            return ()
        if rise:
            found.append(step)
        up |= {node for node, rise in zip(step.before, rises, strict=True) if rise > 0}
        down |= {node for node, rise in zip(step.before, rises, strict=True) if rise < 0}
    return () if down - up else found


def _rises(survey: Survey, step: Step) -> Sequence[float]:
    """Δp·∂L/∂p of each parameter that a step writes."""
    gradients = {**step.gradients, **_turned(survey, step)}
    return [
        (step.after[node] - before) * (gradients[node] or 0.0)
        for node, before in step.before.items()
    ]


def _reversed_sign(survey: Survey) -> Iterator[Verdict]:
    """Steps go down a root that is minus a sum of penalties: up each of them."""
    steps = downhill(survey)
    down = sum(each.slope < 0 for each in steps)
    if down < _RUNNING or 2 * down <= len(steps):
        return
    if _seeks_an_input(survey) or _declared(survey):
        return
    if any(sense(survey, each[0].root) != -1 for each in survey.shapes):
        return
    recording, root = survey.recording, survey.passes[0].root
    place = recording.node(root).place
    yield Verdict(
        "uphill",
        f"steps take the loss up: {title(recording, root)} is minus what is 0 at best, such as "
        f"squared differences from data or −log of probabilities, and {down} of "
        f"{counted(len(steps), 'step')} take it further down{_course(survey)}",
        "Minimise the loss itself, without the minus sign; if it is to grow, let the optimizer "
        "maximise it.",
        [recording.history.made_at(root), *(each.step.position for each in steps[:_RUNNING])],
        [root],
        unless=bookkeeping.NAMES,
        places=[place] if place.line else (),
    )


def _to_maximise(survey: Survey) -> bool:
    """Whether a root may be something to maximise.

    By its name, as it is below 0, or as the optimizer is told so.
    """
    roots = {title(survey.recording, each.root) for each in survey.passes[:_RUNNING]}
    below = min(survey.losses, default=0.0) < 0
    return below or any(map(_GAINS.search, roots)) or _declared(survey)


def _seeks_an_input(survey: Survey) -> bool:
    """Whether a model may stay as it is, and what it is given is sought, as for an attack.

    Parameters receive gradients and nothing updates them, or they ask for none.
    """
    moved = {node for step in survey.steps for node in step.before}
    firsts = (each for each, *_ in survey.shapes)
    reached = {node for each in firsts for node, grad in each.gradients.items() if grad}
    stay = (reached & {*survey.parameters}) - moved
    if stay or staying(survey):
        return True
    return any(each.kind == FIXED for each in survey.recording.remarks)


def _course(survey: Survey) -> str:
    """Return how the loss goes, to end a sentence."""
    losses = survey.losses
    if len(losses) < 2:
        return ""
    return f", and the loss goes from {number(losses[0])} to {number(losses[-1])}"


def _declared(survey: Survey) -> bool:
    return any(each.kind == MAXIMISED for each in survey.recording.remarks)
