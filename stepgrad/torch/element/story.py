"""The story of one element: where its gradient comes from, the largest parts first (`tell`).

A number that the element reaches is a node, with its local derivative to each number on the way.
Whatever is not followed is summed up, so the gradient is all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from torch import Tensor

from stepgrad.engine.tape import Place, at
from stepgrad.engine.value import Value
from stepgrad.printable import counted
from stepgrad.recording.record import record
from stepgrad.recording.recording import Recording
from stepgrad.torch.calls import Here
from stepgrad.torch.element.jacobian import column, viewed
from stepgrad.torch.element.step import Operation, Step

Places = Callable[[Sequence[Here]], Sequence[Place]]


class Element(NamedTuple):
    """One element of a tensor, by its place among all of them in order."""

    tensor: Tensor
    at: int


class Part(NamedTuple):
    """What an element hands on: to which other element, by which operation, with which factor."""

    operation: Operation
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
        start: the element.
        top: how many parts of each gradient are followed.
    """

    def __init__(self, step: Step, start: Element, top: int) -> None:
        self.step = step
        self.start = start
        self._top = top
        self.ways: dict[Element, Ways] = {}
        self.by: dict[Element, Operation] = {}

    def follow(self, depth: int) -> None:
        """Find the ways from it, through `depth` operations that compute something."""
        level = [self.start]
        for _ in range(depth):
            following: list[Element] = []
            for element in level:
                if element not in self.ways and element.tensor is not self.step.loss:
                    ways = self._ways(element)
                    self.ways[element] = ways
                    following += [part.out for part in ways.largest]
            level = following

    def _ways(self, element: Element) -> Ways:
        parts = sorted(self._parts(element), key=lambda part: -abs(part.gradient))
        largest, others = parts[: self._top], parts[self._top :]
        for part in largest:
            self.by.setdefault(part.out, part.operation)
        return Ways(largest, len(others), sum(part.gradient for part in others))

    def _parts(self, element: Element) -> Iterator[Part]:
        """Yield what an element hands on; a view hands on nothing, it is the same element."""
        for operation in self.step.users(element.tensor):
            if operation.moves:
                for seen in viewed(operation, *element):
                    yield from self._parts(Element(*seen))
                continue
            for out, locals_ in zip(operation.outs, column(operation, *element), strict=True):
                upstream = self.step.gradients.get(out)
                if upstream is None:
                    continue
                flat, arrived = locals_.reshape(-1), upstream.reshape(-1)
                for index in flat.nonzero().reshape(-1).tolist():
                    end = Element(out, index)
                    yield Part(operation, end, float(flat[index]), float(arrived[index]))


def tell(recording: Recording, story: Story, name: str, places: Places) -> None:
    """Record the story of an element as a program of scalars, forward and backward.

    Args:
        recording: an empty one.
        story: where it was followed to.
        name: what it is called.
        places: tells where operations have happened.
    """
    step, start = story.step, story.start
    assert step.loss is not None, "its backward pass is over"
    computed = sorted(story.by, key=lambda each: (story.by[each].number, each.at))
    placed = places([story.by[each].here for each in computed])
    arriving: dict[Element, list[tuple[Element, float]]] = {}
    for element in (start, *computed):
        for part in story.ways[element].largest if element in story.ways else ():
            arriving.setdefault(part.out, []).append((element, part.local))
    with record(recording):
        values = {start: Value(_number(start), label=name)}
        ends = _ends(start, story, values[start])
        for element, place in zip(computed, placed, strict=True):
            operands = [(values[before], local) for before, local in arriving[element]]
            what = story.by[element].called
            label = element_name(step.names.get(element.tensor, what), element)
            with at(place):
                values[element] = _value(_number(element), operands, label, what)
                ends += _ends(element, story, values[element])
        _value(float(step.loss.detach()), ends, "loss").backward()


def _ends(element: Element, story: Story, value: Value) -> list[tuple[Value, float]]:
    """Return what of an element reaches the loss in ways that are not followed."""
    ways = story.ways.get(element)
    if ways is None:
        return [(value, story.step.arrived(*element))]
    if not ways.others:
        return []
    others = _value(value.data * ways.rest, [(value, ways.rest)], counted(ways.others, "other"))
    return [(others, 1.0)]


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
