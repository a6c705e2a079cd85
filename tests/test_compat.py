"""A program for micrograd gets the same numbers here."""

import random

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
