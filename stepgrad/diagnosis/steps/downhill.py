"""Steps of gradient descent, each with its loss, and how far it goes (`Downhill`).

A step changes the parameters by Δ, along which the slope of the loss is Δ·g. Where the next pass
sees the same data, its gradient g′ gives the slope that is left, Δ·g′, and 1 − Δ·g′/Δ·g says how
far the step has gone, measured in how far it is to the lowest point along it (if the loss is a
parabola there). It is the learning rate times the curvature: above 2, each step ends higher than
it began. This holds for every optimizer, as only Δ is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import hypot, isfinite
from operator import mul, sub

from stepgrad.diagnosis.data import data_of
from stepgrad.diagnosis.survey import Pass, Step, Survey
from stepgrad.recording.blocks import Write
from stepgrad.recording.compiled import Function, function
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import Structure


@dataclass(frozen=True, eq=False)
class Downhill:
    """A step for which there is a loss: the sum of the losses of its passes."""

    step: Step
    passes: Sequence[Pass]
    loss: float

    @cached_property
    def nodes(self) -> Sequence[int]:
        """The parameters that it writes."""
        return [*self.step.before]

    @cached_property
    def moved(self) -> Sequence[float]:
        """By how much each of them changes."""
        return [*map(sub, self.step.after.values(), self.step.before.values())]

    @cached_property
    def gradients(self) -> Sequence[float]:
        """The gradient of each as the passes leave it, before it is clipped."""
        found = [*map(self.passes[-1].gradients.get, self.nodes)]
        for earlier in self.passes[-2::-1]:
            if None not in found:
                break
            had = map(earlier.gradients.get, self.nodes)
            found = [old if new is None else new for new, old in zip(found, had, strict=True)]
        return [grad or 0.0 for grad in found]

    @cached_property
    def slope(self) -> float:
        """By how much the loss changes along the step, to first order."""
        return float(sum(map(mul, self.moved, self.gradients)))

    @property
    def size(self) -> float:
        """The size of the parameters; at least 1, as they may start from 0."""
        return max(1.0, hypot(*self.step.before.values()))

    def reach(self, after: Downhill) -> float:
        """How far it goes, judged by the gradients after it; 1 is the lowest point along it.

        0 if it does not go downhill.
        """
        if not self.slope < 0:
            return 0.0
        gradients = after.gradients
        if after.nodes != self.nodes:
            there = dict(zip(after.nodes, gradients, strict=True))
            gradients = [there.get(node, 0.0) for node in self.nodes]
        return 1 - float(sum(map(mul, self.moved, gradients))) / self.slope


@kept(1)
def downhill(survey: Survey) -> Sequence[Downhill]:
    """Return the steps that follow a pass, each with its loss."""
    found = []
    for step in survey.steps:
        passes = survey.passes[step.passes.start : step.passes.stop]
        if passes:
            found.append(Downhill(step, passes, sum(each.loss for each in passes)))
    return found


def reached(survey: Survey, this: Downhill, after: Downhill) -> float:
    """How far a step goes on its own data (see `reach`).

    Where the next pass sees other data, the loss after the step says it: the pass is computed again
    with the parameters that the step has written; or, if that overflows, the next loss.
    """
    if same_data(survey, this, after):
        return this.reach(after)
    ends = _ends(survey, this) if this.slope < 0 else None
    if ends is not None and not isfinite(ends):  # such as a softmax, shifted as before the step
        ends = after.loss
    return 0.0 if ends is None else 2 - 2 * (ends - this.loss) / this.slope


def _ends(survey: Survey, this: Downhill) -> float | None:
    """The loss of a step's own pass after the step; None if that cannot be computed.

    That is so if it goes over several forward passes, or a function is not known.
    """
    which = this.passes[-1]
    if len(this.passes) > 1 or [*which.block.sweep.swept] != [0]:
        return None
    forward, root = which.block.forward, which.block.sweep.root
    if not forward.structure.known:
        return None
    value, after = survey.recording.history.value, this.step.after
    nodes = forward.nodes(forward.structure.inputs)
    numbers = [after[node] if node in after else value(node, which.block.start) for node in nodes]
    return _loss(forward.structure, root)(*numbers)[0]


@kept(4)
def _loss(structure: Structure, root: int) -> Function:
    """Compile the loss of a forward pass, as a function of its inputs."""
    return function(structure, structure.inputs, [root])


def same_data(survey: Survey, this: Downhill, after: Downhill) -> bool:
    """Whether two steps differ in nothing but their parameters."""
    return rows(survey, this) == rows(survey, after)


def rows(survey: Survey, this: Downhill) -> Sequence[object]:
    """The data of each pass of a step."""
    return [data_of(survey, each) for each in this.passes]


def rate_of(recording: Recording, each: Downhill) -> float:
    """The learning rate of a step: what its rule says, or what it comes to."""
    block = recording.blocks[recording.history.block_at(each.step.position - 1)]
    if isinstance(block, Write) and block.rule and "learning_rate" in block.rule.numbers:
        return block.rule.numbers["learning_rate"]
    squares = float(sum(map(mul, each.gradients, each.gradients)))
    return -each.slope / squares if squares else 0.0
