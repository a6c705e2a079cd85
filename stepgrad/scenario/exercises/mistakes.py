"""What a gradient comes out as if something is forgotten: to say what is wrong with an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite
from typing import NamedTuple

from stepgrad.engine.world import World
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.derivatives import partial_at
from stepgrad.replay.telling.titles import title
from stepgrad.scenario.exercises.numbers import Edge, last_pass

_MOST_EDGES = 400
"""The most edges of a pass in which each factor is left out in turn."""

_LARGEST_FACTOR = 10
"""The largest factor that a message names."""

_WORLDS = {
    World("overwrite"): "one path overwrites another there: add up what comes along each",
    World("wrong_order"): "there a node hands its gradient on before all of it has arrived",
    World("open", "relu"): "that ignores a gate that is shut",
    World("no_zero_grad"): "that still has the gradients of earlier steps in it",
}
"""Engines with one bug each, and what is wrong with a gradient that they compute."""


class Mistake(NamedTuple):
    """A wrong answer, and what is wrong with it."""

    number: float
    text: str


def sign(answer: float) -> Mistake:
    """Return the answer with the wrong sign."""
    return Mistake(-answer, "the sign is wrong")


def of_others(gradients: Mapping[str, float]) -> Iterator[Mistake]:
    """Yield the derivatives with respect to others, each with what it is called."""
    for name, number in gradients.items():
        yield Mistake(number, f"that is {name}")


def scaled(answer: float) -> Iterator[Mistake]:
    """Yield the answer with a factor that does not belong there."""
    for factor in range(2, _LARGEST_FACTOR + 1):
        yield Mistake(factor * answer, f"that is {factor} times as much")
        yield Mistake(answer / factor, f"that is 1/{factor} of it")


def of_gradient(
    recording: Recording, node: int, rerun: Callable[[World], float | None]
) -> Iterator[Mistake]:
    """Yield what the gradient of a node is with one mistake; `rerun` reads it in a world."""
    yield from of_chain(recording, node)
    for world, text in _WORLDS.items():
        got = rerun(world)
        if got and isfinite(got):  # a 0 can have any cause
            yield Mistake(got, text)


def of_chain(recording: Recording, node: int) -> Iterator[Mistake]:
    """Yield what the gradient of a node is without all its paths but one, or without a factor."""
    root, edges = last_pass(recording)
    if len(edges) <= _MOST_EDGES:
        yield from _paths(recording, root, edges, node)
        yield from _factors(recording, root, edges, node)


def _paths(recording: Recording, root: int, edges: Sequence[Edge], node: int) -> Iterator[Mistake]:
    """Leave out all paths but those through one node, or through one operand of it."""
    grads = _swept(root, edges)
    users = dict[int, list[float]]()
    for edge in edges:
        if edge.node == node:
            users.setdefault(edge.out, []).append(grads.get(edge.out, 0.0) * edge.local)
    for user, parts in users.items():
        through = title(recording, user)
        if len(users) > 1:
            text = f"that is only what comes back through {through}: add the other paths"
            yield Mistake(sum(parts), text)
        if len(parts) > 1:
            text = f"that is only one operand of {through}: add what comes back through each"
            yield from (Mistake(part, text) for part in parts)


def _factors(
    recording: Recording, root: int, edges: Sequence[Edge], node: int
) -> Iterator[Mistake]:
    """Leave out one local derivative."""
    for left_out in edges:
        if left_out.local != 1:
            name = partial_at(recording, left_out.out, left_out.slot)
            got = _swept(root, edges, left_out).get(node, 0.0)
            yield Mistake(got, f"that is the derivative without the factor {name}")


def _swept(root: int, edges: Sequence[Edge], left_out: Edge | None = None) -> dict[int, float]:
    """Return the gradients of a pass in which an edge passes on what arrives."""
    grads = {root: 1.0}
    for edge in edges:
        upstream = grads.get(edge.out, 0.0)
        passed = upstream if edge is left_out else upstream * edge.local
        grads[edge.node] = grads.get(edge.node, 0.0) + passed
    return grads
