"""Rows: what one sample makes of a network, layer by layer, and which of them a position is in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, groupby
from typing import NamedTuple

from stepgrad.engine.ops import CONSTANT
from stepgrad.recording.blocks import Forward, Marked, Write
from stepgrad.recording.events import Accumulate
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import Context, Structure
from stepgrad.replay.graph.network.units import Pass, Unit, units
from stepgrad.replay.state import State

_SEARCHED = 64
"""How many nodes are looked at to find out which row something is computed from."""

Layers = Sequence[Sequence[Unit]]
"""The layers of a network, each from its first neuron on."""


class Slot(NamedTuple):
    """A neuron's place in a network; both count from 0."""

    layer: int
    number: int


class Row(NamedTuple):
    """A sample that goes through a network: its layers, in refs of the pass that computes it."""

    block: Forward
    layers: Layers

    @property
    def model(self) -> int:
        """A parameter: networks with the same names differ in it."""
        return self.block.node(self.layers[0][0].weights[0])

    @property
    def inputs(self) -> Sequence[int]:
        """The nodes that the first layer takes; of constants, those of its first neuron."""
        return self.block.nodes(self.layers[0][0].inputs)

    def find(self, node: int | None) -> Slot | None:
        """The neuron that a node or a parameter belongs to."""
        ref = None if node is None else self.block.ref(node)
        if ref is None:
            return None
        for layer, neurons in enumerate(self.layers):
            for number, unit in enumerate(neurons):
                if ref in unit.nodes or ref in unit.weights or ref == unit.bias:
                    return Slot(layer, number)
        return None

    def input_of(self, node: int | None) -> int | None:
        """Which of the inputs a node is, counted from 0."""
        ref = None if node is None else self.block.ref(node)
        found = (unit.inputs.index(ref) for unit in self.layers[0] if ref in unit.inputs)
        return None if ref is None else next(found, None)


@dataclass(frozen=True, eq=False)
class _Networks:
    """The rows in passes of one shape."""

    rows: Sequence[Layers]

    @cached_property
    def owner(self) -> Mapping[int, int]:
        """For the ref of each node of a neuron, and of each input, which row it belongs to."""
        inputs: dict[int, int] = {}
        made: dict[int, int] = {}
        for number, layers in enumerate(self.rows):
            for unit in layers[0]:
                for ref in unit.inputs:
                    inputs.setdefault(ref, number)
            for unit in (unit for layer in layers for unit in layer):
                made |= dict.fromkeys(unit.nodes, number)
        return inputs | made

    @cached_property
    def begins(self) -> Sequence[int]:
        """The first offset of each row."""
        return [layers[0][0].nodes[0] for layers in self.rows]


class Rows:
    """The rows of a training step, in the order of creation."""

    def __init__(self, recording: Recording, passes: Sequence[tuple[Forward, _Networks]]) -> None:
        self._recording = recording
        self._passes = passes
        self._firsts = [0, *accumulate(len(networks.rows) for _, networks in passes)]
        self._places = {block.base: place for place, (block, _) in enumerate(passes)}

    def __len__(self) -> int:
        return self._firsts[-1]

    def __iter__(self) -> Iterator[Row]:
        return map(self.__getitem__, range(len(self)))

    def __getitem__(self, number: int) -> Row:
        if not 0 <= number < len(self):
            raise IndexError(f"row {number} of {len(self)}")
        place = bisect_right(self._firsts, number) - 1
        block, networks = self._passes[place]
        return Row(block, networks.rows[number - self._firsts[place]])

    @cached_property
    def models(self) -> Mapping[int, Sequence[int]]:
        """The networks, each with the numbers of its rows."""
        found: dict[int, list[int]] = {}
        for number, row in enumerate(self):
            found.setdefault(row.model, []).append(number)
        return found

    def of(self, node: int | None) -> int | None:
        """Which row a node belongs to: the latest one that it is computed from, if any."""
        pending, seen = [node] if node is not None else [], 0
        while pending:
            here = pending.pop()
            place = self._places.get(self._recording.history.forward_of(here).base)
            if place is not None:
                block, networks = self._passes[place]
                offset = here - block.base
                row = networks.owner.get(offset)
                seen += 1
                if row is None and seen > _SEARCHED:  # the last one that begins before
                    row = max(bisect_right(networks.begins, offset) - 1, 0)
                if row is not None:
                    return self._firsts[place] + row
            pending += self._recording.node(here).operands  # the last one first
        return None

    def at(self, state: State) -> int:
        """Which row the last event is about; where it is about none, the one before, or the first.

        A write belongs to no row.
        """
        position, begin = state.position, state.step_bounds[0]
        while position > begin:
            history = self._recording.history
            block = self._recording.blocks[history.block_at(position - 1)]
            if not isinstance(block, Write | Marked):
                event = self._recording.events[position - 1]
                about = event.out if isinstance(event, Accumulate) else event.focus
                return self.of(about) or 0
            position = block.start
        return 0


