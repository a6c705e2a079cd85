"""What a network is shown and what it answers."""

from math import tanh

import pytest

from stepgrad import State, Value, record, scope
from stepgrad.replay.samples import response, samples
from stepgrad.scenario import record_scenario


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
        answer = response(state, sample, sample.outputs[0])(*inputs)
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
    assert response(State(recording, before), sample, sample.outputs[0])(4.0) == tanh(8.5)
    after = State(recording, recording.length)
    assert response(after, sample, sample.outputs[0])(0.0) == tanh(0.5)
    assert response(after, sample, sample.outputs[0])(4.0) == tanh(12.5)


def test_names_that_make_no_whole_sample_are_none() -> None:
    with record() as recording:
        for label in ("x1", "x2", "z"):
            Value(1.0, label=label)
        with scope("b"):
            (Value(1.0, label="x") * 2).label = "y1"
            Value(0.0, label="t1")
            Value(0.0, label="t2")
    assert samples(State(recording, 0)) == ()
