"""Where the answers to a quiz come from: a person who types, or a list."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from io import TextIOWrapper

from stepgrad.cli.output import echo


class Typed(Iterator[str]):
    """What a person types, up to the end, or to Ctrl+C.

    Where it is `quiet`, stdout is for a document, and the prompt goes to stderr.
    """

    def __init__(self) -> None:
        self.interrupted = self.quiet = False
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")

    def __next__(self) -> str:
        if sys.stdin is None:
            raise StopIteration
        line = ""
        try:
            echo("> ", end="", err=self.quiet)  # not by `input`, which needs all three streams
            line = sys.stdin.readline()
        except KeyboardInterrupt:
            self.interrupted = True
        if not line:
            echo(err=self.quiet)
            raise StopIteration
        return line


def scripted(answers: Sequence[str]) -> Iterator[str]:
    """Yield answers as if they were typed."""
    for answer in answers:
        echo(f"> {answer}")
        yield answer
