"""`Program`: what a session can run again, what of it can be set, and which nodes stay the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from stepgrad.engine.world import World
from stepgrad.numbers import exact
from stepgrad.recording.recording import Recording
from stepgrad.replay.quiz.tasks import Task

Edit: TypeAlias = float | str
"""Another number for a leaf; or, for a setting, a text as a file has it."""


def written(edit: Edit) -> str:
    """The text of an edit: a number with all its digits."""
    return edit if isinstance(edit, str) else exact(edit)


Evaluate: TypeAlias = Callable[[str, Callable[[str], float]], float]
"""Works out an expression, asking for the value of each name in it."""


class Variant(NamedTuple):
    """How a program differs from the original: edits by name, in their order, and the world."""

    edits: tuple[tuple[str, Edit], ...] = ()
    world: World | None = None


class Program(NamedTuple):
    """A program that can run again: with edits, or in another world.

    `settings` has the text of each setting, by name; `short` has other names for them. `bits` is a
    pattern of the names of inputs that are 0 or 1 in all of the data. `evaluate` raises
    `ValueError` for what is no expression. `exercises` makes the tasks of a scenario, and raises
    `StepgradError` where one is wrong.
    """

    run: Callable[[Mapping[str, Edit], World | None], Recording]
    settings: Mapping[str, str] = MappingProxyType({})
    short: Mapping[str, str] = MappingProxyType({})
    bits: str = ""
    evaluate: Evaluate | None = None
    exercises: Callable[[], Sequence[Task]] = tuple

    def is_bit(self, name: str) -> bool:
        """Whether a leaf can only be 0 or 1."""
        return bool(self.bits and re.fullmatch(self.bits, name))


def counterpart(recording: Recording, node: int, other: Recording) -> int | None:
    """Return the node that is made in the same way at the same place in another run, if any."""
    if node >= other.size:
        return None
    mine, theirs = recording.node(node), other.node(node)
    same = (mine.label, mine.operands) == (theirs.label, theirs.operands)
    return node if same and mine.op.usual.name == theirs.op.usual.name else None
