"""The judgement on a program's own engine, as verdicts."""

from __future__ import annotations

from collections.abc import Iterator

from stepgrad.diagnosis.bookkeeping.growing import grown
from stepgrad.diagnosis.rules.faults import ADVICE, Fault
from stepgrad.diagnosis.rules.judgement import judgement
from stepgrad.diagnosis.rules.ruleless import ruleless
from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.recording.blocks import Backward, Write

NAME = "engine"


def engine(survey: Survey) -> Iterator[Verdict]:
    """The rules of the program's own engine are wrong; or they are right, which is a note.

    And results of an operation of its own have no rule.
    """
    for each in ruleless(survey.recording):
        yield _verdict(each, each.text)
    found = judgement(survey.recording)
    if found is None:
        yield from _elsewhere(survey)
        return
    faults = [each for each in found.faults if each.kind != "not cleared" or not grown(survey)]
    for each in faults:
        follow = "; later ones may follow from it" * (found.more and each is found.faults[-1])
        yield _verdict(each, f"{each.text}{follow}", wrong=True)
    end = survey.recording.length
    if found.writes and found.whole and not found.faults:
        yield Verdict(NAME, found.agrees, "", (end,), note=True)
    for text in found.hidden:
        yield Verdict(NAME, text, "", (end,), note=True)


def _elsewhere(survey: Survey) -> Iterator[Verdict]:
    """Note that values are updated and no gradient is seen: perhaps they are in a dict."""
    blocks = survey.recording.blocks
    writes = [block for block in blocks if isinstance(block, Write)]
    kinds = {kind for block in writes for kind in block.writes.kinds}
    if kinds == {"update"} and not any(isinstance(block, Backward) for block in blocks):
        text = (
            "values are updated, and no gradient is seen: those that are kept in a dict or a list, "
            "not in their objects, are not observable"
        )
        yield Verdict(NAME, text, "", (writes[0].start + 1,), note=True)


def _verdict(fault: Fault, text: str, *, wrong: bool = False) -> Verdict:
    places = () if fault.place is None else (fault.place,)
    advice, events = ADVICE[fault.kind], (fault.position,)
    return Verdict(NAME, text, advice, events, fault.nodes, places=places, wrong=wrong)
