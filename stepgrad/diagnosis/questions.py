"""The questions that a diagnosis asks of a recording: one table, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence

from stepgrad.diagnosis.dead import dead
from stepgrad.diagnosis.reach import unreached, wrong_parameters
from stepgrad.diagnosis.saddle import saddle
from stepgrad.diagnosis.verdict import Question

QUESTIONS: Sequence[Question] = (
    Question(
        "unreached",
        "is there a parameter that the loss does not depend on?",
        "A parameter is used, but no path leads from it to the root of any pass.",
        unreached,
    ),
    Question(
        "dead",
        "is there a parameter that shut gates keep from learning?",
        "Its gradient is exactly 0 in every pass from one to the end, in at least 10 passes and "
        "for all rows of the data; a cut set of gates that are shut, saturated or 0 separates it "
        "from the root, and something arrives at them. The zero is not in the data, and the loss "
        "has not been learned.",
        dead,
    ),
    Question(
        "saddle",
        "are there parameters that hold each other at 0?",
        "Parameters are exactly 0 and receive exactly 0 in every pass, at least 3, because each "
        "path is shut by a factor that is 0 as long as others of them are.",
        saddle,
    ),
    Question(
        "wrong_parameters",
        "are other nodes updated than those that receive gradients?",
        "From one pass to the end, no pass reaches any of the nodes that are updated, nor does "
        "anything use them, while other leaves receive a gradient in each pass.",
        wrong_parameters,
    ),
)
