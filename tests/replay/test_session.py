"""A session: what a debugger remembers, command by command, against the events themselves."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import Program, programs, run
from replay_runs import training, two_layer
from scenario.runs import ROOT
from stepgrad import Cursor, Recording, Value, op, record, record_scenario
from stepgrad.harness import Replay
from stepgrad.program import run_program
from stepgrad.recording.events import Accumulate, Seed, SetGrad, ZeroGrad
from stepgrad.replay.commands import looking, moving, stopping
from stepgrad.replay.commands.searching import SearchError, match, next_hit, search
from stepgrad.replay.session import Session
from stepgrad.replay.stops.language import Condition, ConditionError
from tries import tries

TRAINING = training()
TWO_LAYER = two_layer()


def at(recording: Recording, position: int = 0, name: str = "") -> Session:
    selected = recording.first_named(name) if name else None
    return Session(Cursor(recording, position), selected)


def positions(session: Session, *, forward: bool) -> list[int]:
    """Every place that running comes by, the end included."""
    places: list[int] = []
    while True:
        there = stopping.run(session, forward=forward)
        if there.cursor == session.cursor:
            return places
        places.append(there.cursor.position)
        session = there


def test_without_stops_it_runs_to_the_ends() -> None:
    session = at(TWO_LAYER, 5)
    assert stopping.run(session, forward=True).cursor.position == TWO_LAYER.length
    assert stopping.run(session, forward=False).cursor.position == 0
    said = "no stops are set (⟦break⟧ sets one): this is the end"
    assert stopping.run(session, forward=True).said == said


def test_with_stops_it_goes_from_one_to_the_next_and_says_which() -> None:
    session = stopping.stop_where(
        stopping.stop_where(at(TWO_LAYER), "position == 4"), 'node == "h"'
    )
    first = stopping.run(session, forward=True)
    assert (first.cursor.position, first.said) == (4, "stopped: position == 4")
    second = stopping.run(first, forward=True)
    assert second.said == 'stopped: node == "h"'
    forward = positions(session, forward=True)
    end = session.go(session.cursor.seek(TWO_LAYER.length))
    assert positions(end, forward=False) == [*reversed(forward[:-1]), 0]
    assert stopping.run(end, forward=True).said == "no stop on the way: this is the end"
    assert stopping.run(session, forward=False).said == "no stop on the way: this is the start"


def walk_on(session: Session) -> list[int]:
    places: list[int] = []
    while "no later write" not in (session := moving.next_write(session)).said:
        places.append(session.cursor.position)
    return places


@settings(max_examples=tries(100))
@given(programs(), st.data())
def test_next_write_goes_through_every_writer_to_come(
    program: Program, data: st.DataObject
) -> None:
    with record() as recording:
        run(program, [Value(1.5, label="a"), Value(-2.0)])
    nodes = [n for n in range(recording.size) if not recording.node(n).constant]
    node = data.draw(st.sampled_from(nodes))
    start = data.draw(st.integers(0, recording.length))
    every = writers(recording, node, recording.length)
    assert walk_on(Session(Cursor(recording, start), node)) == [
        place for place in reversed(every) if place > start
    ]


@settings(max_examples=tries(100))
@given(programs(), st.data())
def test_an_edge_leads_to_where_it_is_walked_or_made(program: Program, data: st.DataObject) -> None:
    with record() as recording:
        run(program, [Value(1.5, label="a"), Value(-2.0)])
    session = Session(Cursor(recording, data.draw(st.integers(0, recording.length))))
    edges = [
        (node, slot)
        for node in session.state.scene
        for slot, operand in enumerate(recording.node(node).operands)
        if not recording.node(operand).constant
    ]
    if not edges:
        return
    out, slot = data.draw(st.sampled_from(edges))
    begin, end = session.state.step_bounds
    walks = [
        position
        for position, event in enumerate(recording.events[:end], 1)
        if position > begin
        and isinstance(event, Accumulate)
        and (event.out, event.slot) == (out, slot)
    ]
    there = moving.go_to_edge(session, out, slot)
    if walks:
        assert there.cursor.position in walks
        assert there.said == "this edge's backward step"
    else:
        assert there.cursor.position == recording.history.made_at(out)
        assert "no backward pass" in there.said


def test_a_line_leads_to_each_of_its_events_in_turn() -> None:
    session = Replay.of("two_layer").session
    lines = [place.line for place in (session.recording.node(n).place for n in range(6))]
    line = lines[2]  # the parameters
    assert line is not None
    tour = []
    for _ in range(lines.count(line) + 1):
        session = moving.go_to_line(session, None, line)
        tour.append(session.state.focus)
    made = [node for node, of in enumerate(lines) if of == line]
    assert tour == [*made, made[0]]
    assert (
        moving.go_to_line(session, None, 1).said == "line 1 makes no node in this part of the run"
    )


def test_a_line_that_writes_a_gradient_leads_to_the_write() -> None:
    recording = run_program(str(ROOT / "scenarios" / "overwritten_gradient.py")).recording
    positions = range(1, recording.length + 1)
    session = Session(Cursor(recording))
    writes = {each: session.cursor.seek(each).state.place for each in positions}
    place, position = next((place, each) for each, place in writes.items() if place is not None)
    assert place.line is not None
    there = moving.go_to_line(session, place.file, place.line)
    assert there.cursor.position == position


def test_of_several_passes_an_edge_leads_to_the_one_at_hand() -> None:
    with record() as recording:
        x = Value(3.0)
        y = x * 2.0
        y.backward()
        y.backward()
    session = Session(Cursor(recording))
    assert [moving.go_to_edge(session.go(session.cursor.seek(k)), 2, 0).cursor.position
            for k in range(7)] == [4, 4, 4, 4, 4, 6, 6]  # fmt: skip


def test_selecting_goes_from_line_to_line_past_what_is_folded() -> None:
    session = replace(at(TRAINING, TRAINING.steps[1] + 1), folded=frozenset({"neuron"}))
    session = session.select(TRAINING.first_named("neuron/b"))
    below = looking.select_by(session, 1)
    assert below.selected == session.scene[2]
    assert looking.select_by(below, -1).selected == TRAINING.first_named("neuron/w")


def test_a_search_opens_what_it_finds() -> None:
    session = replace(at(TRAINING, TRAINING.steps[1] + 1), folded=frozenset({"neuron"}))
    assert search(session, "neuron/b").folded == frozenset()


def test_running_lets_go_of_the_selection() -> None:
    assert stopping.run(at(TWO_LAYER, 3, "h"), forward=True).selected is None


def test_an_empty_recording_bears_every_command() -> None:
    session = stopping.stop_where(Session(Cursor(Recording())), "position > 0")
    assert session.subject is None
    for after in (
        stopping.run(session, forward=True),
        stopping.run(session, forward=False),
        looking.select_by(session, 1),
        stopping.toggle_stop(session, every=True),
        moving.previous_write(session),
        moving.next_bookmark(moving.bookmark(session)),
    ):
        assert after.cursor.position == 0


def test_a_stop_is_set_and_taken_away() -> None:
    session = at(TWO_LAYER, 3, "h")
    stopped = stopping.toggle_stop(session, every=False)
    assert stopped.said == "stop at h: press ⟦continue⟧ to go there"
    assert len(stopped.stops) == 1
    watched = stopping.toggle_stop(stopped, every=True)
    assert watched.said == "watching h: press ⟦continue⟧ to go there"
    assert len(watched.stops) == 2
    gone = stopping.toggle_stop(watched, every=False)
    assert gone.said == "stop removed: h"
    assert gone.stops == watched.stops[1:]
    assert session.stops == ()


def test_a_stop_is_taken_away_at_its_like_in_another_step() -> None:
    losses = [n for n in range(TRAINING.size) if TRAINING.node(n).name == "loss"]
    session = stopping.toggle_stop(at(TRAINING).select(losses[0]), every=False)
    assert stopping.toggle_stop(session.select(losses[2]), every=False).stops == ()


def test_a_condition_is_set_and_taken_away_and_all_of_them_at_once() -> None:
    session = stopping.stop_where(at(TWO_LAYER), " grad > 1 ")
    assert session.said == "stop where grad > 1: press ⟦continue⟧ to go there"
    assert session.stops == (Condition("grad > 1"),)
    gone = stopping.stop_where(session, "grad > 1")
    assert (gone.said, gone.stops) == ("stop removed: grad > 1", ())
    both = stopping.stop_where(stopping.stop_where(session, "value > 1"), "  ")
    assert (both.said, both.stops) == ("all stops removed", ())
    with pytest.raises(ConditionError, match="did you mean `grad`"):
        stopping.stop_where(session, "grda > 1")


def writers(recording: Recording, node: int, before: int) -> list[int]:
    """The positions just after each event that wrote a node's gradient, the latest first."""
    wrote = (Accumulate, Seed, SetGrad, ZeroGrad)
    found = [
        index + 1
        for index, event in enumerate(recording.events[:before])
        if isinstance(event, wrote) and event.node == node
    ]
    return found[::-1]


