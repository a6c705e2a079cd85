"""Editing a leaf, and what it changes."""

import gc
from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

import pytest

from stepgrad import Cursor, Value, record
from stepgrad.engine.world import World
from stepgrad.errors import StepgradError
from stepgrad.harness import Replay
from stepgrad.recording.blocks import Forward
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands import stopping
from stepgrad.replay.commands.editing import ask, edit
from stepgrad.replay.commands.script import replay
from stepgrad.replay.commands.variants import (
    NO_WORLD,
    EditError,
    ask_world,
    change_world,
    undo_edits,
)
from stepgrad.replay.difference import differences
from stepgrad.replay.graph.folding import folded_graph
from stepgrad.replay.graph.outline import outline
from stepgrad.replay.program import Program
from stepgrad.replay.samples import samples
from stepgrad.replay.session import Session
from stepgrad.replay.stops.language import Condition
from stepgrad.replay.stops.stop import NodeStop, Stop, find
from stepgrad.replay.telling.titles import titles
from stepgrad.replay.training import course, losses, parameters
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.scenario.rerun import rerun


def program(edits: Mapping[str, Any], world: World | None = None) -> Recording:
    recording = Recording()
    recording.world = world
    with record(recording):
        w = Value(edits.get("w", 0.5), label="w")
        bit = Value(edits.get("bit", 1.0), label="bit")
        z = w * bit
        z.label = "z"
        L = (z - 3) ** 2  # noqa: N806
        L.label = "L"
        L.backward()
    return recording


def session(position: int = 6) -> Session:
    return Session(Cursor(program({})).seek(position), program=Program(program))


def test_an_edit_runs_the_program_again_and_keeps_the_place() -> None:
    edited = edit(session(), "w = 2")
    assert edited.cursor.position == 6
    assert edited.edits == (("w", 2.0),)
    assert edited.state.value(0) == 2.0
    assert edited.original is not None
    assert edited.original.history.value(0, 6) == 0.5


@pytest.mark.parametrize("position", [0, 1])
def test_an_edit_may_name_what_is_still_to_come(position: int) -> None:
    edited = edit(session(position), "bit = 0")
    assert edited.edits == (("bit", 0.0),)
    assert edited.cursor.position == position
    with pytest.raises(EditError, match="z is computed: only inputs and parameters can be edited"):
        edit(session(position), "z = 1")


def test_a_number_alone_is_for_the_selected_leaf_and_edits_add_up() -> None:
    edited = edit(edit(session().select(1), "−0.25"), "w = 1e-3")
    assert dict(edited.edits) == {"bit": -0.25, "w": 0.001}


def test_a_number_can_be_edited_before_it_is_there() -> None:
    edited = edit(session(0), "bit = 0")
    assert dict(edited.edits) == {"bit": 0.0}
    assert edited.cursor.position == 0


def test_nothing_flips_a_bit() -> None:
    once = edit(session().select(1), "")
    assert dict(once.edits) == {"bit": 0.0}
    twice = edit(once.select(1), " ")
    assert (twice.said, twice.edits) == ("bit = 1", ())


def test_the_number_that_is_there_anyway_is_no_edit() -> None:
    start = session()
    same = edit(start, "w = 0.5")
    assert (same.said, same.edits) == ("w is 0.5 already", ())
    assert same.recording is start.recording
    once = edit(edit(start, "bit = 0"), "w = 2")
    again = edit(once, "w = 2.0")
    assert (again.said, again.edits) == ("w is 2 already", once.edits)
    assert again.recording is once.recording
    assert edit(start, "bit = -1").edits == (("bit", -1.0),)


def test_an_edit_back_to_the_first_number_is_undone() -> None:
    start = session()
    once = edit(edit(start, "bit = 0"), "w = 2")
    back = edit(once, "w = 0.5")
    assert (back.said, back.edits) == ("w = 0.5", (("bit", 0.0),))
    assert back.state.value(0) == 0.5
    assert edit(back, "bit = 1").recording is start.recording


def test_an_edit_reads_numbers_as_predictions_do_and_says_all_their_digits() -> None:
    edited = edit(session(), "w = 1/3")
    assert dict(edited.edits) == {"w": 1 / 3}
    assert edited.said == "w = 0.3333333333333333"
    assert edit(session(), "w = 0.5000001").said == "w = 0.5000001"
    assert edit(session(), "w = −∞").said == "w = −inf"


def test_undo_brings_the_very_recording_back() -> None:
    start = session()
    back = undo_edits(edit(edit(start, "w = 2"), "w = 3"))
    assert back.recording is start.recording
    assert back.edits == ()
    assert undo_edits(start).said == "there are no edits"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("z = 1", "z is computed: only inputs and parameters can be edited"),
        ("q = 1", "no input or parameter is called q"),
        ("w = x", "`x` is not a number; write 0.25, −3, 2e-3, 1/3, inf or nan"),
        (
            "w = 0,7",
            "`0,7` is not a number; write a decimal point, as in 0.25, −3, 2e-3, 1/3, inf or nan",
        ),
        ("w = snan", "`snan` is not a number; write 0.25, −3, 2e-3, 1/3, inf or nan"),
        ("w =", "w is 0.5, and only 0 and 1 flip: write a number, as in w = 0.7"),
    ],
)
def test_what_cannot_be_edited(text: str, message: str) -> None:
    with pytest.raises(EditError) as caught:
        edit(session(), text)
    assert str(caught.value) == message


