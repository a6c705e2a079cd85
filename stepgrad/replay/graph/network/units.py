"""Neurons in a forward pass: scopes such as `layer1/neuron2` in which a weighted sum is made."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from stepgrad.engine.ops import CONSTANT, LEAF
from stepgrad.recording.kept import kept
from stepgrad.recording.structure import Context, Structure

_SCOPE = re.compile(r"(?:(.*)/)?(layer_?(\d{1,9})/neuron_?(\d{1,9}))")

Pass = tuple[Structure, Context]
"""The shape of a forward pass, and what its nodes are called."""


class Unit(NamedTuple):
    """A neuron that is applied once: h = activation(b + w1·x1 + …). Nodes are refs of the pass.

    `around` is the scope that contains its layer, `layer` and `number` are those in its `scope`.
    `products` are the wᵢ·xᵢ, in the order of the weights; `bias` is None if there is none, and `h`
    is `z` in a linear neuron. `nodes` are all that the pass makes for it.
    """

    around: str
    scope: str
    layer: int
    number: int
    weights: tuple[int, ...]
    inputs: tuple[int, ...]
    products: tuple[int, ...]
    bias: int | None
    z: int
    h: int
    nodes: tuple[int, ...]


@kept(4)
def units(context: Context, structure: Structure, earlier: tuple[Pass, ...]) -> Sequence[Unit]:
    """Return the neurons of a pass in the order of creation.

    `earlier` are the passes that the structure numbers. If a scope that is called like a neuron
    computes something else, there are no neurons at all: this is not a plain network.
    """
    found: list[Unit] = []
    for scope, start, stop in _stretches(context, len(structure)):
        if match := _SCOPE.fullmatch(scope):
            finder = _Finder(structure, context, earlier, match, range(start, stop))
            if finder.computes:
                own = finder.find()
                if not own:
                    return ()
                found += own
    return tuple(found)


def _stretches(context: Context, size: int) -> Iterator[tuple[str, int, int]]:
    """Yield stretches of nodes in one scope: its name, the first offset, and the end."""
    begin, scope = 0, ""
    for offset, place in context.places:
        if place.scope != scope:
            if begin < offset:
                yield scope, begin, offset
            begin, scope = offset, place.scope
    if begin < size:
        yield scope, begin, size


@dataclass
class _Sum:
    """A weighted sum that grows, term by term."""

    products: list[tuple[int, int, int]] = field(default_factory=list)  # weight, input, product
    biases: list[int] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)


class _Finder(NamedTuple):
    """Finds the weighted sums in a stretch of nodes, `own`, and what becomes of each.

    `scope` is the match of `_SCOPE` that all of them are in.
    """

    structure: Structure
    context: Context
    earlier: Sequence[Pass]
    scope: re.Match[str]
    own: range

    @property
    def computes(self) -> bool:
        """Whether anything is computed here: parameters alone are no neuron at work."""
        ops = map(self.structure.op, self.own)
        return any(op is not LEAF and op is not CONSTANT for op in ops)

    def find(self) -> Sequence[Unit]:
        """Return the neuron, once for each time that it is applied; none if unsure."""
        sums = self._sums()
        behind = self._behind(sums)
        if not sums or behind is None:
            return ()
        around, scope, layer, number = self.scope.groups("")
        found: list[Unit] = []
        for z, weighted in sums.items():
            made = [z, *behind[z]]
            used = {operand for node in made[1:] for operand in self.structure.operands(node)}
            ends = [node for node in made if node not in used]
            if not weighted.products or len(weighted.biases) > 1 or len(ends) != 1:
                return ()
            weights, inputs, products = zip(*weighted.products, strict=True)
            bias = weighted.biases[0] if weighted.biases else None
            nodes = (*weighted.nodes, *behind[z])
            found.append(
                Unit(around, scope, int(layer), int(number), weights, inputs, products, bias, z,
                     ends[0], nodes)
            )  # fmt: skip
        return found

    def _sums(self) -> dict[int, _Sum]:
        """Return the sums of products and biases by their last node."""
        sums: dict[int, _Sum] = {}
        for offset in self.own:
            op, operands = self.structure.op(offset), self.structure.operands(offset)
            if op.name == "mul":
                weights = [self._is_parameter(operand) for operand in operands]
                if sum(weights) == 1:
                    weight, x = operands if weights[0] else reversed(operands)
                    sums[offset] = _Sum([(weight, x, offset)], nodes=[offset])
            elif op.name == "add" and self._adds_up(operands, sums):
                # Taken out: a sum that is used twice is a neuron no more.
                parts = [sums.pop(operand) for operand in operands if operand in sums]
                total = parts[0]
                for part in parts[1:]:
                    total.products += part.products
                    total.biases += part.biases
                    total.nodes += part.nodes
                total.biases += filter(self._is_parameter, operands)
                total.nodes.append(offset)
                sums[offset] = total
        return sums

    def _adds_up(self, operands: Sequence[int], sums: Mapping[int, _Sum]) -> bool:
        """Whether something of a weighted sum is added to another part of it, or to a bias."""
        return any(operand in sums for operand in operands) and all(
            operand in sums or self._is_parameter(operand) or self._is_constant(operand)
            for operand in operands
        )

    def _behind(self, sums: Mapping[int, _Sum]) -> Mapping[int, Collection[int]] | None:
        """Return the nodes that depend on each sum; None if one depends on several, or on none."""
        linear = {node for weighted in sums.values() for node in weighted.nodes}
        owner = {z: z for z in sums}
        behind: dict[int, list[int]] = {z: [] for z in sums}
        for offset in self.own:
            operands = self.structure.operands(offset)
            if offset in linear or not operands:
                continue
            owners = {owner[operand] for operand in operands if operand in owner}
            if len(owners) != 1:
                return None
            owner[offset] = owners.pop()
            behind[owner[offset]].append(offset)
        return behind

    def _is_constant(self, ref: int) -> bool:
        (structure, _), offset = self._made(ref)
        return structure.op(offset) is CONSTANT

    def _is_parameter(self, ref: int) -> bool:
        """Whether a ref is a leaf that was made for this neuron.

        One that was made before recording has no scope, but its name may have.
        """
        (structure, context), offset = self._made(ref)
        if structure.op(offset) is not LEAF:
            return False
        named = context.names.get(offset, "").rpartition("/")[0]
        return f"/{context.place(offset).scope or named}".endswith(f"/{self.scope[2]}")

    def _made(self, ref: int) -> tuple[Pass, int]:
        """The pass that made a node, and the offset there."""
        if ref >= 0:
            return (self.structure, self.context), ref
        structure = self.structure
        return self.earlier[structure.outer_passes[~ref]], structure.outer_offsets[~ref]
