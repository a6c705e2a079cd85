"""What to explain below a table of nodes: the symbols in it that are not plain numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from stepgrad.numbers import read_back
from stepgrad.recording.blocks import Backward, Write
from stepgrad.replay.graph.contents import Node
from stepgrad.replay.state import State

_TANGENTS = {
    "0": "a small change of the input that the pass differentiates with respect to "
    "does not change this value"
}
_GRADIENTS = {
    "∅": "no gradient ever arrives: nothing that was differentiated depends on it",
    "–": "no gradient has arrived yet",
    "0": "zero, which is not the same as none: a factor was 0, or it was cleared",
}
_NUMBERS = {
    "~0": "not zero, but so small that digits are lost",
    "nan": "not a number",
    "!nan": "not a number",
    "inf": "infinity, or too large for a float64",
    "−inf": "minus infinity, or too far below zero for a float64",
}


def signs(columns: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield the symbols that occur in the columns of a table, each with its meaning."""
    meanings = {"tangent": _TANGENTS, "gradient": _GRADIENTS}
    for name, texts in columns.items():
        found = meanings.get(name, {})
        yield from ((sign, meaning) for sign, meaning in found.items() if sign in texts)
    written = {text for name in (*meanings, "value") for text in columns.get(name, ())}
    yield from ((sign, meaning) for sign, meaning in _NUMBERS.items() if sign in written)


def remarks(state: State, nodes: Sequence[Node]) -> Iterator[str]:
    """Yield what else a reader of the numbers needs to know."""
    begin = state.step_bounds[0]
    blocks = state.recording.blocks_between(begin, state.position)
    swept = any(isinstance(block, Backward) for block in blocks)
    if any(node.value is None for node in nodes):
        yield "A node without numbers is not computed yet."
    if any(node.grad for node in nodes) and not swept:
        yield "No backward pass has run here yet: the gradients are left over from an earlier one."
    if any(isinstance(block, Write) and block.writes.updates for block in blocks):
        yield "Updated nodes show their new values; nodes computed before used the old ones."
    numbers = (x for node in nodes for x in (node.value, node.tangent, node.grad) if x is not None)
    if any(isfinite(x) and read_back(x) != x for x in numbers):
        yield "Numbers are rounded to six digits."
    if swept:
        yield "`d` is the whole derivative, over all paths; `∂` is local, of one operation."
        yield "In the backward pass, brackets show a gradient before and after (`–`: none),"
        yield "and which of its contributions this is."
