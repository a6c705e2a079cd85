"""A network is recognised where it is certain, and shows the numbers of the row at hand."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from stepgrad import MLP, Recording, State, Value, mark, record, scope
from stepgrad.engine.tape import seed
from stepgrad.engine.world import World
from stepgrad.recording.events import Accumulate
from stepgrad.replay.graph.network.picture import Network, network
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file

XOR = record_file(open_scenario("xor_tanh"))
FLIP = record_file(open_scenario("diagonal_flip"))


def shown(recording: Recording, position: int | None = None) -> Network:
    found = network(State(recording, recording.length if position is None else position))
    assert found is not None
    return found


def neuron(inputs: list[Value], bias_last: bool = False) -> Value:
    """A neuron as people write it."""
    weights, bias = [Value(0.5) for _ in inputs], Value(0.1)
    terms = [weight * x for weight, x in zip(weights, inputs, strict=True)]
    z = sum(terms[1:], terms[0]) + bias if bias_last else sum(terms, bias)
    return z.tanh()


def layered(layer: Callable[[int, list[Value]], list[Value]]) -> Recording:
    """Two layers of two neurons, made by hand, and a loss."""
    with record() as recording:
        values = [Value(1.0), Value(2.0)]
        for number in (1, 2):
            with scope(f"layer{number}"):
                values = layer(number, values)
        (values[0] + values[1]).backward()
    return recording


def side_by_side(values: list[Value], bias_last: bool = False) -> list[Value]:
    made = []
    for number in (1, 2):
        with scope(f"neuron{number}"):
            made.append(neuron(values, bias_last))
    return made


def test_the_network_of_a_scenario_is_recognised_in_every_step() -> None:
    for position in (0, 1, XOR.steps[0] + 1, XOR.length // 2, XOR.length):
        found = shown(XOR, position)
        assert (found.sizes, found.rows, found.models) == ("2-4-1", 4, 1)


def test_layers_written_by_hand_are_recognised_whatever_the_order_of_the_sum() -> None:
    for bias_last in (False, True):

        def layer(_: int, values: list[Value], last: bool = bias_last) -> list[Value]:
            return side_by_side(values, last)

        recording = layered(layer)
        assert shown(recording).sizes == "2-2-2"
        assert shown(recording).layers[0][0].bias is not None


def test_plain_numbers_are_inputs_too() -> None:
    with record() as recording:
        model = MLP.drawn([3, 2, 1], ["relu", "linear"], Random(1))
        model([1, 2, 3])
    assert [(each.name, each.value) for each in shown(recording).inputs] == [
        ("x1", 1.0), ("x2", 2.0), ("x3", 3.0),
    ]  # fmt: skip


def test_parameters_may_be_older_than_the_recording() -> None:
    model = MLP.drawn([2, 3, 1], ["relu", "linear"], Random(1))
    with record() as recording:
        for step in range(3):
            mark("step", step)
            model([Value(1.0, label="x1"), Value(2.0, label="x2")])[0].backward()
    for position in (1, recording.steps[1] + 1, recording.length):
        assert shown(recording, position).sizes == "2-3-1"


@pytest.mark.parametrize(
    "layer",
    [
        lambda _, values: [2 * each for each in side_by_side(values)],
        lambda number, values: side_by_side(values[::-1]) if number > 1 else side_by_side(values),
        lambda _, values: [each + values[0] for each in side_by_side(values)],
    ],
)
def test_what_is_not_certain_is_no_network(
    layer: Callable[[int, list[Value]], list[Value]],
) -> None:
    recording = layered(layer)
    assert network(State(recording, recording.length)) is None


def test_scopes_that_are_called_like_neurons_are_not_enough() -> None:
    with record() as recording, scope("layer1"), scope("neuron1"):
        Value(2.0) * 3.0
        Value(1.0).tanh().backward()
    assert network(State(recording, recording.length)) is None
    assert network(State(record_file(open_scenario("two_layer")), 3)) is None


def test_two_networks_with_the_same_names_are_told_apart_by_their_parameters() -> None:
    with record() as recording:
        models = [MLP.drawn([1, 2, 1], ["tanh", "linear"], Random(seed)) for seed in (1, 2)]
        for x in (0.5, 1.5):
            for number, model in enumerate(models):
                model([Value(x)])[0].label = f"answer{number}"
    whole = State(recording, recording.length)
    answers = [node for node, name in whole.scene.names if name.startswith("answer")]
    found = [network(whole, answer) for answer in answers]
    assert [each and (each.model, each.number, each.rows, each.models) for each in found] == [
        (1, 1, 2, 2), (2, 1, 2, 2), (1, 2, 2, 2), (2, 2, 2, 2),
    ]  # fmt: skip
    own = [each.layers[0][0].weights[0].weight.value for each in found if each]
    assert own[0] == own[2] != own[1] == own[3]


def test_numbers_are_those_of_the_state() -> None:
    for position in range(0, FLIP.length + 1, 7):
        state = State(FLIP, position)
        for layer in shown(FLIP, position).layers:
            for each in layer:
                name = f"row1/{each.name}"
                z = FLIP.first_named(f"{name}/z") if not each.linear else each.z.index
                assert (each.z.value, each.z.grad) == (state.value(z), state.grad(z))
                for number, (weight, _) in enumerate(each.weights, 1):
                    known = FLIP.first_named(f"{each.name}/w{number}")
                    assert (weight.value, weight.grad) == (state.value(known), state.grad(known))


def test_stepping_moves_the_row_and_brightens_the_neuron() -> None:
    begin, end = XOR.steps[1], XOR.steps[2]
    rows, bright = [], set()
    for position in range(begin + 1, end):
        found = shown(XOR, position)
        rows.append(found.number)
        bright |= {each.name for layer in found.layers for each in layer if each.current}
    forwards = rows[: rows.index(4) + 1]
    assert forwards == sorted(forwards)
    assert set(rows) == {1, 2, 3, 4}
    assert len(bright) == 5


def test_the_row_of_a_selected_node_is_shown() -> None:
    state = State(XOR, XOR.steps[1] + 1)
    for row in (1, 2, 3, 4):
        node = next(n for n, name in state.scene.names if name == f"row{row}/y")
        found = network(state, node)
        assert found is not None
        assert found.number == row
        chosen = found.neuron(node)
        assert chosen is not None
        assert chosen.name == "layer2/neuron1"


def test_the_edge_that_is_walked_is_current() -> None:
    seen = 0
    for position in range(1, FLIP.length + 1):
        event = FLIP.events[position - 1]
        if isinstance(event, Accumulate) and FLIP.node(event.out).op.name == "mul":
            walked = [
                weight
                for layer in shown(FLIP, position).layers
                for each in layer
                for weight, current in each.weights
                if current
            ]
            assert [each.index for each in walked] == [FLIP.node(event.out).operands[0]]
            seen += 1
    assert seen == 2 * (4 * 3 + 3 * 4)


def test_a_shut_gate_is_seen_and_a_world_may_shut_more() -> None:
    assert [each.shut for each in shown(FLIP).layers[0]] == [True, True, False]
    shut = record_file(open_scenario("diagonal_flip"), world=World.read("shut relu"))
    assert all(each.shut for each in shown(shut).layers[0])


def test_forward_mode_shows_tangents() -> None:
    with record() as recording:
        model = MLP.drawn([1, 1], ["tanh"], Random(1))
        x = Value(0.5, label="x")
        seed(x, 1.0)
        model([x])
    [[only]] = shown(recording).layers
    assert (only.z.derivative.word, only.h.derivative.word) == ("tangent", "tangent")
    assert only.z.tangent == only.weights[0].weight.value


def test_targets_and_the_loss_come_last() -> None:
    found = shown(FLIP)
    assert [target.value for target in found.targets] == [1, 1, 0, 1]
    assert found.loss is not None
    assert found.loss.name == "loss"
    assert found.loss.value == pytest.approx(0.89625)


def test_passes_before_training_and_after_it_show_the_network_next_to_them() -> None:
    with record() as recording:
        model = MLP.drawn([1, 1], ["tanh"], Random(1))
        for step in range(2):
            mark("step", step)
            loss = (model([1.0])[0] - 1) ** 2
            loss.backward()
        mark("step", 2)
        Value(1.0) * 2
    assert [shown(recording, each).sizes for each in (0, recording.length)] == ["1-1", "1-1"]
