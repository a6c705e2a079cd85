"""Exercises as they are worked on: a task, what a learner has typed, and what that is worth.

A `Sitting` is a fold over typed lines, so whoever has the lines can mark them again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from stepgrad.replay.quiz.answers import UNKNOWN, Reply

ATTEMPTS = 3
"""How many answers a task takes before it shows the right one."""

HINT = "hint"
"""What to type for a hint."""

OFFERED = f"{HINT} gives a hint, for a quarter of the mark"
"""What the question of a task with hints says."""

_COST, _LEAST = 0.25, 0.25


class Task(NamedTuple):
    """An exercise with its numbers filled in.

    `given` are the numbers and formulas to work with. `judge` says whether an answer is right, and
    what is wrong with it, but not what is right; it raises `AnswerError` for what is no answer.
    `answer` is what to show in the end, and `form` says what to type, where that is not a number.
    """

    prompt: str
    given: str
    hints: Sequence[str]
    judge: Callable[[str], Reply]
    answer: str
    form: str = ""


class Work(NamedTuple):
    """What a learner has done of a task: the `lines` that counted, and what they came to."""

    lines: tuple[str, ...] = ()
    hints: int = 0
    wrong: int = 0
    right: bool = False
    shown: bool = False

    @property
    def over(self) -> bool:
        """Whether the task takes no more answers."""
        return self.right or self.shown

    @property
    def mark(self) -> float:
        """From 0 to 1: each hint and each wrong answer before the right one costs a quarter.

        The right answer is worth at least a quarter.
        """
        return max(_LEAST, 1 - _COST * (self.hints + self.wrong)) if self.right else 0.0


class Sitting(NamedTuple):
    """Tasks, and the work on those that have been started, of which the last may be open."""

    tasks: Sequence[Task]
    works: tuple[Work, ...] = ()

    @property
    def place(self) -> int:
        """The index of the task to work on; the number of tasks once all are over."""
        started = len(self.works)
        return started - 1 if self.works and not self.works[-1].over else started

    @property
    def over(self) -> bool:
        """Whether all tasks are."""
        return self.place == len(self.tasks)

    @property
    def task(self) -> Task:
        """The task to work on."""
        return self.tasks[self.place]

    @property
    def mark(self) -> float:
        """The sum of the marks; each task is worth 1."""
        return sum(work.mark for work in self.works)

    def after(self, line: str) -> tuple[Sitting, str]:
        """Take a typed line: an answer, `hint` or `?`; return what to say to it.

        Raises:
            AnswerError: it is none of these; it does not count.
        """
        task, place, typed = self.task, self.place, line.strip()
        work = self.works[place] if place < len(self.works) else Work()
        lines = (*work.lines, typed)
        if typed.casefold() == HINT:
            if work.hints == len(task.hints):
                return self, "there are no more hints" if task.hints else "there are no hints"
            said = f"hint: {task.hints[work.hints]}"
            return self._with(place, work._replace(lines=lines, hints=work.hints + 1)), said
        if typed == UNKNOWN:
            return self._with(place, work._replace(lines=lines, shown=True)), task.answer
        right, said = task.judge(typed)
        if right:
            return self._with(place, work._replace(lines=lines, right=True)), said
        wrong = work.wrong + 1
        shown = wrong == ATTEMPTS
        said = f"{said}; {task.answer}" if shown else said
        return self._with(place, work._replace(lines=lines, wrong=wrong, shown=shown)), said

    def _with(self, place: int, work: Work) -> Sitting:
        return self._replace(works=(*self.works[:place], work))