def rows_at(state: State) -> Rows | None:
    """Return the rows of the training step at hand, or else of the next one, or the one before.

    None if no network is recognised there.
    """
    found = (_rows(state.recording, *each) for each in _bounds(state))
    return next((each for each in found if each), None)


def _bounds(state: State) -> Iterator[tuple[int, int]]:
    """Yield between which positions the steps lie that are looked at."""
    yield state.step_bounds
    steps, ordinal = state.recording.steps, state.step_ordinal
    here = -1 if ordinal is None else ordinal
    for each in (here + 1, here - 1):
        if 0 <= each < len(steps):
            last = each + 1 == len(steps)
            yield steps[each], state.recording.length if last else steps[each + 1]


@kept(8)
def _rows(recording: Recording, begin: int, end: int) -> Rows:
    blocks = (b for b in recording.blocks_between(begin, end) if isinstance(b, Forward))
    passes = [(block, _of(block)) for block in blocks]
    return Rows(recording, [each for each in passes if each[1].rows])


def _of(block: Forward) -> _Networks:
    earlier = tuple((each.structure, each.context) for each in block.earlier)
    return _networks(block.context, block.structure, earlier)


@kept(4)
def _networks(context: Context, structure: Structure, earlier: tuple[Pass, ...]) -> _Networks:
    """Wire the neurons of a pass up; there are no rows if any of them does not fit in."""
    rows: list[list[Sequence[Unit]]] = []
    ending: dict[tuple[str, int, tuple[int, ...]], list[Sequence[Unit]]] = {}
    lowest: dict[str, int] = {}
    for layer in _layers(units(context, structure, earlier)):
        head = layer[0]
        row = ending.pop((head.around, head.layer - 1, head.inputs), None)
        if row is None:
            row = []
            rows.append(row)
            if head.layer != lowest.setdefault(head.around, head.layer):
                return _Networks(())  # something comes between two layers
        if len({_inputs(unit, structure) for unit in layer}) > 1:
            return _Networks(())
        row.append(layer)
        ending[head.around, head.layer, tuple(unit.h for unit in layer)] = row
    return _Networks(rows)


def _inputs(unit: Unit, structure: Structure) -> tuple[int | None, ...]:
    """What a neuron takes. A plain number is None: it is another node in every neuron."""
    constant = CONSTANT.code
    return tuple(
        None if ref >= 0 and structure.codes[ref] == constant else ref for ref in unit.inputs
    )


def _layers(found: Sequence[Unit]) -> Sequence[Sequence[Unit]]:
    """Split neurons into layers: in each, the numbers go up by 1."""
    numbered = enumerate(found)
    layers = groupby(
        numbered, lambda each: (each[1].around, each[1].layer, each[1].number - each[0])
    )
    return [[unit for _, unit in layer] for _, layer in layers]
