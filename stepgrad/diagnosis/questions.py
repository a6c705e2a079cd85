"""The questions that a diagnosis asks of a recording: one table, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence

from stepgrad.diagnosis import bookkeeping, clipping, descent, replaced, staleness, symmetry
from stepgrad.diagnosis.verdict import Question

QUESTIONS: Sequence[Question] = (
    Question(
        "not_cleared",
        "are gradients cleared between updates?",
        "a pass adds to a gradient that an update has used, and an update uses the sum",
        bookkeeping.not_cleared,
    ),
    Question(
        "doubled",
        "does a result count twice?",
        "a second pass of the same root adds to what the first has brought before any use; and an "
        "update uses the sum, or there are no updates",
        bookkeeping.doubled,
    ),
    Question(
        "overwritten",
        "are contributions added up?",
        "a line sets a gradient by hand, and its text reads nothing of the old one, where another "
        "such write stands that nothing has used, and the node has several users; across forward "
        "passes only if an update uses what is left",
        replaced.overwritten,
    ),
    Question(
        "wiped",
        "are gradients still there when they are used?",
        "an update finds 0 where a gradient had been cleared that no update had used, in more than "
        "half of the updates of a parameter",
        bookkeeping.wiped,
    ),
    Question(
        "stale",
        "are gradients those of the numbers at hand?",
        "a value changes after a node was computed from it and before a backward pass through that "
        "node: once, if a local derivative changes with it; else in more than half of the passes",
        staleness.stale,
    ),
    Question(
        "updated_twice",
        "is every parameter updated once in a step?",
        "a parameter is updated twice by an optimizer, or twice along its gradient by hand, with "
        "no pass in between, in more than half of its steps",
        bookkeeping.updated_twice,
    ),
    Question(
        "uphill",
        "do steps go downhill?",
        "Σ Δp·∂L/∂p > 0 in every step in which it is not 0, and in at least 3; no parameter goes "
        "downhill in every step, and the root is not below 0 nor named as something to maximise",
        descent.uphill,
    ),
    Question(
        "step_too_long",
        "do steps land before they rise?",
        "learning rate · curvature along the step is at least 1.9 in 3 steps in a row (by the "
        "gradient of the next pass, 1 − Δ·g′/Δ·g, if it has the same data, else by the loss of the "
        "same pass after the step); the loss is never again lower than before them, though the "
        "lowest point along one of them is lower by a tenth of the first loss; and gradients are "
        "not clipped",
        descent.step_too_long,
    ),
    Question(
        "step_too_short",
        "do steps get anywhere?",
        "no step, of at least 10, moves the parameters by more than 1e-5 of their size, or uphill; "
        "on the same data, the loss changes by at most 1e-3 of itself; and the slope is such that "
        "moving by that size would change it by a tenth",
        descent.step_too_short,
    ),
    Question(
        "copies",
        "do units differ?",
        "at least half of the parameters, of at least 4, have the same bits as another one in "
        "value and gradient, which is not 0, in every step, of at least 3; they are combined with "
        "the same numbers, and some of them with units that are computed from copies",
        symmetry.copies,
    ),
    Question(
        "clipped",
        "are gradients mostly clipped?",
        "more than half of the steps are clipped to a norm, the median factor is below 0.1, and "
        "there are several gradients that are not 0",
        clipping.clipped,
    ),
)
