"""Whether gradients are what updates take them for.

Where they are not, what a step does to the loss says nothing about the learning rate.
"""

from __future__ import annotations

from stepgrad.diagnosis.bookkeeping import doubled, not_cleared, updated_twice, wiped
from stepgrad.diagnosis.replaced import overwritten
from stepgrad.diagnosis.staleness import stale
from stepgrad.diagnosis.survey import Survey
from stepgrad.recording.kept import kept


@kept(1)
def in_order(survey: Survey) -> bool:
    """Whether no question of bookkeeping has a verdict."""
    questions = (not_cleared, doubled, overwritten, wiped, stale, updated_twice)
    return not any(True for question in questions for _ in question(survey))
