"""The part of a quiz that is in words: it shows an answer, and a person rates their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stepgrad.cli.output import echo, echo_wrapped
from stepgrad.replay.quiz.prose import Prose

HOW = "In words: think of an answer, and press Enter to see one; q quits."
RATING = "Did you have it? y or n"


def ask_in_words(asked: Sequence[Prose], typed: Iterator[str]) -> None:
    """Ask until the questions or the lines run out; count those known, and say what to review."""
    if not asked:
        return
    echo()
    echo(HOW)
    rated: list[tuple[Prose, bool]] = []
    for place, question in enumerate(asked, 1):
        echo()
        echo_wrapped(f"{place}/{len(asked)}  {question.prompt}")
        known = _rated(question, typed)
        if known is None:
            break
        rated.append((question, known))
    echo()
    left = len(asked) - len(rated)
    count = sum(known for _, known in rated)
    echo(f"{count} of {len(asked)} known{f', {left} not answered' if left else ''}")
    for question, known in rated:
        if not known:
            echo(f"review: stepgrad run {question.lesson}")


def _rated(question: Prose, typed: Iterator[str]) -> bool | None:
    """Show the answer once a person asks for it; return whether they had it, None if they quit."""
    if _next(typed) in (None, "q"):
        return None
    echo_wrapped(f"    {question.answer}")
    echo(RATING)
    while (said := _next(typed)) not in (None, "q"):
        if said in ("y", "yes", "n", "no"):
            return said.startswith("y")
        echo(RATING)
    return None


def _next(typed: Iterator[str]) -> str | None:
    line = next(typed, None)
    return None if line is None else line.strip().casefold()
