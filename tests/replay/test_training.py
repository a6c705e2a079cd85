"""How a loss fell and how parameters went, from the log alone."""

import math

import pytest

from stepgrad import SGD, State, Value, mark, record
from stepgrad.recording.recording import Recording
from stepgrad.replay.training import course, gradient_course, last_update, losses, parameters
from stepgrad.scenario import record_scenario


def descent(steps: int) -> Recording:
    """Minimise (w − 1)² from w = 3; each step halves the way: loss 4, 1, 1/4 …"""
    with record() as recording:
        w = Value(3.0, label="w")
        optimizer = SGD([w], 0.25)
        for step in range(steps):
            mark("step", step)
            loss = (w - 1) ** 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return recording


def test_the_loss_of_each_step_is_that_before_its_update() -> None:
    found = losses(descent(4), 10)
    assert [loss.ordinal for loss in found] == [0, 1, 2, 3]
    assert [loss.value for loss in found] == [4.0, 1.0, 0.25, 0.0625]


def test_few_points_are_spread_over_all_steps_from_the_first_to_the_last() -> None:
    assert [loss.ordinal for loss in losses(descent(9), 3)] == [0, 4, 8]
    assert [loss.ordinal for loss in losses(descent(9), 1)] == [8]
    assert [loss.ordinal for loss in losses(descent(9), 9)] == [*range(9)]
    assert losses(descent(9), 0) == losses(descent(0), 3) == ()


def test_the_losses_of_a_scenario_are_those_it_promises() -> None:
    found = dict(losses(record_scenario("xor_tanh"), 200))
    for step, loss in {0: 4.149063, 20: 2.916627, 40: 1.473297, 80: 0.293563}.items():
        assert math.isclose(found[step], loss, abs_tol=5e-7)


def test_the_loss_after_training_is_what_is_computed_last() -> None:
    recording = record_scenario("xor_tanh")
    assert len(recording.steps) == 101
    end = State(recording, recording.length)
    assert end.destination is not None
    assert losses(recording, 1000)[-1] == (100, end.value(end.destination))


def test_a_parameter_has_a_course_of_values_and_one_of_gradients() -> None:
    recording = descent(4)
    [w] = parameters(recording)
    assert course(recording, w, 10) == (2.0, 1.5, 1.25, 1.125)
    assert gradient_course(recording, w, 10) == (4.0, 2.0, 1.0, 0.5)


@pytest.mark.parametrize("points", [1, 2, 3])
def test_a_recording_without_training_has_no_losses(points: int) -> None:
    assert losses(Recording(), points) == ()


def test_the_last_update_is_where_the_parameters_became_what_they_are() -> None:
    recording = descent(3)
    [w] = parameters(recording)
    for position in range(recording.length + 1):
        updated = last_update(recording, position)
        assert updated <= position
        if State(recording, position).value(w) is not None and updated:
            assert State(recording, updated).value(w) == State(recording, position).value(w)
            assert State(recording, updated).phase == "update"
