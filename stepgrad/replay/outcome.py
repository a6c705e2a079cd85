"""What an edit did to the root, and what calculus promised: a gradient times a change."""

from __future__ import annotations

from math import isfinite
from typing import NamedTuple

from stepgrad.numbers import number
from stepgrad.recording.blocks import Backward, Forward, Write
from stepgrad.recording.numbered import node_called
from stepgrad.recording.recording import Recording
from stepgrad.replay.program import Variant
from stepgrad.replay.state import State
from stepgrad.replay.telling.titles import short_title

_DIGITS = 4


class _Root(NamedTuple):
    """A root, its value, and the position where its derivatives are complete.

    They are kept `by` gradients, or by the tangents of forward mode, or not at all.
    """

    node: int
    value: float
    end: int
    by: str


def outcome(before: State, after: State, variant: Variant) -> str:
    """Return `h +4.41, by the gradient +4.2`; empty where there is nothing to compare.

    The root is that of the training step at hand. The promise is the sum, over all edited leaves,
    of the original gradient times the change. Where no gradient covers the change, it says why.
    """
    root, changed = _root(before), _root(after)
    if root is None or changed is None:
        return ""
    name = short_title(before.recording, root.node)
    told = f"{name} {_difference(root.value, changed.value)}"
    numbers = {name: edit for name, edit in variant.edits if isinstance(edit, float)}
    if len(numbers) < len(variant.edits):
        return told  # nothing is differentiated with respect to a setting
    if variant.world is not None:
        return f"{told} (a world with a bug keeps no promise)"
    if _updated(before.recording, root.end):
        return f"{told} (no gradient spans updates)"
    if not root.by:
        return f"{told} (no backward pass, so no gradient)"
    promises = {name: _promise(before.recording, root, name, x) for name, x in numbers.items()}
    if unknown := [name for name, promise in promises.items() if promise is None]:
        return f"{told} (no {root.by} of {unknown[0].rpartition('/')[2]} is known)"
    promised = sum(each for each in promises.values() if each is not None)
    return f"{told}, by the {root.by}{'s' * (len(promises) > 1)} {_signed(promised)}"


def _root(state: State) -> _Root | None:
    """The root of the training step's backward pass, or what it computes without one.

    Before the first step, it is that of the first.
    """
    recording, history = state.recording, state.recording.history
    early = state.step_ordinal is None
    begin, end = (0, recording.length) if early else state.step_bounds
    passes = recording.blocks_between(begin, end)
    backward = [each for each in passes if isinstance(each, Backward)]
    if backward:
        block = backward[0 if early else -1]
        value = history.value(block.root, block.start)
        end = block.start + block.length
        return None if value is None else _Root(block.root, value, end, "gradient")
    forward = [each for each in passes if isinstance(each, Forward) and each.end > each.base]
    if not forward:
        return None
    node = state.destination
    node = forward[0 if early else -1].end - 1 if node is None else node
    value = history.value(node, end)
    tangent = history.tangent(node, end) is not None
    return None if value is None else _Root(node, value, end, "tangent" if tangent else "")


def _updated(recording: Recording, end: int) -> bool:
    """Whether an update comes before the pass that ends at a position."""
    start = recording.blocks[recording.history.block_at(end - 1)].start
    return any(
        isinstance(each, Write) and bool(each.writes.updates)
        for each in recording.blocks_between(0, start)
    )


def _promise(recording: Recording, root: _Root, name: str, x: float) -> float | None:
    """The derivative of the root with respect to a leaf times its change; None if unknown."""
    history = recording.history
    node = node_called(recording.names(root.end), name)
    if node is None:
        return 0.0  # it comes later
    change = x - history.first_value(node)
    if root.by == "gradient":
        unknown = recording.node(node).constant
        return None if unknown else change * (history.grad(node, root.end) or 0.0)
    seed, tangent = history.tangent(node, root.end), history.tangent(root.node, root.end)
    return change * tangent / seed if seed and tangent is not None else None


def _difference(before: float, after: float) -> str:
    by = after - before
    if not by:
        return f"stays {number(after, _DIGITS)}"
    return _signed(by) if isfinite(by) else f"{number(before)} → {number(after)}"


def _signed(x: float) -> str:
    return f"{'+' * (x > 0)}{number(x, _DIGITS)}"
