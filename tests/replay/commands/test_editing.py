"""Editing a leaf, and what it changes."""

import gc
from collections.abc import Mapping
from functools import cache
from pathlib import Path
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


def test_an_edit_reads_numbers_as_predictions_do_and_says_as_many_digits_as_it_takes() -> None:
    edited = edit(session(), "w = 1/3")
    assert dict(edited.edits) == {"w": 1 / 3}
    assert edited.said == "w 0.5 → 0.333333: L +0.8611, by the gradient +0.8333"
    assert edit(session(), "w = 0.5000001").said.startswith("w 0.5 → 0.5000001: L ")
    assert edit(session(), "w = −∞").said.startswith("w 0.5 → −inf: L 6.25 → inf, ")


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


def test_stops_stay_and_those_at_nodes_work_in_the_new_recording() -> None:
    start = stopping.toggle_stop(stopping.stop_where(session(), "isnan(grad)"), every=False)
    edited = edit(start, "w = 2")
    assert [stop.text for stop in edited.stops] == ["isnan(grad)", "L"]
    made = stopping.run(edited.go(edited.cursor.seek(0)), forward=True)
    assert made.state.focus == edited.recording.first_named("L")


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
        before, blocks = blocks, sum(type(each) is Forward for each in gc.get_objects())
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


@cache
def scenario_session(name: str = "xor_tanh") -> Session:
    return Replay.of(name).session


@pytest.mark.parametrize(
    ("text", "edits"),
    [
        ("learning_rate = 0.1", {"learning_rate": "0.1"}),
        ("lr = lr*2", {"learning_rate": "0.1"}),
        ("lr=learning_rate / 10", {"learning_rate": "0.005"}),
        ("steps = steps/2", {"steps": "50"}),
        ("seed=7", {"seed": "7"}),
        ("activation = relu, linear", {"activation": "relu, linear"}),
        ("activation = [relu, linear]", {"activation": "[relu, linear]"}),
        ("optimizer = adam", {"optimizer": "adam"}),
    ],
)
def test_settings_are_edited_by_their_names(text: str, edits: dict[str, str]) -> None:
    session = edit(scenario_session(), text)
    assert dict(session.edits) == edits
    assert session.original is not None
    assert session.recording is not session.original
    [name] = edits
    original = {"learning_rate": "0.05", "steps": "100", "seed": "42", "activation": "tanh"}
    back = edit(session, f"{name} = {original.get(name, 'sgd')}")
    assert (back.edits, back.recording) == ((), session.original)


def test_a_setting_is_what_the_recording_is_made_with() -> None:
    shorter = edit(scenario_session(), "steps = 3").recording
    assert len(shorter.steps) == 4
    other = edit(scenario_session(), "seed = 1").recording
    assert other.history.first_value(0) != scenario_session().recording.history.first_value(0)
    both = edit(edit(scenario_session(), "steps = 3"), "layer1/neuron1/b = 1")
    assert [name for name, _ in both.edits] == ["steps", "layer1/neuron1/b"]
    assert len(both.recording.steps) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr = x", "expected a number, not the text `x`"),
        ("lr =", "learning_rate is 0.05: write a value, as in learning_rate = 0.05"),
        ("steps = -1", "must be at least 0"),
        ("steps = 2.5", "expected a whole number, not the number `2.5`"),
        ("activation = rleu", "expected `linear`, `tanh`, `relu`, `sigmoid` or `leaky_relu`"),
        ("activation = relu, tanh, linear", "3 activations for 2 layers"),
        ("momentum = 0.9", "no input or parameter is called momentum"),
        ("lr = 0.1}", "not valid YAML: "),
        ("lr = 0.1, momentum: 2", "expected a number, not a list"),
    ],
)
def test_a_setting_keeps_the_rules_of_the_file(text: str, message: str) -> None:
    with pytest.raises(StepgradError) as caught:
        edit(scenario_session(), text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "x"),
    [
        ("w1*2", 1.0),
        ("w1 = (w2 + x)/2", 2.5),
        ("-x", -3.0),
        ("relu(-x) + 2**3", 8.0),
        ("1/3", 1 / 3),
    ],
)
def test_an_edit_takes_an_expression_of_leaves(text: str, x: float) -> None:
    session = scenario_session("two_layer").select(2)
    assert dict(edit(session, text).edits) == {"w1": x}


def test_names_in_an_expression_are_first_those_beside_the_subject() -> None:
    start = scenario_session()
    history = start.recording.history
    first, second = (start.recording.first_named(f"layer1/neuron2/w{i}") for i in (1, 2))
    edited = edit(start.select(first), "w2")
    assert dict(edited.edits) == {"layer1/neuron2/w1": history.first_value(second)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("w9*2", "no input or parameter is called w9; did you mean `w1`?"),
        ("h*2", "h is computed: only inputs and parameters can be edited"),
        ("2*", "cannot read this statement: invalid syntax"),
        ("w1.real", "an attribute cannot be used in an expression"),
        ("__import__(1)", "unknown function `__import__`"),
        ("2*1/0", "`2*1/0` divides by zero"),
    ],
)
def test_what_is_no_expression(text: str, message: str) -> None:
    with pytest.raises(EditError) as caught:
        edit(scenario_session("two_layer").select(2), text)
    assert str(caught.value).startswith(message)


def test_a_leaf_comes_before_a_setting_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "named.yaml"
    path.write_text(
        "title: t\nparams: {steps: 2.0}\ngraph: [y = steps**2]\nbackward: y\n"
        "train: {steps: 3, learning_rate: 0.1}\n"
    )
    edited = edit(Replay.of(path).session, "steps = 5")
    assert dict(edited.edits) == {"steps": 5.0}
