"""The pages of `stepgrad help TOPIC`: Markdown, in which what can be derived is derived.

A line such as `<!-- keys -->` stands for a table or a list that is made of the tables of the
program (`DERIVED`). The first line of a page is its title.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from stepgrad import diagnosis, scenario
from stepgrad.replay.commands.table import COMMANDS

TOPICS = (
    "tour", "keys", "scenario", "programs", "engine", "pytorch", "checking", "verdicts",
    "courses", "teaching", "pytest", "files", "api",
)  # fmt: skip
"""The names of the pages, in the order in which to read them."""

_FOLDER = Path(__file__).parent
_ELSEWHERE = {"scenario": Path(scenario.__file__).parent / "format.md"}
_MARK = re.compile(r"^<!-- (\w+) -->$", re.MULTILINE)


def keys() -> str:
    """Return the table of keys."""
    rows = (
        f"| {' '.join(f'`{key}`' for key in command.keys)} | {command.help} |"
        for command in COMMANDS
    )
    return "\n".join(["| key | what it does |", "|---|---|", *rows])


def verdicts() -> str:
    """Return, for each verdict, what it asks, and when exactly it is given."""
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
