"""Parameters that are made again for each step, so that nothing is learned, as a note.

A program may well try several ways to take a first step, and look at the numbers: no recording
tells that from a model that is made in the loop by mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from stepgrad.diagnosis.survey import Step, Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.printable import counted
from stepgrad.recording.blocks import Forward
from stepgrad.recording.numbered import unnumbered
from stepgrad.replay.telling.titles import title

_FEWEST = 5  # steps
_LOOKED_AT = 4  # steps, whether something uses what they have updated


def remade(survey: Survey) -> Iterator[Verdict]:
    """Note parameters of the same names that are each updated in one step, and used no more."""
    steps, recording = survey.steps, survey.recording
    if len(steps) < _FEWEST or not all(_follows(survey, *pair) for pair in pairwise(steps)):
        return
    names = [{unnumbered(title(recording, node)) for node in step.before} for step in steps]
    if any(each != names[0] for each in names):
        return
    if not any(_goes_on(survey, step) for step in steps[:_LOOKED_AT]):
        last = steps[-1]
        nodes = sorted(last.before)
        single = len(nodes) == 1
        yield Verdict(
            "wrong_parameters",
            f"{listed(recording, nodes)} {'is' if single else 'are'} made again before each of "
            f"{counted(len(steps), 'update')}, and nothing uses what an update has changed: make "
            f"{'it' if single else 'them'} once, before the loop",
            "",
            [recording.history.made_at(nodes[0]), last.position],
            nodes,
            note=True,
            unless={"wrong_parameters", "lost_update"},
        )


def _follows(survey: Survey, before: Step, step: Step) -> bool:
    """Whether a step updates only what is made since the one before, and its pass reaches that."""
    made = survey.recording.history.made_at(min(step.before)) if step.before else 0
    return made > before.position and any(
        step.before.keys() <= survey.passes[number].gradients.keys() for number in step.passes
    )


def _goes_on(survey: Survey, step: Step) -> bool:
    """Whether something is computed from parameters after the step that has updated them."""
    later = survey.recording.blocks_between(step.position, survey.end)
    return any(
        each.users(node) for each in later if isinstance(each, Forward) for node in step.before
    )
