"""A program for micrograd gets the same numbers here, or others where we say so."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import pytest

import stepgrad
from stepgrad import record
from stepgrad.compat import MLP, Layer, Module, Neuron, Value


def test_the_same_seed_draws_the_same_network() -> None:
    random.seed(3)
    theirs = MLP(2, [3, 1])
    ours = stepgrad.MLP.drawn([2, 3, 1], ["relu", "linear"], random.Random(3))
    numbers = [p.data for p in ours.parameters()]
    assert [p.data for p in theirs.parameters()] == numbers
    assert [p.label for p in theirs.parameters()] == [p.label for p in ours.parameters()]
    answer = theirs([Value(0.5), -1.0])
    assert isinstance(answer, Value)
    assert [answer.data] == [y.data for y in ours([0.5, -1.0])]


def test_a_neuron_is_a_gate_or_a_sum() -> None:
    for nonlin, expected in ((True, 0.0), (False, -2.0)):
        neuron = Neuron(1, nonlin=nonlin)
        neuron.w[0].data = 2.0
        assert neuron([-1.0]).data == expected
    assert neuron.parameters() == [*neuron.w, neuron.b]
    with pytest.raises(ValueError, match="inputs: 2, weights: 1"):
        neuron([1.0, 2.0])


def test_one_output_is_no_list() -> None:
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value)
    several = Layer(2, 3)([1.0, 2.0])
    assert isinstance(several, list)
    assert len(several) == 3


def test_training() -> None:
    random.seed(1)
    model = MLP(2, [2, 1])
    with record() as recording:
        answer = model([1.0, -1.0])
        assert isinstance(answer, Value)
        (answer * answer).backward()
        model.zero_grad()
    assert all(p.grad == 0.0 for p in model.parameters())
    assert "layer1/neuron2/z" in recording.names(recording.length)
    assert Module().parameters() == []


def test_they_are_shown_in_a_line() -> None:
    network = MLP(3, [4, 1])
    assert repr(network) == "<MLP: 21 parameters>"
    assert repr(network.layers[0]) == "<Layer: 16 parameters>"
    assert repr(network.layers[0].neurons[0]) == "<Neuron: 3 inputs, relu>"


class Micro:
    """A number as in micrograd: results keep their gradients from one pass to the next."""

    def __init__(self, data: float, children: Sequence[tuple[Micro, float]] = ()) -> None:
        self.data, self.grad, self.children = data, 0.0, children

    def __mul__(self, other: float) -> Micro:
        return Micro(self.data * other, [(self, other)])

    def __pow__(self, other: float) -> Micro:
        return Micro(self.data**other, [(self, other * self.data ** (other - 1))])

    def backward(self) -> None:
        self.grad, todo = 1.0, [self]
        for node in todo:
            for child, local in node.children:
                child.grad += local * node.grad
                todo.append(child)


@pytest.mark.parametrize(("kind", "twice"), [(Value, 12), (Micro, 18)])
def test_a_second_pass_over_one_graph_differs_as_we_say(kind: type[Any], twice: int) -> None:
    said = " ".join(str(stepgrad.compat.__doc__).split())
    assert "x.grad is 6 after one pass, and 12 after two; in micrograd, it is 18" in said
    x = kind(5.0)
    y = (x * 2) * 3
    y.backward()
    assert x.grad == 6
    y.backward()
    assert x.grad == twice


def test_the_other_differences_are_as_we_say() -> None:
    assert repr(Value(2).data) == "2.0"
    assert repr(Micro(2).data) == "2"
    assert (Value(0.0) ** -1).data == math.inf
    with pytest.raises(ZeroDivisionError):
        Micro(0.0) ** -1
    a, b = Value(5.0), Value(49.0)
    assert [(a - b)._op, (a / b)._op] == ["−", "/"]
    assert (a / b).data != (a * b**-1).data == (Micro(49.0) ** -1 * 5.0).data
