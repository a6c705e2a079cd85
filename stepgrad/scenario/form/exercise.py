"""What an exercise of a scenario may contain, and what its fields demand of each other."""

# There is no `from __future__ import annotations`: it would turn the annotations into text.

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias

from stepgrad.scenario.form.kinds import BARE, Limits, Section
from stepgrad.scenario.form.terms import Interval, Name

Asked: TypeAlias = Literal[
    "value", "gradient", "local derivative", "gate", "verdict", "edit", "program"
]

_NAMES: Mapping[str, tuple[int, int, str]] = MappingProxyType(
    {
        "value": (1, 1, "the name of a node"),
        "gradient": (1, 1, "the name of a node"),
        "local derivative": (2, 2, "two names: a node and one of its operands, as in `[h, z]`"),
        "gate": (1, 20, "the names of gates: one to ask whether it is open, or several"),
        "verdict": (0, 0, "no name: a verdict is about the whole run"),
        "edit": (1, 1, "the name of the input or parameter to change"),
        "program": (1, 2, "the function or the class to write, or a forward and a backward one"),
    }
)
"""The least and the most names that each takes, and what they are."""


class Exercise(Section):
    """A question with a computed answer."""

    asks: Asked
    """What the answer is: a number, `open` or `shut`, the name of a verdict, or a new number for an
    input or a parameter with which the run reaches a `goal`; for `program`, a file with a function
    or a class that computes what the graph does."""
    of: Annotated[tuple[Name, ...], BARE] = ()
    """The node that the question is about; for a local derivative, a node and its operand; for a
    program, the names in the student's file."""
    prompt: str = ""
    """The question in the teacher's words; by default, it follows from what is asked."""
    hints: Annotated[tuple[Annotated[str, Limits(minLength=1)], ...], BARE] = ()
    """Shown one by one to those who ask; each costs a part of the mark."""
    vary: Mapping[Name, Interval] = MappingProxyType({})
    """Inputs and parameters that each student gets other values of, from these intervals.

    The values have as many decimals as the ends of the interval.
    """
    goal: Mapping[Name, Interval] = MappingProxyType({})
    """For an edit: the nodes whose values must get into these intervals."""


def check_exercise(exercise: Exercise) -> Iterator[tuple[str, str]]:
    """Yield the field and the message of each thing that an exercise lacks, or has too much of."""
    least, most, what = _NAMES[exercise.asks]
    if not least <= len(exercise.of) <= most:
        yield ("of" if exercise.of else "asks"), f"`asks: {exercise.asks}` takes {what}, in `of`"
    if exercise.asks == "edit" and not exercise.goal:
        yield "asks", "`asks: edit` needs a `goal`, such as `goal: {h: [1, 2]}`"
    if exercise.asks != "edit" and exercise.goal:
        yield "goal", f"a `goal` is for `asks: edit`, not for `asks: {exercise.asks}`"
    if exercise.asks == "program" and exercise.vary:
        yield "vary", "a program is marked at several numbers anyway: leave out `vary`"


def names_of(exercise: Mapping[Any, Any]) -> Iterator[tuple[tuple[str | int, ...], str, bool]]:
    """Yield the path and each name in an exercise as written, and whether it must be a leaf."""
    of = exercise.get("of", ()) if exercise.get("asks") != "program" else ()
    for place, name in enumerate(of if isinstance(of, tuple) else (of,)):
        if isinstance(name, str):
            yield ("of", place), name, exercise.get("asks") == "edit"
    for section in ("vary", "goal"):
        named = exercise.get(section)
        for name in named if isinstance(named, dict) else ():
            if isinstance(name, str):
                yield (section, name), name, section == "vary"
