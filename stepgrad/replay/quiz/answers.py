"""Predict before you look: what is asked, which answers are right, and what to look at again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from math import isfinite
from typing import Literal

from stepgrad.errors import StepgradError
from stepgrad.numbers import number, shortened, typed

Kind = Literal["value", "tangent", "local derivative", "contribution", "total", "update", "rule"]

ROUGHEST, FINEST = Decimal("0.05"), Decimal("1e-5")
"""Parts of a number: how far an answer of few digits may be off (5 is no 4.6), and how far any.

What a question shows has six digits, and who works with them may round in between.
"""

_WIDE = Context(Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
"""Arithmetic for whatever may be typed."""

UNKNOWN = "?"
"""What to type to be told."""


class AnswerError(StepgradError):
    """What was typed is no number; says what would be one."""


@dataclass(frozen=True, slots=True)
class Question:
    """A number to predict.

    `about` is what one has to know for it (`tanh`, `mul`), to tell a learner what to look at
    again. `position` is that before the event; None for a rule, which is of no recording. The
    numbers in the prompt are rounded, and `slack` is how far that leads astray.
    """

    kind: Kind
    about: str
    prompt: str
    answer: float
    explanation: str
    position: int | None = None
    slack: float = 0.0

    def holds(self, text: str) -> bool:
        """Whether an answer is right, to the digits that it gives.

        Raises:
            AnswerError: it is no number.
        """
        off, digit = self._off(text)
        return off <= max(min(digit, ROUGHEST), FINEST)

    def too_rough(self, text: str) -> bool:
        """Whether an answer is right in its digits, but has too few of them.

        Raises:
            AnswerError: it is no number.
        """
        off, digit = self._off(text)
        return ROUGHEST < off <= digit

    def _off(self, text: str) -> tuple[Decimal, Decimal]:
        """How far an answer is off, and half of its last digit, as parts of the number."""
        given, unit = _read(text)
        if not given.is_finite() or not isfinite(self.answer):
            return Decimal(0 if str(float(given)) == str(self.answer) else "inf"), Decimal(0)
        answer = Decimal(self.answer)
        with localcontext(_WIDE):
            off = max(abs(given - answer) - Decimal(self.slack), Decimal(0))
            size = abs(answer)
            return (off / size, unit / 2 / size) if size else (Decimal("inf") if off else off, unit)


@dataclass(frozen=True, slots=True)
class Reply:
    """Whether an answer is right, and what to say to it: `right: −8`, `not 6 but −8`."""

    right: bool
    text: str


def reply(question: Question, text: str) -> Reply:
    """Check an answer; `UNKNOWN` is not right, and is told the number.

    Raises:
        AnswerError: it is neither that nor a number.
    """
    answer, right = text.strip(), number(question.answer)
    if answer == UNKNOWN:
        return Reply(False, f"it is {right}")
    if question.holds(answer):
        return Reply(True, f"right: {right}")
    given = shortened(answer).replace("-", "−")
    if question.too_rough(answer):
        return Reply(False, f"{given} has too few digits: it is {right}")
    return Reply(False, f"not {given} but {right}")


def _read(text: str) -> tuple[Decimal, Decimal]:
    """Return a number that was typed, and what its last digit stands for."""
    try:
        return typed(text)
    except ValueError as error:
        raise AnswerError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Score:
    """What was asked, and whether it was answered rightly. An answer makes a new one."""

    asked: tuple[tuple[Question, bool], ...] = ()

    def __str__(self) -> str:
        return f"{self.right} of {len(self.asked)}"

    def plus(self, question: Question, answered: Reply) -> Score:
        """Count an answer."""
        return Score((*self.asked, (question, answered.right)))

    @property
    def right(self) -> int:
        """How many answers were right."""
        return sum(right for _, right in self.asked)

    def again(self) -> list[Sequence[Question]]:
        """What to look at again: the questions that were missed, like with like, most first."""
        missed: dict[tuple[str, str], list[Question]] = {}
        for question, right in self.asked:
            if not right:
                missed.setdefault((question.about, question.kind), []).append(question)
        return sorted(missed.values(), key=len, reverse=True)
