"""Predict before you look: questions, which answers are right, and what to review."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from math import isfinite
from typing import Literal, NamedTuple

from stepgrad.errors import StepgradError
from stepgrad.numbers import number, shortened, typed

Kind = Literal["value", "tangent", "local derivative", "contribution", "total", "update", "rule"]

ROUGHEST, FINEST = Decimal("0.05"), Decimal("1e-5")
"""Relative tolerances: the largest for an answer with few digits, and the smallest for any.

5 does not pass for 4.6. A question shows six digits, and people round in between.
"""

_WIDE = Context(Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
"""Arithmetic for whatever may be typed."""

UNKNOWN = "?"
"""What to type to see the answer."""


class AnswerError(StepgradError):
    """What was typed is not a number; the message says what would be."""


class Question(NamedTuple):
    """A number to predict.

    `about` is what it tests (`tanh`, `mul`), to tell a learner what to review. `position` is just
    before the event; None for a rule, which belongs to no recording. The numbers in the prompt are
    rounded, and `slack` is the error that this may cause.
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
            AnswerError: it is not a number.
        """
        off, digit = self._off(text)
        return off <= max(min(digit, ROUGHEST), FINEST)

    def too_rough(self, text: str) -> bool:
        """Whether an answer is right in its digits, but has too few of them.

        Raises:
            AnswerError: it is not a number.
        """
        off, digit = self._off(text)
        return ROUGHEST < off < digit

    def _off(self, text: str) -> tuple[Decimal, Decimal]:
        """The relative error of an answer, and half of its last digit, also relative."""
        given, unit = _read(text)
        if not given.is_finite() or not isfinite(self.answer):
            return Decimal(0 if str(float(given)) == str(self.answer) else "inf"), Decimal(0)
        answer = Decimal(self.answer)
        with localcontext(_WIDE):
            off = max(abs(given - answer) - Decimal(self.slack), Decimal(0))
            size = abs(answer)
            return (off / size, unit / 2 / size) if size else (Decimal("inf") if off else off, unit)


class Reply(NamedTuple):
    """Whether an answer is right, and what to say: `right: −8`, `not 6: it is −8`."""

    right: bool
    text: str


def reply(question: Question, text: str) -> Reply:
    """Check an answer; `UNKNOWN` is not right, and shows the number.

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
    return Reply(False, f"not {given}: it is {right}")


def _read(text: str) -> tuple[Decimal, Decimal]:
    """Return a number that was typed, and the unit of its last digit."""
    try:
        return typed(text)
    except ValueError as error:
        raise AnswerError(str(error)) from None


class Score(NamedTuple):
    """The questions asked, and whether each was answered correctly. An answer makes a new score."""

    asked: tuple[tuple[Question, bool], ...] = ()

    def __str__(self) -> str:
        return f"score {self.right}/{len(self.asked)}"

    def plus(self, question: Question, answered: Reply) -> Score:
        """Count an answer."""
        return Score((*self.asked, (question, answered.right)))

    @property
    def right(self) -> int:
        """The number of right answers."""
        return sum(right for _, right in self.asked)

    def again(self) -> list[Sequence[Question]]:
        """The questions that were missed, grouped by what to review, the largest group first."""
        missed: dict[tuple[str, str], list[Question]] = {}
        for question, right in self.asked:
            if not right:
                missed.setdefault((question.about, question.kind), []).append(question)
        return sorted(missed.values(), key=len, reverse=True)
