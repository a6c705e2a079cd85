"""What to call a node, even one without a name."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import takewhile

from stepgrad.engine.notation import atom
from stepgrad.engine.ops import ADD, LEAF, Op
from stepgrad.engine.tape import Place
from stepgrad.numbers import number
from stepgrad.printable import printable
from stepgrad.recording.blocks import Forward
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Node, Recording
from stepgrad.recording.source import place_of
from stepgrad.recording.structure import Context, Structure

_Look = Callable[[int], Node]
_Shapes = tuple[tuple[Structure, Context], ...]

_ATTRIBUTE = re.compile(r"[^\W\d].*\.([^\W\d]\w*(?:\[[^\]]*\])*)", re.DOTALL)
"""An object's attribute, or an item of it, at the end of a name that is an expression."""

_CALL = re.compile(r"\A([^/]*[^\W\d])\d+(?=/|\Z)")
"""A call that has a number, at the beginning of a scope."""

_WIDEST = 28
_DEEPEST = 3


def title(recording: Recording, index: int) -> str:
    """A node's name, scopes included; else what it computes (`w1·x`); else `#index`."""
    node = recording.node(index)
    return node.name or short_title(recording, index)


def short_title(recording: Recording, index: int) -> str:
    """A node's name without its scopes; else what it computes; else `#index`."""
    return _short_title(recording, recording.node, index)


def gradient_title(recording: Recording, index: int) -> str:
    """Say what the gradient of a node is called: `w.grad`, `(w·x).grad`."""
    return f"{atom(title(recording, index))}.grad"


def parted(name: str, scope: str) -> tuple[str, str]:
    """Part the name of a node that was made in a scope: the scope in it, and what follows.

    A label may have slashes of its own: outside of scopes, `dL/dw` is one name. In its scope, an
    attribute of an object needs no object: `model.layers[0].w[1]` is `w[1]`.
    """
    if not scope:
        return "", name
    if name.startswith(f"{scope}/"):
        return scope, name.removeprefix(f"{scope}/")
    if attribute := _ATTRIBUTE.fullmatch(name):
        return scope, attribute[1]
    before, _, last = name.rpartition("/")  # the label was given in another scope
    return before, last


def titles(recording: Recording, forward: Forward) -> list[str]:
    """The short titles of all nodes of a forward block, in order."""
    shape, earlier = _shapes(recording, [forward]), _shapes(recording, forward.earlier)
    shared = _shared_titles(recording, _Alike(shape, earlier, forward))
    return [
        short_title(recording, node) if title is None else title
        for node, title in enumerate(shared, forward.base)
    ]


def names(recording: Recording, forward: Forward) -> Sequence[str]:
    """The names of all nodes of a forward block, without scopes; empty for a node without one."""
    return _names(recording.called(forward), len(forward.structure))


def full_names(recording: Recording, forward: Forward) -> list[str]:
    """The names of all nodes of a forward block, scopes included; empty for a node without one."""
    found = [""] * len(forward.structure)
    for offset, name in recording.called(forward).names.items():
        found[offset] = name
    return found


@kept(1)
def _names(called: Context, size: int) -> Sequence[str]:
    found = [""] * size
    for offset, name in called.names.items():
        found[offset] = parted(name, called.place(offset).scope)[1]
    return found


@dataclass(frozen=True)
class _Alike:
    """A pass, equal to any other of the same shape and names, after others of the same."""

    shape: _Shapes
    earlier: _Shapes
    forward: Forward = field(compare=False)


@kept(16)
def _shared_titles(recording: Recording, alike: _Alike) -> Sequence[str | None]:
    """The titles that are the same in every pass that is like one."""
    ((structure, called),) = alike.shape
    look = cache(recording.node)  # each is looked up as an operand too

    def varies(ref: int, depth: int) -> bool:
        if ref < 0:
            number, offset = structure.outer[~ref]
            other, others = alike.earlier[number]
            return offset not in others.names and other.op(offset) is not LEAF
        if ref in called.names:
            return False
        operands = structure.operands(ref)  # none: a constant, or a leaf without a name
        return not operands or (depth > 0 and any(varies(ref, depth - 1) for ref in operands))

    shared: list[str | None] = []
    for offset in range(len(structure)):
        index = alike.forward.base + offset
        title = None if varies(offset, _DEEPEST) else _short_title(recording, look, index)
        shared.append(None if title == f"#{index}" else title)
    return shared


