"""A network in sentences: what goes in, and a sentence for each layer."""

from __future__ import annotations

from collections.abc import Iterator

from stepgrad.plain.words import MOST, listed, numbers_of, read_number, sentence
from stepgrad.printable import counted
from stepgrad.replay.graph.network.picture import Network, Neuron
from stepgrad.replay.telling.spoken import spoken


def network_told(shown: Network, selected: int | None) -> Iterator[str]:
    """Say the current row, layer by layer, and the weights of the selected neuron."""
    sizes = listed([str(len(layer)) for layer in shown.layers])
    yield sentence(
        f"A network{spoken(shown.which)} with {counted(len(shown.inputs), 'input')}, "
        f"and {sizes} neurons in its {counted(len(shown.layers), 'layer')}"
    )
    yield _line("Inputs", [f"{each.name} is {numbers_of(each)}" for each in shown.inputs])
    for number, layer in enumerate(shown.layers, 1):
        yield _line(f"Layer {number}", [_neuron(neuron) for neuron in layer])
    if shown.loss is not None:
        yield sentence(f"{spoken(shown.loss.name)} is {numbers_of(shown.loss)}")
    neuron = shown.neuron(selected)
    if neuron is not None:
        yield from _weights(neuron)


def _neuron(neuron: Neuron) -> str:
    """Say what a neuron is: its output and, if it is shut, that it is."""
    summed = not neuron.linear and neuron.z.value is not None
    source = f", from z {read_number(neuron.z.value or 0)}," * summed
    shut = ", and it is shut" if neuron.shut else ""
    return f"neuron {neuron.unit.number}{source} is {numbers_of(neuron.h)}{shut}"


def _weights(neuron: Neuron) -> Iterator[str]:
    """Say the bias of a neuron and its weights, as many as a listener keeps in mind."""
    parameters = [
        *([neuron.bias] if neuron.bias else []),
        *(each.weight for each in neuron.weights),
    ]
    told = [f"{each.name} is {numbers_of(each)}" for each in parameters]
    yield _line(f"Into {spoken(neuron.name)}", told)


def _line(what: str, told: list[str]) -> str:
    more = [f"and {len(told) - MOST} more"] if len(told) > MOST else []
    return sentence(f"{what}: {'; '.join([*told[:MOST], *more])}")