def walk_back(session: Session) -> list[int]:
    places: list[int] = []
    while "no earlier write" not in (session := moving.previous_write(session)).said:
        assert "was written here" in session.said
        places.append(session.cursor.position)
    return places


@settings(max_examples=tries(100))
@given(programs(), st.data())
def test_who_wrote_goes_through_every_writer(program: Program, data: st.DataObject) -> None:
    with record() as recording:
        run(program, [Value(1.5, label="a"), Value(-2.0)])
    nodes = [n for n in range(recording.size) if not recording.node(n).constant]
    node = data.draw(st.sampled_from(nodes))
    start = data.draw(st.integers(0, recording.length))
    expected = writers(recording, node, start)
    if expected and expected[0] == start:  # one stands on it already
        expected = expected[1:]
    assert walk_back(Session(Cursor(recording, start), node)) == expected


@pytest.mark.parametrize("name", ["neuron/w", "neuron/b", "loss"])
def test_who_wrote_goes_across_training_steps(name: str) -> None:
    node = TRAINING.first_named(name)
    session = at(TRAINING, TRAINING.length).select(node)
    assert walk_back(session) == [
        place for place in writers(TRAINING, node, TRAINING.length) if place != TRAINING.length
    ]
    last = session
    for _ in range(100):
        last = moving.previous_write(last)
    assert "written right here: event" in last.said
    assert last.said.endswith("; no earlier write")
    assert last.selected == node


