"""The README and the pages of `stepgrad help`: their examples, in files and commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from stepgrad import pages

ROOT = Path(__file__).parents[1]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"# ([\w./]+\.(?:py|yaml))\n")


class Document(NamedTuple):
    """A text for people; what is derived in it comes from the program."""

    path: Path

    @property
    def text(self) -> str:
        """What it says now: another test may just have renewed its part."""
        return self.path.read_text(encoding="utf-8")

    def blocks(self, language: str) -> list[str]:
        """The code blocks of a language; of none for the plain ones."""
        return [body for name, body in _FENCE.findall(self.text) if name == language]

    def files(self) -> dict[str, str]:
        """The blocks that are files: each begins with a comment that is its name."""
        bodies = [body for _, body in _FENCE.findall(self.text)]
        return {found[1]: body for body in bodies if (found := _FILE.match(body))}

    def examples(self, language: str) -> list[str]:
        """The blocks of a language, without those that are files of a course."""
        return [body for body in self.blocks(language) if "/course.yaml\n" not in body[:40]]

    def commands(self) -> Iterator[str]:
        """The commands in it, in order: in blocks for a shell, and within sentences."""
        for name, body, inline in re.findall(
            r"^```(\w*)\n(.*?)^```$|`(stepgrad [^`]+)`", self.text, re.DOTALL | re.MULTILINE
        ):
            lines = body.splitlines() if name == "sh" else [" ".join(inline.split())]
            yield from (line for line in lines if line.startswith("stepgrad "))


DOCUMENTS = {"README": Document(ROOT / "README.md")} | {
    topic: Document(pages.path_of(topic)) for topic in pages.TOPICS
}
