"""The judgement on a program's own engine, as verdicts."""

from __future__ import annotations

from collections.abc import Iterator

from stepgrad.diagnosis.rules.faults import ADVICE
from stepgrad.diagnosis.rules.judgement import judgement
from stepgrad.diagnosis.survey import Survey
from stepgrad.diagnosis.verdict import Verdict

NAME = "engine"


def engine(survey: Survey) -> Iterator[Verdict]:
    """The rules of the program's own engine are wrong; or they are right, which is a note."""
    found = judgement(survey.recording)
    if found is None:
        return
    for each in found.faults:
        follow = "; later ones may follow from it" * (found.more and each is found.faults[-1])
        yield Verdict(
            NAME,
            f"{each.text}{follow}",
            ADVICE[each.kind],
            (each.position,),
            each.nodes,
            places=() if each.place is None else (each.place,),
            wrong=True,
        )
    end = survey.recording.length
    if found.passes and not found.faults:
        yield Verdict(NAME, found.agrees, "", (end,), note=True)
    for text in found.hidden:
        yield Verdict(NAME, text, "", (end,), note=True)
