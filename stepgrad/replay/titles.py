"""What to call a node, also where nobody named it."""

from itertools import takewhile
from pathlib import PurePath

from stepgrad.engine.ops import ADD
from stepgrad.recording.recording import Node, Recording
from stepgrad.replay.numbers import number

_WIDEST = 28
_DEEPEST = 3


def title(recording: Recording, index: int) -> str:
    """A node's name, scopes included; else what it computes (`w1·x`); else `#index`."""
    node = recording.node(index)
    return node.name or short_title(recording, index)


def short_title(recording: Recording, index: int) -> str:
    """A node's name without its scopes; else what it computes; else `#index`."""
    node = recording.node(index)
    if node.name:
        return node.name.rpartition("/")[2]
    return _expression(recording, node, _DEEPEST) or f"#{index}"


def operand_titles(recording: Recording, node: Node) -> dict[str, str]:
    """The titles of a node and its operands, as seen from the node, by the names in formulas."""
    titles = {
        name: _seen_from(node, recording.node(operand)) or short_title(recording, operand)
        for name, operand in zip(node.op.operands, node.operands, strict=True)
    }
    return titles | {"out": short_title(recording, node.index)}


def definition(recording: Recording, node: Node) -> str:
    """What a node computes, in the titles of its operands: `z1 + b`. Empty for a leaf."""
    return node.op.written(operand_titles(recording, node)) if node.operands else ""


def made_by(recording: Recording, node: Node) -> str:
    """The file and the line that made a node: `train.py:12`. Empty where that is not known."""
    path = node.place.file or (recording.source.path if recording.source else None)
    if path is None or node.place.line is None:
        return ""
    return f"{PurePath(path).name}:{node.place.line}"


def _seen_from(node: Node, operand: Node) -> str | None:
    """The operand's name, without the scopes that need no mention where the node stands.

    In `row1/layer1/neuron1`, both `row1/x1` and the neuron's own `layer1/neuron1/w1` go by their
    last part; at the top, `row1/error` stays what it is.
    """
    if not operand.name:
        return None
    here, (scope, _, name) = node.place.scope, operand.name.rpartition("/")
    if f"{here}/".startswith(f"{scope}/") or f"/{here}".endswith(f"/{scope}"):
        return name
    both = zip(here.split("/"), scope.split("/"), strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))
    return "/".join(operand.name.split("/")[shared:])


def _expression(recording: Recording, node: Node, depth: int) -> str | None:
    """Write an unnamed node in terms of named ones, if that is short.

    A long sum is told by what was added last: `… + w3·x3`.
    """
    if node.constant:
        return number(recording.history.first_value(node.index))
    if not node.operands or depth == 0:
        return None
    parts: dict[str, str] = {}
    for name, operand in zip(node.op.operands, map(recording.node, node.operands), strict=True):
        part = _seen_from(node, operand) or _expression(recording, operand, depth - 1)
        if part is None and not (node.op is ADD and name == "a"):
            return None
        parts[name] = part or "…"
    text = node.op.written(parts)
    if len(text) > _WIDEST and node.op is ADD:
        text = node.op.written(parts | {"a": "…"})
    return text if len(text) <= _WIDEST else None
