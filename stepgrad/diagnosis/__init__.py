"""What is wrong in a recording, and why: verdicts, each with its evidence.

A diagnosis asks a table of questions (`questions.py`), each a function from a survey of the
recording (`survey.py`) to verdicts (`verdict.py`). They are divided by what they look at:

- `numbers/`: are they finite, and do they vanish, explode, cancel, or depend on rounding?
- `reach/`: do gradients reach the parameters, or is there no path, or is it shut?
- `bookkeeping/`: are gradients cleared, added up and used once, and in time?
- `rules/`: are the rules right of an engine that the program brings itself?
- `steps/`: do steps go downhill, far enough and not too far, and do they tell units apart?

Two rooms answer questions about what a person points at: `reasons/` says why a number is what it
is, and `parting/` where two recordings differ first, and why. Everything here reads recordings;
nothing knows a screen.
"""

from __future__ import annotations

from collections.abc import Sequence

from stepgrad.diagnosis.questions import QUESTIONS
from stepgrad.diagnosis.survey import survey
from stepgrad.diagnosis.verdict import Question, Verdict
from stepgrad.printable import counted
from stepgrad.progress import advance
from stepgrad.recording.recording import Recording

__all__ = ["QUESTIONS", "Question", "Verdict", "asked", "diagnose", "names"]


def names() -> Sequence[str]:
    """Return the names of all verdicts, the gravest first."""
    return [question.name for question in QUESTIONS]


def asked(recording: Recording, declared: frozenset[int] = frozenset()) -> str:
    """Say what there was to look at, and how many questions apply to it.

    Such as `in 3 backward passes and 0 steps: 14 of 25 questions apply`.
    """
    brief = survey(recording, declared)
    passes = counted(len(brief.passes), "backward pass")
    steps = counted(len(brief.steps), "step")
    apply, every = sum(each.applies(brief) for each in QUESTIONS), len(QUESTIONS)
    told = f"{counted(every, 'question')} asked"
    if apply < every:
        told = f"{apply} of {counted(every, 'question')} apply"
    return f"in {passes} and {steps}: {told}"


def diagnose(recording: Recording, declared: frozenset[int] = frozenset()) -> Sequence[Verdict]:
    """Ask all questions of a recording; return the verdicts, the gravest first, then the notes.

    `declared` are leaves that its scenario names as parameters. Beside a wrong derivative there are
    no other verdicts: they would speak of wrong gradients. Progress is reported after each
    question.
    """
    brief = survey(recording, declared)
    found: list[Verdict] = []
    for asked, question in enumerate(QUESTIONS, 1):
        found += question.find(brief)
        advance(asked, len(QUESTIONS))
    given = {verdict.name for verdict in found if not verdict.note}
    causes = [*filter(None, (verdict.beside(given) for verdict in found))]
    if any(verdict.wrong for verdict in causes):
        causes = [verdict for verdict in causes if verdict.wrong or verdict.note]
    return sorted(causes, key=lambda verdict: verdict.note)
