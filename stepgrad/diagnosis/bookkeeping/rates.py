"""Updates of one parameter: by which learning rate, and along its gradient or not."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice
from math import isclose

from stepgrad.diagnosis.survey import Step

_SAME = 1e-6
_ASKED = 64  # other parameters of a step
_FIRST = 8  # steps


def rate(step: Step, node: int) -> float | None:
    """Return r where a step takes p to p − r·dL/dp; None if it does not write p, or dL/dp is 0."""
    gradient = step.gradients.get(node)
    return (step.before[node] - step.after[node]) / gradient if gradient else None


def follows(steps: Sequence[Step], which: int, node: int) -> bool:
    """Whether a step by hand takes a parameter along its gradient, as far as numbers can show it.

    They do if the step has the same learning rate for another parameter, or the step before or
    after it has the same for this one. An average of earlier values, say, has not. They also do if
    it moves another one just as far, each against its gradient: Adam begins like this.
    """
    step, around = steps[which], [*steps[max(which - 1, 0) : which], *steps[which + 1 : which + 2]]
    own = rate(step, node)
    if not own:
        return False
    others = [each for each in islice(step.before, _ASKED) if each != node and rate(step, each)]
    rates = chain((rate(step, each) for each in others), (rate(each, node) for each in around))
    moved = step.after[node] - step.before[node]
    down = [step.after[n] - step.before[n] for n in others if (rate(step, n) or 0) > 0 and own > 0]
    return any(other and isclose(own, other, rel_tol=_SAME) for other in rates) or any(
        isclose(abs(moved), abs(other), rel_tol=_SAME) for other in down
    )


def learns(steps: Sequence[Step], node: int) -> bool:
    """Whether one of the first steps takes a parameter along its gradient, as `follows` has it.

    Later ones of momentum, or of Adam, do not show it.
    """
    own = (which for which, step in enumerate(steps) if node in step.before)
    return any(follows(steps, which, node) for which in islice(own, _FIRST))
