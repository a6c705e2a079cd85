"""What a network is shown and what it answers."""

from collections.abc import Callable
from math import tanh
from pathlib import Path

import pytest

from stepgrad import Recording, State, Value, op, record, scope
from stepgrad.replay.samples import Sample, response, samples
from stepgrad.scenario import record_scenario


def answering(state: State, sample: Sample) -> Callable[..., float]:
    found = response(state, sample, sample.outputs[0])
    assert found is not None
    return found


def test_the_samples_of_xor_are_its_rows() -> None:
    recording = record_scenario("xor_tanh")
    state = State(recording, recording.length)
    shown = samples(state)
    assert [sample.scope for sample in shown] == ["row1", "row2", "row3", "row4"]
    inputs = [tuple(map(state.value, sample.inputs)) for sample in shown]
    assert inputs == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [state.value(sample.targets[0]) for sample in shown] == [-1, 1, 1, -1]


@pytest.mark.parametrize("position", [0, 5, 600, 39853])
def test_the_response_at_a_sample_is_what_the_network_answers_there(position: int) -> None:
    recording = record_scenario("xor_tanh")
    state = State(recording, position)
    for sample in samples(state):
        inputs = [recording.history.first_value(node) for node in sample.inputs]
        answer = answering(state, sample)(*inputs)
        assert answer == recording.history.first_value(sample.outputs[0])


def test_the_response_is_a_function_of_the_inputs_with_the_parameters_of_the_position() -> None:
    with record() as recording:
        w = Value(2.0, label="w")
        with scope("one"):
            x = Value(1.0, label="x")
            y = (w * x + 0.5).tanh()
            y.label = "y"
        before = recording.length
        w.data = 3.0
    [sample] = samples(State(recording, before))
    assert answering(State(recording, before), sample)(4.0) == tanh(8.5)
    after = State(recording, recording.length)
    assert answering(after, sample)(0.0) == tanh(0.5)
    assert answering(after, sample)(4.0) == tanh(12.5)


def test_names_that_make_no_whole_sample_are_none() -> None:
    with record() as recording:
        for label in ("x1", "x2", "z"):
            Value(1.0, label=label)
        with scope("b"):
            (Value(1.0, label="x") * 2).label = "y1"
            Value(0.0, label="t1")
            Value(0.0, label="t2")
    assert samples(State(recording, 0)) == ()


def test_a_networks_own_operations_answer_as_long_as_their_functions_are_known(
    tmp_path: Path,
) -> None:
    with record() as recording:
        x = Value(1.0, label="x")
        op(tanh)(x * 2).label = "y"
    [sample] = samples(State(recording, recording.length))
    assert answering(State(recording, recording.length), sample)(4.0) == tanh(8.0)
    recording.save(tmp_path / "own.stepgrad")
    again = Recording.load(tmp_path / "own.stepgrad")
    assert response(State(again, again.length), sample, sample.outputs[0]) is None