def test_a_recording_without_a_program_cannot_run_again() -> None:
    with pytest.raises(EditError, match="only a scenario"):
        edit(Session(Cursor(program({}))), "w = 1")


def test_differences_are_told_by_name_and_only_where_there_are_some() -> None:
    before = session(position=program({}).length)
    rows = differences(before.state, edit(before, "bit = 0").state)
    assert [row.name for row in rows] == ["w", "bit", "z", "L"]
    by_name = {row.name: row for row in rows}
    assert by_name["z"].value == (0.5, 0.0)
    assert by_name["w"].value == (0.5, 0.5)
    assert by_name["w"].grad == (-5.0, 0.0)
    assert differences(before.state, before.state) == []


def test_nan_does_not_differ_from_nan() -> None:
    def broken(_: Mapping[str, Any]) -> Recording:
        with record() as recording:
            y = Value(-1.0, label="x").log()
            y.label = "y"
        return recording

    first, second = (Session(Cursor(broken({})).seek(2)).state for _ in range(2))
    assert differences(first, second) == []


def test_stops_by_condition_stay_and_those_at_nodes_go() -> None:
    start = stopping.toggle_stop(stopping.stop_where(session(), "isnan(grad)"), every=False)
    assert [stop.text for stop in edit(start, "w = 2").stops] == ["isnan(grad)"]


def test_a_scenario_is_a_program() -> None:
    file = open_scenario("xor_tanh")
    recording = record_file(file)
    start = Session(Cursor(recording).seek(recording.length), program=rerun(file))
    for name in ("row2/x1 = 1", "row1/t = 1", "layer1/neuron1/w1 = 0.5"):
        edited = edit(start, name)
        assert differences(start.state, edited.state)


def test_the_question_names_its_target_and_says_first_what_cannot_be_edited() -> None:
    assert ask(session().select(0))[1] == "w = 0.5. What value instead?"
    assert ask(edit(session().select(0), "2"))[1] == "w = 2. What value instead?"
    question = "z is computed, so it cannot be edited. Which input or parameter?"
    assert ask(session().select(2))[1] == question
    unable, question = ask(Session(Cursor(program({}))))
    assert (question, "only a scenario can run again" in unable.said) == ("", True)


def test_recordings_that_nobody_looks_at_go() -> None:
    """What was worked out about one, and is kept, does not keep it."""
    made: WeakSet[Recording] = WeakSet()
    blocks = 0

    def noted(edits: Mapping[str, Any], _: World | None = None) -> Recording:
        recording = program(edits)
        made.add(recording)
        return recording

    here = Session(Cursor(noted({})).seek(6), program=Program(noted))
    for number in range(12):
        look_around(here)
        here = edit(here, f"w = {number}.5")
        gc.collect()
        assert len(made) <= 2  # this one, and the original
        before, blocks = blocks, sum(isinstance(each, Forward) for each in gc.get_objects())
    assert blocks == before


def look_around(session: Session) -> None:
    """Ask what the screen asks."""
    state, recording = session.state, session.recording
    stops: list[Stop] = [NodeStop.at(recording, 0), Condition("bad"), Condition("abs(grad) > 1")]
    for stop in stops:
        find(recording, [stop], 0, forward=True)
    for folded in (frozenset[str](), frozenset([""])):
        outline(state.scene, folded)
        folded_graph(state.scene, folded)
    titles(recording, recording.history.forward_of(0))
    samples(state)
    losses(recording, 10)
    for node in parameters(recording):
        course(recording, node, 10)
    replay(session, ["/w"])


def test_a_world_is_an_edit_of_another_kind() -> None:
    start = session(9)
    in_world = change_world(edit(start, "w = 2"), "overwrite")
    assert in_world.cursor.position == 9
    assert str(in_world.recording.world) == "overwrite"
    assert in_world.said == "overwrite: a contribution replaces the gradient: = for +="
    assert in_world.edits == (("w", 2.0),)
    assert edit(in_world, "w = 3").recording.world == in_world.recording.world
    usual = change_world(in_world, "")
    assert (usual.recording.world, usual.edits) == (None, (("w", 2.0),))
    back = undo_edits(in_world)
    assert back.recording is start.recording
    assert undo_edits(back).said == "there are no edits"


def test_a_bug_can_be_undone_without_an_edit() -> None:
    start = session()
    assert undo_edits(change_world(start, "wrong_order")).recording is start.recording


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "which bug? there are overwrite, no_zero_grad, "),
        ("shut", "which gate? e.g. `shut h1`, or `shut relu` for all of them"),
        ("shut z", "no gate is called `z`; there are none"),
    ],
)
def test_what_is_no_world(text: str, message: str) -> None:
    start = Replay.of("chain_rule").session
    with pytest.raises(StepgradError) as found:
        change_world(start, text)
    assert str(found.value).startswith(message)


def test_a_program_has_to_be_started_in_a_world() -> None:
    alone = Session(Cursor(program({})))
    assert ask_world(alone) == (alone.say(NO_WORLD), "")
    with pytest.raises(EditError, match="start a program with `stepgrad run --bug`"):
        change_world(alone, "overwrite")
    assert ask_world(session())[1] == "Which bug?"
