"""What is to be explained below a table of nodes: the signs in it that are no plain numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from stepgrad.export.boxes import Node
from stepgrad.numbers import read_back
from stepgrad.recording.blocks import Backward, Write
from stepgrad.replay.state import State

_TANGENTS = {"0": "what the pass goes by does not change it"}
_GRADIENTS = {
    "∅": "no gradient ever arrives: nothing that was differentiated depends on it",
    "–": "no gradient has arrived yet",
    "0": "zero, which is not none: a factor on its way was 0, or it was cleared",
}
_NUMBERS = {
    "~0": "not zero, but too small for all of its digits",
    "nan": "not a number",
    "!nan": "not a number",
    "inf": "more than the greatest number",
    "−inf": "less than the least number",
}


def signs(columns: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield the signs that occur in the columns of a table, each with what it means."""
    meanings = {"tangent": _TANGENTS, "gradient": _GRADIENTS}
    for name, texts in columns.items():
        found = meanings.get(name, {})
        yield from ((sign, meaning) for sign, meaning in found.items() if sign in texts)
    written = {text for name in (*meanings, "value") for text in columns.get(name, ())}
    yield from ((sign, meaning) for sign, meaning in _NUMBERS.items() if sign in written)


def remarks(state: State, nodes: Sequence[Node]) -> Iterator[str]:
    """Yield what else a reader of the numbers has to know."""
    begin = state.step_bounds[0]
    blocks = state.recording.blocks_between(begin, state.position)
    swept = any(isinstance(block, Backward) for block in blocks)
    if any(node.value is None for node in nodes):
        yield "A node without numbers is not made yet."
    if any(node.grad for node in nodes) and not swept:
        yield "No backward pass has run here yet: the gradients are left over from an earlier one."
    if any(isinstance(block, Write) and block.writes.updates for block in blocks):
        yield "What was updated has its new value; what was computed before has seen the old one."
    numbers = (x for node in nodes for x in (node.value, node.tangent, node.grad) if x is not None)
    if any(isfinite(x) and read_back(x) != x for x in numbers):
        yield "Numbers are rounded to six digits."
    if swept:
        yield "`d` is the whole derivative, over all paths; `∂` is local, of one operation."
        yield "In the backward pass, brackets show a gradient before and after (`–`: none),"
        yield "and which of its contributions this is."
