"""The questions that a diagnosis asks of a recording: one table, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence

from stepgrad.diagnosis import cancelling, depth, kinks
from stepgrad.diagnosis.verdict import Question

QUESTIONS: Sequence[Question] = (
    Question(
        "vanishing",
        "does the gradient vanish along the way?",
        "log |gradient| falls with the number of factors from the root, by at least 4 decades and "
        "in a straight line (R² ≥ 0.9), in the first pass, and at least half as steeply in the "
        "last; and parameters that are only used that deep receive at most a ten thousandth of "
        "what others receive",
        depth.vanishing,
    ),
    Question(
        "exploding",
        "does the gradient explode along the way?",
        "log |gradient| grows with the number of factors from the root, by at least 2 decades and "
        "in a straight line (R² ≥ 0.9), in the first pass; and a parameter receives at least a "
        "hundred times what the node receives where the line begins, and at least 100",
        depth.exploding,
    ),
    Question(
        "cancels",
        "do contributions cancel?",
        "what a parameter receives is at most 2⁻²⁶ of the size of its contributions, in every pass "
        "of a shape; a note if that is exactly 0, or rounding noise beside what others receive",
        cancelling.cancels,
    ),
    Question(
        "knife_edge",
        "does rounding decide a gate?",
        "before the first update, the argument of a gate that a gradient arrives at is nearer to "
        "the kink than it may have been rounded: an ulp for each inexact operation that it was "
        "made of, times its derivative with respect to that",
        kinks.knife_edge,
    ),
)
