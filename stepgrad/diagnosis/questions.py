"""The questions that a diagnosis asks of a recording: one table, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence

from stepgrad.diagnosis.finite import non_finite
from stepgrad.diagnosis.verdict import Question

QUESTIONS: Sequence[Question] = (
    Question(
        "non_finite",
        "does any result become inf or nan?",
        "A result is not finite: a value that nothing uses, the root of a pass, the gradient of a "
        "leaf, or what is written. From the first of them, reasons lead to the event whose value, "
        "local derivative, contribution or sum is not finite although all it is made of is.",
        non_finite,
    ),
)
