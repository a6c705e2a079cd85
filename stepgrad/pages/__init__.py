"""The pages of `stepgrad help TOPIC`: Markdown, in which what can be derived is derived.

A line such as `<!-- keys -->` stands for a table or a list that is made of the tables of the
program (`DERIVED`). The first line of a page is its title.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

TOPICS = (
    "tour", "keys", "scenario", "programs", "engine", "pytorch", "checking", "verdicts",
    "courses", "teaching", "pytest", "files", "api",
)  # fmt: skip
"""The names of the pages, in the order in which to read them."""

_FOLDER = Path(__file__).parent
_ELSEWHERE = {"scenario": _FOLDER.parent / "scenario" / "format.md"}
_MARK = re.compile(r"^<!-- (\w+) -->$", re.MULTILINE)


def keys() -> str:
    """Return the table of keys."""
    from stepgrad.replay.commands.table import COMMANDS  # noqa: PLC0415 - titles need no table

    rows = (
        f"| {' '.join(f'`{key}`' for key in command.keys)} | {command.help} |"
        for command in COMMANDS
    )
    return "\n".join(["| key | what it does |", "|---|---|", *rows])


def verdicts() -> str:
    """Return, for each verdict, what it asks, and when exactly it is given."""
    from stepgrad import diagnosis  # noqa: PLC0415 - titles need no table

    return "\n\n".join(
        f"### {each.name}: {each.asks}\n\n{each.definition}" for each in diagnosis.QUESTIONS
    )


DERIVED: dict[str, Callable[[], str]] = {"keys": keys, "verdicts": verdicts}
"""What is made of the tables of the program, by its mark."""


def path_of(topic: str) -> Path:
    """Return where a page is written."""
    return _ELSEWHERE.get(topic, _FOLDER / f"{topic}.md")


@cache
def source(topic: str) -> str:
    """Return the Markdown of a page as it is written, with its marks."""
    return path_of(topic).read_text(encoding="utf-8")


def page(topic: str) -> str:
    """Return the Markdown of a page."""
    return _MARK.sub(lambda mark: DERIVED[mark[1]](), source(topic))


def title(topic: str) -> str:
    """Return the title of a page."""
    return source(topic).partition("\n")[0].removeprefix("# ")
