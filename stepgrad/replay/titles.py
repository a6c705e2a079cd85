"""What to call a node, also where nobody named it."""

from stepgrad.recording.recording import Node, Recording
from stepgrad.replay.numbers import number

_WIDEST = 24
_DEEPEST = 3


def title(recording: Recording, index: int) -> str:
    """A node's name, scopes included; else what it computes (`w1·x`); else `#index`."""
    node = recording.node(index)
    return node.name or _expression(recording, node, _DEEPEST) or f"#{index}"


def short_title(recording: Recording, index: int) -> str:
    """A node's name without its scopes; else what it computes; else `#index`."""
    node = recording.node(index)
    if node.name:
        return node.name.rpartition("/")[2]
    return _expression(recording, node, _DEEPEST) or f"#{index}"


def operand_titles(recording: Recording, node: Node) -> dict[str, str]:
    """The short titles of a node and its operands, by the names that formulas use."""
    titles = (short_title(recording, operand) for operand in node.operands)
    return dict(zip(node.op.operands, titles, strict=True)) | {
        "out": short_title(recording, node.index)
    }


def definition(recording: Recording, node: Node) -> str:
    """What a node computes, in the titles of its operands: `z1 + b`. Empty for a leaf."""
    return node.op.written(operand_titles(recording, node)) if node.operands else ""


def _expression(recording: Recording, node: Node, depth: int) -> str | None:
    """Write an unnamed node in terms of named ones, if that is short."""
    if node.constant:
        return number(recording.history.first_value(node.index))
    if not node.operands or depth == 0:
        return None
    parts = {}
    for name, operand in zip(node.op.operands, map(recording.node, node.operands), strict=True):
        part = operand.name.rpartition("/")[2] if operand.name else None
        parts[name] = part or _expression(recording, operand, depth - 1)
    if None in parts.values():
        return None
    text = node.op.written({name: part for name, part in parts.items() if part})
    return text if len(text) <= _WIDEST else None
