"""What there is to see of a network at a position: the current row, neuron by neuron."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from stepgrad.recording.events import Accumulate
from stepgrad.recording.kept import kept
from stepgrad.replay.graph.contents import Node, Number
from stepgrad.replay.graph.network.rows import Row, Slot, rows_at
from stepgrad.replay.graph.network.units import Unit
from stepgrad.replay.samples import samples
from stepgrad.replay.state import State

ENTERING = 64
"""How many weights a neuron keeps what was found for: more than are drawn."""


class Weighted(NamedTuple):
    """An input of a neuron with its weight. It is `current` if the last event went through it."""

    weight: Node
    current: bool


@dataclass(frozen=True)
class End(Node):
    """An input, or the loss; `alias` is what it is called if the program does not name it."""

    alias: str = ""

    @property
    def name(self) -> str:
        """Its name without scopes, or its alias."""
        return super().name if self.state.node(self.index).name else self.alias

    @property
    def derivative(self) -> Number:
        """Its gradient or tangent; nothing for a plain number."""
        constant = self.state.node(self.index).constant
        return Number("grad", "∇", "", None) if constant else super().derivative


@dataclass(frozen=True)
class Neuron:
    """A neuron at a position: h = activation(z), and z = b + w1·x1 + …; linear if h is z.

    After an edit, `before` is the position in the original.
    """

    state: State
    row: Row
    slot: Slot
    current: bool = False
    before: State | None = None

    @property
    def unit(self) -> Unit:
        """What never changes about it."""
        return self.row.layers[self.slot.layer][self.slot.number]

    @property
    def name(self) -> str:
        """Its scope within the network: `layer1/neuron2`."""
        return self.unit.scope

    @property
    def index(self) -> int:
        """The node that it results in."""
        return self.h.index

    @property
    def linear(self) -> bool:
        """Whether there is no activation."""
        return self.unit.h == self.unit.z

    @cached_property
    def z(self) -> Node:
        """The weighted sum."""
        return self._node(self.unit.z)

    @cached_property
    def h(self) -> Node:
        """The activation."""
        return self._node(self.unit.h)

    @cached_property
    def bias(self) -> Node | None:
        """The bias, if there is one."""
        return None if self.unit.bias is None else self._node(self.unit.bias)

    @property
    def nodes(self) -> Sequence[int]:
        """All its nodes, with its parameters and inputs, in the order of creation."""
        unit = self.unit
        biases = () if unit.bias is None else (unit.bias,)
        refs = {*unit.nodes, *unit.weights, *unit.inputs, *biases}
        return sorted(self.row.block.nodes(refs))

    @property
    def shut(self) -> bool:
        """Whether the gate lets nothing back: the local derivative ∂h/∂z is exactly 0."""
        history, h = self.state.recording.history, self.h
        if self.linear or not h.made or self.state.node(h.index).operands != (self.z.index,):
            return False
        return history.local(h.index, 0, self.state.seen_by(h.index)) == 0

    @property
    def weights(self) -> Sequence[Weighted]:
        """What enters it, input by input."""
        return [*map(self.weighted, range(len(self.unit.weights)))]

    @kept(ENTERING)
    def weighted(self, slot: int) -> Weighted:
        """What enters it from one of the inputs, counted from 0."""
        return Weighted(self._node(self.unit.weights[slot]), slot == self.entered)

    @cached_property
    def entered(self) -> int | None:
        """By which of the inputs the last event went in or out, if by any."""
        nodes = (self.state.focus, _passes_on(self.state))
        refs = (self.row.block.ref(node) for node in nodes if node is not None)
        products = self.unit.products
        return next((products.index(ref) for ref in refs if ref in products), None)

    def _node(self, ref: int) -> Node:
        return Node(self.state, self.row.block.node(ref), before=self.before)


@dataclass(frozen=True)
class Network:
    """The current row of a network: `number` counts the rows that go through it from 1.

    `inputs` and `layers` are from top to bottom. The `loss` is the root of this training step, if
    there is one; `targets` are what the outputs should be, as far as names tell, or none. After an
    edit, `before` is the position in the original.
    """

    state: State
    row: Row
    inputs: Sequence[End]
    layers: Sequence[Sequence[Neuron]]
    targets: Sequence[Node]
    loss: End | None
    number: int
    rows: int
    model: int
    models: int
    before: State | None = None

    @property
    def sizes(self) -> str:
        """The number of inputs, then of neurons in each layer: `4-3-4`."""
        return "-".join(map(str, [len(self.inputs), *map(len, self.layers)]))

    @property
    def title(self) -> str:
        """Its sizes, and which row this is."""
        named = f"network {self.model} of {self.models}" if self.models > 1 else "network"
        return f"{named} {self.sizes}{self.which}"

    @property
    def which(self) -> str:
        """Which of its rows this is, to go after a name; empty if there is only one."""
        return f", row {self.number} of {self.rows}" if self.rows > 1 else ""

    @property
    def neurons(self) -> Iterator[Neuron]:
        """All neurons, layer by layer."""
        return (neuron for layer in self.layers for neuron in layer)

    def neuron(self, node: int | None) -> Neuron | None:
        """The neuron that a node or a parameter belongs to."""
        slot = self.row.find(node)
        return None if slot is None else self.layers[slot.layer][slot.number]

    def opened(self, name: str) -> Neuron | None:
        """The neuron with this name, such as `layer1/neuron2`."""
        return next((neuron for neuron in self.neurons if neuron.name == name), None)


def network(
    state: State, selected: int | None = None, before: State | None = None
) -> Network | None:
    """Describe a network at a position; None if there is none.

    The row is that of the selected node or, if it belongs to none, that of the last event. After an
    edit, `before` is the position in the original.
    """
    rows = rows_at(state)
    if rows is None:
        return None
    chosen = rows.of(selected)
    number = rows.at(state) if chosen is None else chosen
    row = rows[number]
    own, focus = rows.models[row.model], state.focus
    at, given = row.find(focus), row.input_of(focus)
    layers = [
        [Neuron(state, row, slot, slot == at, before) for slot in _slots(layer, len(neurons))]
        for layer, neurons in enumerate(row.layers)
    ]
    outputs = tuple(neuron.index for neuron in layers[-1])
    targets = next((each.targets for each in samples(state) if each.outputs == outputs), ())
    root = state.destination
    return Network(
        state,
        row,
        [
            End(state, node, place == given, before, alias=f"x{place + 1}")
            for place, node in enumerate(row.inputs)
        ],
        layers,
        [Node(state, target, before=before) for target in targets],
        None if root is None else End(state, root, root == focus, before, alias="root"),
        own.index(number) + 1,
        len(own),
        list(rows.models).index(row.model) + 1,
        len(rows.models),
        before,
    )


def _slots(layer: int, size: int) -> Sequence[Slot]:
    return [Slot(layer, number) for number in range(size)]


def _passes_on(state: State) -> int | None:
    """The node whose gradient is passed on by the last event."""
    return state.event.out if isinstance(state.event, Accumulate) else None
