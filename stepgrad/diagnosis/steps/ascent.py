"""Steps that take the loss up, where that is not on purpose: `uphill`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from operator import sub

from stepgrad.diagnosis import bookkeeping
from stepgrad.diagnosis.steps.downhill import downhill
from stepgrad.diagnosis.steps.penalties import sense
from stepgrad.diagnosis.survey import Step, Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.recording.foreign.remark import FIXED, MAXIMISED
from stepgrad.replay.telling.titles import title

_GAINS = re.compile("reward|return|gain|likelihood|objective|score|utility|profit|elbo", re.I)

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
    _, node = max(zip(_rises(step), step.before, strict=True))
    position = survey.updated_in(step, node)
    yield Verdict(
        "uphill",
        f"parameters move with their gradient, not against it: event {position:,} moves "
        f"{title(recording, node)} by {number(step.after[node] - step.before[node])} where its "
        f"gradient is {number(step.gradients[node] or 0.0)}; Σ Δp·∂L/∂p is above 0 in all "
        f"{counted(len(rising), 'step')}{_course(survey)}",
        "Subtract the gradient, `p.data -= learning_rate * p.grad`, with a learning rate above 0; "
        "to maximise a result, minimise its negative.",
        [position, *(each.position for each in rising[1:_RUNNING])],
        [*step.before],
        unless=bookkeeping.NAMES,
    )


def _rising(survey: Survey) -> Sequence[Step]:
    """Return the steps that go uphill, if all do that go anywhere.

    Where some parameters always go downhill, others may have to go uphill, as in a game of two.
    """
    found, up, down = list[Step](), set[int](), set[int]()
    for step in survey.steps:
        rises = _rises(step)
        rise = sum(rises)
        if rise < 0:
            return ()
        if rise:
            found.append(step)
        up |= {node for node, rise in zip(step.before, rises, strict=True) if rise > 0}
        down |= {node for node, rise in zip(step.before, rises, strict=True) if rise < 0}
    return () if down - up else found


def _rises(step: Step) -> Sequence[float]:
    """Δp·∂L/∂p of each parameter that a step writes."""
    moved = map(sub, step.after.values(), step.before.values())
    return [
        m * grad if grad else 0.0 for m, grad in zip(moved, step.gradients.values(), strict=True)
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
    return bool(stay) or any(each.kind == FIXED for each in survey.recording.remarks)


def _course(survey: Survey) -> str:
    """Return how the loss goes, to end a sentence."""
    losses = survey.losses
    if len(losses) < 2:
        return ""
    return f", and the loss goes from {number(losses[0])} to {number(losses[-1])}"


def _declared(survey: Survey) -> bool:
    return any(each.kind == MAXIMISED for each in survey.recording.remarks)