def _shapes(recording: Recording, passes: Sequence[Forward]) -> _Shapes:
    return tuple((each.structure, recording.called(each)) for each in passes)


def operand_titles(recording: Recording, node: Node) -> dict[str, str]:
    """The titles of a node and its operands, as seen from the node, by their names in formulas."""
    look = cache(recording.node)  # each is looked up as an operand too
    titles = {
        name: _seen_from(node, look(operand)) or _short_title(recording, look, operand)
        for name, operand in zip(node.op.operands, node.operands, strict=True)
    }
    return titles | {"out": _short_title(recording, look, node.index)}


def definition(recording: Recording, node: Node) -> str:
    """What a node computes, in the titles of its operands: `z1 + b`. Empty for a leaf."""
    return node.op.written(operand_titles(recording, node)) if node.operands else ""


def made_by(recording: Recording, node: Node) -> str:
    """The line that made a node: `train.py:12` or `cell 3, line 2`. Empty if unknown."""
    return line_of(recording, node.place)


def line_of(recording: Recording, place: Place) -> str:
    """The line of a place: `train.py:12` or `cell 3, line 2`. Empty if unknown."""
    path = place.file or (recording.source.path if recording.source else None)
    if path is None or place.line is None:
        return ""
    return printable(place_of(path, place.line))


def _seen_from(node: Node, operand: Node) -> str | None:
    """The operand's name, without the scopes that the node shares with it.

    In `row1/layer1/neuron1`, both `row1/x1` and the neuron's own `layer1/neuron1/w1` are called by
    their last part; at the top level, `row1/error` keeps its scope. In a module `layers/0`, its
    `layers.0.weight[3]` is `weight[3]`.
    """
    if not operand.name:
        return None
    here, (scope, name) = node.place.scope, parted(operand.name, operand.place.scope)
    if f"{here}/".startswith(f"{scope}/") or f"/{here}".endswith(f"/{scope}"):
        return name
    if operand.name.startswith(f"{scope}/"):
        both = zip(here.split("/"), scope.split("/"), strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], both))
        return "/".join(operand.name.split("/")[shared:])
    if _CALL.sub(r"\1", here) == _CALL.sub(r"\1", scope):  # another call of its holder
        return name
    holder = operand.name.removesuffix(f".{name}").replace(".", "/")
    return name if f"{here}/".startswith(f"{holder}/") else operand.name


def _short_title(recording: Recording, look: _Look, index: int) -> str:
    node = look(index)
    if node.name:
        return parted(node.name, node.place.scope)[1]
    return _expression(recording, look, node, _DEEPEST) or f"#{index}"


def _expression(recording: Recording, look: _Look, node: Node, depth: int) -> str | None:
    """Write an unnamed node in terms of named ones, if that is short.

    A long sum shows only its last term: `… + w3·x3`.
    """
    if node.constant:
        return number(recording.history.first_value(node.index))
    if not node.operands or depth == 0:
        return None
    parts: list[str] = []
    for operand in map(look, node.operands):
        part = _seen_from(node, operand) or _expression(recording, look, operand, depth - 1)
        if part is None and (parts or node.op is not ADD):
            return None
        parts.append(part or "…")
    text = _written(node.op, *parts)
    if len(text) > _WIDEST and node.op is ADD:
        text = _written(ADD, "…", parts[1])
    return text if len(text) <= _WIDEST else None


@lru_cache(maxsize=1 << 12)
def _written(op: Op, *operands: str) -> str:
    return op.written(dict(zip(op.operands, operands, strict=True)))
