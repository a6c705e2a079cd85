"""The questions that a diagnosis asks of a recording: one table, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence

from stepgrad.diagnosis.verdict import Question

QUESTIONS: Sequence[Question] = ()
