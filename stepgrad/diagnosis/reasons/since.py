"""What has changed since a number was made: an update computes no other number again."""

from __future__ import annotations

from collections.abc import Iterator

from stepgrad.diagnosis.reasons.chain import Number, Reason
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.titles import gradient_title, title

_MOST = 1_000  # nodes that a value is made of are looked at


def changed_since(recording: Recording, asked: Number) -> Reason | None:
    """Return the latest update of what a number was made of, if there is one since."""
    history, name = recording.history, title(recording, asked.node)
    if asked.of == "gradient":
        block, _ = next(history.gradient_writes(asked.node, asked.position), (None, 0))
        if not isinstance(block, Backward):
            return None
        name, since, made_of = (
            gradient_title(recording, asked.node),
            block.start,
            iter([asked.node]),
        )
    else:
        if history.value_write(asked.node, asked.position) is not None:
            return None
        since, made_of = history.made_at(asked.node), _made_of(recording, asked.node)
    for node in made_of:
        written = history.value_write(node, asked.position)
        if written is not None and (event := written[0].start + written[1]) >= since:
            told = narrate(recording, event)
            text = f"{name} was computed before this update: {told.symbols} {told.numbers}".rstrip()
            return Reason(event + 1, node, text)
    return None


def _made_of(recording: Recording, node: int) -> Iterator[int]:
    """Yield what a node is made of, directly or not."""
    seen, stack = {node}, [node]
    while stack and len(seen) < _MOST:
        for operand in recording.node(stack.pop()).operands:
            if operand not in seen:
                seen.add(operand)
                stack.append(operand)
                yield operand
