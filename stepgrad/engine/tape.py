"""What the engine reports to: the tape of the running context, if there is one.

The engine calls a tape; it never asks what is behind it (`recording.recorder` is). The tape is
kept in a context variable: a thread or task reports to the tape of its own context, and code that
runs outside every recording reports to none and keeps nothing alive.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from math import copysign
from operator import index
from typing import Literal, Protocol

from stepgrad.engine.node import Node

WriteKind = Literal["update", "zero", "set"]
"""What is written: a value (`update`), or a gradient (`zero` clears it, `set` is any other)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a program nodes are made: the scope, such as `layer1/neuron2`, the line, the file.

    Without a file, the line is one of the scenario.
    """

    scope: str = ""
    line: int | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How an optimizer computed what it wrote: a method of `optim.METHODS`, and its numbers.

    `numbers` hold for all writes (`learning_rate`); `columns` have one number for each write: the
    state of each parameter before this step (`velocity`).
    """

    method: str
    numbers: Mapping[str, float]
    columns: Mapping[str, Sequence[float]] = field(default_factory=dict)

    def at(self, which: int) -> Rule:
        """Return the rule of write number `which`, with its own numbers among the others."""
        own = {name: column[which] for name, column in self.columns.items()}
        return Rule(self.method, {**self.numbers, **own})


class Tape(Protocol):
    """What the engine reports to, in the order in which things happen.

    A tape carries out the backward passes and the writes that it is given: what it notes and what
    is done are then one step, whichever thread comes next.
    """

    append: Callable[[Node], None]
    """A node was made."""

    @property
    def write(self) -> Callable[[WriteKind, Node, float], None]:
        """Make a number that of a value, or its gradient."""

    def backward(self, root: Node) -> None:
        """Run the backward pass from `root`."""

    def write_all(
        self, kind: WriteKind, values: Sequence[Node], after: array[float], rule: Rule | None
    ) -> None:
        """Write all these, as an optimizer does, by `rule`. `after` does not change later."""

    def mark(self, kind: str, number: int | None) -> None:
        """A training step, a sample or a phase begins."""

    def name(self, value: Node) -> None:
        """A value was given a label."""

    def seed(self, value: Node, tangent: float) -> None:
        """Forward mode starts at a value that was just made."""

    def move(self, place: Place) -> None:
        """Nodes are made at another place from here on."""

    def settle(self) -> None:
        """Another tape takes over: note the state of things."""

    def missed(self, value: Node) -> None:
        """Another tape is about to write a value."""

    def holds(self, node: Node) -> bool:
        """Whether it is settled what a node was computed by."""


_active: ContextVar[Tape | None] = ContextVar("stepgrad tape", default=None)
_place: ContextVar[Place] = ContextVar("stepgrad place", default=Place())  # noqa: B039 - frozen

active_tape = _active.get
current_place = _place.get


@contextmanager
def recording_on(tape: Tape) -> Iterator[None]:
    """Report what this context does to `tape`, instead of the tape before it."""
    before = _active.get()
    if before is not None:
        before.settle()
    _active.set(tape)
    try:
        yield
    finally:
        # A generator may end in another context than it began in, or after one that began later.
        if _active.get() is tape:
            _active.set(before)


def report_to(tape: Tape) -> None:
    """Report what this context does to `tape` from here on, as long as it lasts."""
    _active.set(tape)


@contextmanager
def aside(tape: Tape) -> Iterator[None]:
    """Report to another tape for a moment; the one before it does not hear of that."""
    token = _active.set(tape)
    try:
        yield
    finally:
        _active.reset(token)


@contextmanager
def scope(name: object) -> Iterator[None]:
    """Nodes that are made inside belong to this part of the model: `with scope("layer1"): …`.

    Scopes nest: inside `layer1`, `scope("neuron2")` is `layer1/neuron2`.
    """
    here = _place.get()
    yield from _at(replace(here, scope=f"{here.scope}/{name}" if here.scope else str(name)))


@contextmanager
def at_line(line: int) -> Iterator[None]:
    """Nodes that are made inside belong to this line of the source."""
    yield from _at(replace(_place.get(), line=line))


@contextmanager
def at(place: Place) -> Iterator[None]:
    """Nodes that are made inside belong to this place."""
    yield from _at(place)


def _at(place: Place) -> Iterator[None]:
    before = _place.get()
    _move(place)
    try:
        yield
    finally:
        _move(before)


def _move(place: Place) -> None:
    _place.set(place)
    tape = _active.get()
    if tape is not None:
        tape.move(place)


def mark(kind: str, number: int | None = None) -> None:
    """Mark that something begins here: `mark("step", 3)`. Without a recording, nothing happens.

    Marks of kind `step` are the training steps of a replay.

    Raises:
        TypeError: `number` is not an integer.
    """
    tape = _active.get()
    if tape is not None:
        tape.mark(str(kind), None if number is None else index(number))


def seed(value: Node, tangent: float) -> None:
    """Give a value just made a tangent: `seed(x, 1.0)` for derivatives with respect to x.

    What is computed in the same forward pass then has tangents too; earlier values count as
    constants. Without a recording, nothing happens.

    Raises:
        ValueError: the value is from before this pass.
    """
    tape = _active.get()
    if tape is not None:
        tape.seed(value, tangent)


def write_all(
    kind: WriteKind, values: Sequence[Node], after: Sequence[float], rule: Rule | None = None
) -> None:
    """Write many values or gradients at once. Nothing is written if an error is raised.

    Raises:
        TypeError: `after` holds something that is not a number.
        ValueError: there are more values than numbers, or fewer.
    """
    numbers = after if isinstance(after, array) else array("d", after)
    if len(numbers) != len(values):
        raise ValueError(f"{len(values)} values to write, and {len(numbers)} numbers")
    tape = _active.get()
    if tape is None:
        assign(kind, values, numbers)
    else:
        tape.write_all(kind, values, numbers, rule)


def clears(grad: float) -> bool:
    """Whether a gradient is cleared by writing this: by 0.0, but −0.0 is another number."""
    return not grad and copysign(1.0, grad) > 0


def assign(kind: WriteKind, values: Iterable[Node], after: Iterable[float]) -> None:
    """Write numbers, and report to no tape."""
    if kind == "update":
        for value, number in zip(values, after, strict=True):
            value._data = number
    else:
        for value, number in zip(values, after, strict=True):
            value._grad = number
