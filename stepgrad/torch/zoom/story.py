"""The story of one element: where its gradient comes from, the largest parts first (`tell`).

A number that the element reaches is a node, with its local derivative to each number on the way.
Whatever is not followed is summed up, so the gradient is all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from torch import Tensor

from stepgrad.engine.tape import at
from stepgrad.engine.value import Value
from stepgrad.recording.record import record
from stepgrad.recording.recording import Recording
from stepgrad.torch.mode import is_view
from stepgrad.torch.zoom.jacobian import column, viewed
from stepgrad.torch.zoom.seen import Call, Step


class Element(NamedTuple):
    """One element of a tensor, by its place among all of them in order."""

    tensor: Tensor
    at: int


class Part(NamedTuple):
    """What an element hands on: to which other element, by which operation, with which factor."""

    call: Call
    out: Element
    local: float
    upstream: float

    @property
    def gradient(self) -> float:
        """How much of the gradient comes back this way."""
        return self.local * self.upstream


class Ways(NamedTuple):
    """The largest parts of an element's gradient, and the sum of the others."""

    largest: Sequence[Part]
    others: int
    rest: float


class Story:
    """Follows an element through a step.

    Args:
        step: what happened.
        top: how many parts of each gradient are followed.
    """

    def __init__(self, step: Step, top: int) -> None:
        self._step = step
        self._top = top
        self.ways: dict[Element, Ways] = {}
        self.by: dict[Element, Call] = {}

    def follow(self, start: Element, depth: int) -> None:
        """Find the ways from an element, through `depth` operations that compute something."""
        level = [start]
        for _ in range(depth):
            following: list[Element] = []
            for element in level:
                if element not in self.ways and element.tensor is not self._step.loss:
                    ways = self._ways(element)
                    self.ways[element] = ways
                    following += [part.out for part in ways.largest]
            level = following

    def _ways(self, element: Element) -> Ways:
        parts = sorted(self._parts(element), key=lambda part: -abs(part.gradient))
        largest, others = parts[: self._top], parts[self._top :]
        for part in largest:
            self.by.setdefault(part.out, part.call)
        return Ways(largest, len(others), sum(part.gradient for part in others))

    def _parts(self, element: Element) -> Iterator[Part]:
        """Yield what an element hands on; a view hands on nothing, it is the same element."""
        for call in self._step.users(element.tensor):
            if is_view(call.func):
                for seen in viewed(call, *element):
                    yield from self._parts(Element(*seen))
                continue
            for out, locals_ in zip(call.outs, column(call, *element), strict=True):
                upstream = self._step.gradients.get(out)
                if upstream is None:
                    continue
                flat, arrived = locals_.reshape(-1), upstream.reshape(-1)
                for index in flat.nonzero().reshape(-1).tolist():
                    end = Element(out, index)
                    yield Part(call, end, float(flat[index]), float(arrived[index]))


def tell(step: Step, start: Element, name: str, *, depth: int, top: int) -> Recording:
    """Record the story of an element as a program of scalars, forward and backward.

    Args:
        step: what happened in the program.
        start: the element.
        name: what it is called.
        depth: through how many operations it is followed.
        top: how many parts of each gradient are followed; the others are summed up.
    """
    assert step.loss is not None, "its backward pass is over"
    story = Story(step, top)
    story.follow(start, depth)
    computed = sorted(story.by, key=lambda each: (story.by[each].number, each.at))
    arriving: dict[Element, list[tuple[Element, float]]] = {}
    for element in (start, *computed):
        for part in story.ways[element].largest if element in story.ways else ():
            arriving.setdefault(part.out, []).append((element, part.local))
    recording = Recording(f"the gradient of {name}")
    with record(recording):
        values = {start: Value(_number(start), label=name)}
        ends: list[tuple[Value, float]] = []  # what reaches the loss in ways that are not followed
        for element in (start, *computed):
            if element is not start:
                operands = [(values[before], local) for before, local in arriving[element]]
                values[element] = _made(element, story.by[element], operands)
            ways = story.ways.get(element)
            if ways is None:
                ends.append((values[element], step.arrived(*element)))
            elif ways.others:
                value = values[element]
                rest = _value(value.data * ways.rest, [(value, ways.rest)], f"{ways.others} others")
                ends.append((rest, 1.0))
        _value(float(step.loss.detach()), ends, "loss").backward()
    return recording


def _made(element: Element, call: Call, operands: Sequence[tuple[Value, float]]) -> Value:
    """Make an element of what those before it hand on, where the program did."""
    name = element_name(call.name, element)
    with at(call.place):
        return _value(_number(element), operands, name, call.name)


def _value(
    data: float, operands: Sequence[tuple[Value, float]], label: str, op: str = "rest"
) -> Value:
    before, local = zip(*operands, strict=True)
    return Value(data, before, local, label=label, op=op)


def _number(element: Element) -> float:
    return float(element.tensor.detach().reshape(-1)[element.at])


def element_name(name: str, element: Element) -> str:
    """Name an element of a tensor: `linear[3,7]`; that of one without dimensions, `loss`."""
    place, index = [], element.at
    for size in reversed(element.tensor.shape):
        index, within = divmod(index, size)
        place.append(within)
    return f"{name}[{','.join(map(str, place[::-1]))}]" if place else name