def test_a_write_at_this_very_event_is_told_as_such() -> None:
    recording = record_scenario("two_layer")
    end = Session(Cursor(recording, recording.length))
    said = "written right here: event 26, from w1·x; no earlier write"
    assert moving.previous_write(end).said == said
    assert moving.previous_write(end).cursor.position == 26
    earlier = moving.previous_write(Session(Cursor(recording, 12), recording.first_named("w1")))
    assert earlier.said == "no earlier write to w1.grad"


def test_bookmarks_are_gone_round() -> None:
    session = at(TWO_LAYER)
    assert moving.next_bookmark(session).said == "no bookmarks yet: ⟦bookmark⟧ sets one"
    for place in (7, 2, 11):
        session = moving.bookmark(session.go(session.cursor.seek(place)))
        assert session.said == f"bookmark at {place}: press ⟦next_bookmark⟧ to come back"
    assert session.bookmarks == (2, 7, 11)
    tour = []
    for _ in range(4):
        session = moving.next_bookmark(session)
        tour.append(session.cursor.position)
    assert tour == [2, 7, 11, 2]
    gone = moving.bookmark(session)
    assert (gone.said, gone.bookmarks) == ("bookmark removed", (7, 11))


def names(session: Session) -> str | None:
    assert session.selected is not None
    return session.recording.node(session.selected).name


def test_search_goes_round_in_both_directions() -> None:
    session = search(at(TWO_LAYER), " B ")
    assert (names(session), match(session)) == ("b1", (1, 2))
    there = next_hit(session, 1)
    assert (names(there), match(there)) == ("b2", (2, 2))
    assert match(there.select(None)) is None
    assert match(there.select(TWO_LAYER.first_named("x"))) is None
    assert names(next_hit(there, 1)) == "b1"
    assert names(next_hit(session, -1)) == "b2"


def test_search_goes_on_from_the_node_that_is_spoken_of() -> None:
    session = search(at(TWO_LAYER, 0, "b1"), "w")
    assert names(session) == "w2"
    assert names(next_hit(session, -1)) == "w1"


def test_a_search_for_nothing_and_of_nothing() -> None:
    assert next_hit(at(TWO_LAYER), 1).said == "nothing to repeat: ⟦search⟧ searches the nodes"
    with pytest.raises(SearchError, match='no node matches "zz"'):
        search(at(TWO_LAYER), "zz")
    with pytest.raises(SearchError, match="write part of a name"):
        search(at(TWO_LAYER), " ")


def test_a_search_finds_scopes_and_expressions() -> None:
    assert names(search(at(TRAINING), "neuron")) == "neuron/b"
    assert search(at(TWO_LAYER, TWO_LAYER.length), "y − t").selected is not None


@pytest.mark.parametrize("more", [0, 2000])
def test_a_search_finds_named_nodes_by_their_operation(more: int) -> None:
    with record() as recording:
        x = Value(2.0, label="x")
        for _ in range(more):
            x = x * 1.0
        h, y = x.tanh(), op(name="Mean")(lambda a: a * 0.5)(x)
        h.label, y.label = "h", "y"
    session = at(recording, recording.length)
    assert names(search(session, "tanh")) == "h"
    assert names(search(session, "mean")) == "y"
    with pytest.raises(SearchError):
        search(session, "tan" if more else "cos")


@given(st.integers(0, TWO_LAYER.length), st.lists(st.integers(-20, 20)))
def test_selecting_stays_in_the_scene(position: int, moves: list[int]) -> None:
    session = at(TWO_LAYER, position)
    scene = session.state.scene
    for lines in moves:
        before = session.subject if session.selected is not None else session.state.focus
        session = looking.select_by(session, lines)
        place = scene.index(before) if before is not None else -1
        assert session.selected == scene[max(0, min(place + lines, len(scene) - 1))]


def test_moving_lets_go_and_says_nothing() -> None:
    session = at(TWO_LAYER, 3, "h").say("something")
    moved = session.go(session.cursor.step())
    assert (moved.selected, moved.said) == (None, "")
    assert session.select(None).said == ""


def test_the_subject_is_the_selection_or_the_event() -> None:
    assert at(TWO_LAYER, 0, "h").subject == TWO_LAYER.first_named("h")
    assert at(TWO_LAYER, 3).subject == TWO_LAYER.events[2].focus
    assert at(TWO_LAYER).subject == 0


def test_sessions_are_values() -> None:
    session = at(TWO_LAYER, 3)
    assert session == at(TWO_LAYER, 3)
    with pytest.raises(FrozenInstanceError):
        session.said = "x"  # type: ignore[misc]
    for after in (
        moving.bookmark(session),
        stopping.toggle_stop(session, every=True),
        search(session, "w"),
    ):
        assert after != session
    assert session == at(TWO_LAYER, 3)
