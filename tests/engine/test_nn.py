"""Networks: their parameters, their order of addition, their names."""

from random import Random
from typing import Any

import pytest

from stepgrad import MLP, Layer, Neuron, Value, record
from stepgrad.engine.nn import ACTIVATIONS


def test_a_neuron() -> None:
    neuron = Neuron([0.5, -1.0], 0.5, "relu")
    x = [Value(2.0), Value(1.0)]
    out = neuron(x)
    out.backward()
    assert out.data == 0.5
    assert [p.grad for p in neuron.parameters()] == [2.0, 1.0, 1.0]
    assert [v.grad for v in x] == [0.5, -1.0]


def test_the_sum_starts_from_the_bias() -> None:
    neuron = Neuron([0.2, -0.3, 0.1, -0.4], 0.1, "linear")
    assert neuron([1.0, 0.0, 1.0, 1.0]).data == 0.0
    assert 0.2 + 0.1 - 0.4 + 0.1 > 0.0  # from the other end, a ReLU would be open


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(activation: str) -> None:
    out = Neuron([1.0], 0.0, activation)([-0.5])  # type: ignore[arg-type]
    plain = Value(-0.5)
    expected = plain if activation == "linear" else getattr(plain, activation)()
    assert out.data == expected.data


@pytest.mark.parametrize("inputs", [[1.0], [1.0, 2.0, 3.0]])
def test_inputs_must_fit_the_weights(inputs: list[float]) -> None:
    neuron = Neuron([1.0, 2.0])
    with (
        record() as recording,
        pytest.raises(ValueError, match=rf"inputs: {len(inputs)}, weights: 2"),
    ):
        neuron(inputs)
    assert not recording.size


def test_a_layer() -> None:
    layer = Layer([[1.0, 2.0], [3.0, 4.0]], [0.5, -0.5], "linear")
    assert [out.data for out in layer([1.0, 1.0])] == [3.5, 6.5]
    assert [p.data for p in layer.parameters()] == [1.0, 2.0, 0.5, 3.0, 4.0, -0.5]


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Layer([[1.0]], [0.0, 0.0]), "rows of weights: 1, biases: 2"),
        (
            lambda: MLP([[[1.0]]], [[0.0]], []),
            "weights: 1, .*, activations: 0",
        ),
        (
            lambda: MLP.drawn([2, 3, 1], ["tanh"], Random(1)),
            "weights: 2, .*, activations: 1",
        ),
        (lambda: MLP.drawn([2, 3, 1], [], Random(1)), "weights: 2, .*, activations: 0"),
        (
            lambda: Layer([[1.0, 2.0], [3.0]], [0.0, 0.0]),
            "row 1: 2, weights in row 2: 1",
        ),
    ],
)
def test_what_does_not_fit_is_refused_when_it_is_made(build: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build()


def test_an_unknown_activation_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="no activation `gelu`; there are linear, relu, "):
        Neuron([1.0], 0.0, "gelu")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "arguments"), [(Neuron, (2,)), (Layer, (2, 3)), (MLP, (2, [3, 1], ["tanh", "tanh"]))]
)
def test_the_arguments_of_micrograd_are_refused(kind: Any, arguments: Any) -> None:
    with pytest.raises(TypeError, match=r"stepgrad\.compat has the classes of micrograd"):
        kind(*arguments)


def test_a_drawn_network_is_reproducible_and_named() -> None:
    first, second = (
        MLP.drawn([2, 3, 1], ["tanh", "linear"], Random(42)).parameters() for _ in range(2)
    )
    assert [p.data for p in first] == [p.data for p in second]
    assert [p.label for p in first[:3]] == [f"layer1/neuron1/{n}" for n in ("w1", "w2", "b")]
    assert first[-1].label == "layer2/neuron1/b"
    assert len(first) == 3 * 3 + 4
    assert all(-1 <= p.data <= 1 for p in first)
    assert {p.data for p in first if p.label and p.label.endswith("/b")} == {0.0}


def test_nodes_are_made_in_the_scope_of_their_neuron() -> None:
    mlp = MLP([[[1.0], [2.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]], ["relu", "linear"])
    with record() as recording:
        mlp([1.0])
    nodes = [recording.node(i) for i in range(recording.size)]
    made = [node.place.scope for node in nodes if node.operands]
    assert made == ["layer1/neuron1"] * 3 + ["layer1/neuron2"] * 3 + ["layer2/neuron1"] * 4


def test_they_are_shown_in_a_line() -> None:
    network = MLP.drawn([2, 4, 1], ["tanh", "linear"], Random(1))
    assert repr(network) == "<MLP: 2 → 4 → 1, 17 parameters>"
    assert repr(network.layers[0]) == "<Layer: 2 → 4, 12 parameters>"
    assert repr(network.layers[1].neurons[0]) == "<Neuron: 4 inputs, linear>"
    assert repr(MLP([], [], [])) == "<MLP: no layers, 0 parameters>"
    assert repr(Layer([], [])) == "<Layer: 0, 0 parameters>"
