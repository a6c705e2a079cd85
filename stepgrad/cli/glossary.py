"""`stepgrad glossary`: the words of the field, each with a number that a lesson shows."""

from __future__ import annotations

from collections.abc import Iterator

import click

from stepgrad.cli.output import echo_lines, wrapped
from stepgrad.course.glossary import GLOSSARY, Entry, look_up, words
from stepgrad.errors import StepgradError, suggest


@click.command()
@click.argument("word", nargs=-1)
def glossary(word: tuple[str, ...]) -> None:
    """Explain a WORD: what it means, a number from a lesson, and the command that shows it.

    Without WORD, explain them all. In a lesson, a click on a word that is underlined explains it,
    and so does ? with the other words of the step.

    \b
      stepgrad glossary
      stepgrad glossary chain rule
    """
    echo_lines("\n\n".join("\n".join(_lines(entry)) for entry in _asked(" ".join(word))))


def _asked(word: str) -> tuple[Entry, ...]:
    """Return the entries that a person asks for: one, or all of them.

    Raises:
        StepgradError: the word is not in the glossary.
    """
    if not word:
        return GLOSSARY
    entry = look_up(word)
    if entry is None:
        near = suggest(word, words()) or "; `stepgrad glossary` explains all words"
        raise StepgradError(f"`{word[:80]}` is not in the glossary{near}")
    return (entry,)


def _lines(entry: Entry) -> Iterator[str]:
    """Yield the word, what it means, an example, and the command to type."""
    yield f"{entry.word}:"
    yield from wrapped(f"  {entry.meaning}")
    yield from wrapped(f"  {entry.example}")
    yield f"    {entry.command}"
