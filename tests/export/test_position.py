"""Which position an export is of."""

from __future__ import annotations

import pytest

from stepgrad import Value, mark, record
from stepgrad.export.position import end, find
from stepgrad.replay.commands.places import CommandError, goto
from stepgrad.replay.cursor import Cursor
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file


def test_the_end_of_a_training_is_that_of_its_last_step_with_a_backward_pass() -> None:
    recording = record_file(open_scenario("xor_tanh"))
    assert end(recording) == recording.steps[-1]
    assert Cursor(recording, end(recording)).state.step == 99


@pytest.mark.parametrize("name", ["two_layer", "dual_numbers", "forward_and_reverse"])
def test_the_end_of_anything_else_is_the_end(name: str) -> None:
    recording = record_file(open_scenario(name))
    assert end(recording) == recording.length


def test_the_end_of_a_training_that_was_broken_off() -> None:
    with record() as recording:
        for step in range(3):
            mark("step", step)
            x = Value(1.0, label="x") * 2.0
            if step < 2:
                x.backward()
    assert end(recording) == recording.steps[2]


def test_without_a_backward_pass_it_is_the_end() -> None:
    with record() as recording:
        for step in range(3):
            mark("step", step)
            Value(1.0, label="x")
    assert end(recording) == recording.length


def test_a_step_is_all_of_it() -> None:
    recording = record_file(open_scenario("xor_tanh"))
    for step in (0, 20, 99):
        position = find(recording, f"step {step}")
        assert position == recording.steps[step + 1]
        assert Cursor(recording, position).state.step == step
    assert find(recording, "step 100") == recording.length
    assert find(recording, " :step 20 ") == find(recording, "step 20")


@pytest.mark.parametrize("where", ["0", "14", "50%", "100%", "w1", "loss", "#3"])
def test_other_places_are_where_they_are_in_a_replay(where: str) -> None:
    recording = record_file(open_scenario("two_layer"))
    assert find(recording, where) == goto(Cursor(recording), where).position


@pytest.mark.parametrize("where", ["-1", "27", "999999"])
def test_no_position_is_taken_for_another(where: str) -> None:
    recording = record_file(open_scenario("two_layer"))
    with pytest.raises(CommandError, match=f"no event {where}: there are 26"):
        find(recording, where)
