"""Engines with a mistake in them: those of `foreign/healthy`, with `mistakes.diff` applied."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

FOREIGN = Path(__file__).parent / "foreign"
_HEAD = re.compile(r"(?P<engine>\w+) (?P<name>\w+): (?P<kind>[a-z ]+), line (?P<line>\d+): .+")


@dataclass
class Mistake:
    """What is changed in an engine, and what is told of it, at which line of the changed one."""

    name: str
    engine: str
    kind: str
    line: int
    hunks: list[list[str]] = field(default_factory=lambda: [[]])

    def planted(self, folder: Path) -> Path:
        """Write the engine with its mistake into a folder."""
        program = (FOREIGN / "healthy" / f"{self.engine}.py").read_text("utf-8")
        for hunk in self.hunks:
            was, becomes = (
                "\n" + "".join(f"{line[1:]}\n" for line in hunk if line[0] != other)
                for other in "+-"
            )
            assert program.count(was) == 1, (self.name, was)
            program = program.replace(was, becomes)
        path = folder / f"{self.name}.py"
        path.write_text(program, "utf-8")
        return path


def _mistakes() -> dict[str, Mistake]:
    found: dict[str, Mistake] = {}
    for line in (FOREIGN / "mistakes.diff").read_text("utf-8").splitlines():
        if head := _HEAD.fullmatch(line):
            mistake = Mistake(head["name"], head["engine"], head["kind"], int(head["line"]))
            found[mistake.name] = mistake
        elif line == "@@":
            mistake.hunks.append([])
        elif line[:1] in ("+", "-", " "):
            mistake.hunks[-1].append(line)
    return found


MISTAKES = _mistakes()
"""Of each broken engine, by its name."""
