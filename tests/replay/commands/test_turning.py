"""Knobs: decimal steps, bits, dials, undo, and what the notice promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import inf, isclose, nan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepgrad import Value, record
from stepgrad.engine.world import World
from stepgrad.harness import Replay
from stepgrad.recording.recording import Recording
from stepgrad.replay.commands import stopping
from stepgrad.replay.commands.editing import edit
from stepgrad.replay.commands.script import replay
from stepgrad.replay.commands.turning import COARSE, FINE, dial, knob, nudge, set_knob
from stepgrad.replay.commands.variants import change_world, redo, undo
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.difference import differences
from stepgrad.replay.program import Program
from stepgrad.replay.session import Session
from stepgrad.replay.stops.stop import NodeStop

STARTS = {name: Replay.of(name).session for name in ("two_layer", "diagonal_flip", "dual_numbers")}
XOR = Replay.of("xor_tanh").session


def at(name: str, node: str, position: int | None = None) -> Session:
    """A session with a node selected, at the end unless a position is given."""
    start = STARTS[name] if name in STARTS else Replay.of(name).session
    end = start.recording.length
    moved = start.go(start.cursor.seek(end if position is None else position))
    return moved.select(moved.recording.first_named(node))


def numbers(recording: Recording) -> list[object]:
    """Every event, in which all numbers are."""
    return [*recording.events]


def facts(session: Session) -> tuple[object, ...]:
    """What a person sees of a session, without its message and history."""
    stops = [(stop.text, isinstance(stop, NodeStop) and stop.node) for stop in session.stops]
    kept = session.cursor.position, session.selected, session.folded, session.view, stops
    return (*kept, session.edits, session.recording.world, numbers(session.recording))


Act = Callable[[Session], Session]

ACTS: Sequence[Act] = (
    lambda session: nudge(session, 3, step=COARSE),
    lambda session: nudge(session, -2, step=FINE),
    lambda session: edit(session.select(0), "0.25"),
    lambda session: edit(session.select(1), "-2*3"),
    lambda session: change_world(session, "overwrite"),
    lambda session: change_world(session, "wrong_order"),
)


@given(st.sampled_from(["two_layer", "diagonal_flip"]), st.lists(st.sampled_from(ACTS), max_size=4))
@settings(max_examples=40, deadline=None)
def test_undo_gives_each_session_back_and_redo_the_next(name: str, acts: list[Act]) -> None:
    session = stopping.toggle_stop(STARTS[name].select(1), every=True)
    passed = [session]
    for act in acts:
        session = act(session.select(1)).select(1)
        if len(session.past) == len(passed):  # it was no edit if the number was there already
            passed.append(session)
    for before in reversed(passed[:-1]):
        session = undo(session)
        assert facts(session) == facts(before)
    assert undo(session).said == "there is nothing to undo"
    assert session.recording is passed[0].recording
    for after in passed[1:]:
        session = redo(session)
        assert facts(session) == facts(after)
    assert redo(session).said == "there is nothing to redo"


def square(x: float) -> Session:
    """A session of a program that squares an input."""

    def run(edits: Mapping[str, Any], _: World | None = None) -> Recording:
        with record() as recording:
            w = Value(edits.get("w", x), label="w")
            (w * w).backward()
        return recording

    return Session(Cursor(run({}), 3), selected=0, program=Program(run))


@given(
    st.floats(-1e6, 1e6),
    st.lists(
        st.tuples(st.integers(-500, 500).filter(bool), st.sampled_from([COARSE, FINE])), max_size=4
    ),
)
@settings(deadline=None)
def test_nudges_forth_and_back_give_the_original(
    x: float, turns: list[tuple[int, Fraction]]
) -> None:
    start = session = square(x)
    moved = Fraction(0)
    for count, step in turns:
        session, moved = nudge(session, count, step=step), moved + count * step
        assert session.state.value(0) == float(Fraction(repr(x)) + moved)
    for count, step in turns:
        session = nudge(session, -count, step=step)
    assert not differences(start.state, session.state)


def test_steps_are_decimal() -> None:
    session, seen = at("chain_rule", "x"), []
    for _ in range(12):
        session = nudge(session, step=COARSE)
        seen.append(dict(session.edits)["x"])
    assert seen == [2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7, 2.8, 2.9, 3.0, 3.1, 3.2]


def test_a_bit_of_the_data_flips_and_no_other_number_does() -> None:
    flipped = nudge(at("diagonal_flip", "row1/x2"), step=COARSE)
    assert dict(flipped.edits) == {"row1/x2": 1.0}
    assert nudge(flipped, 3, step=-FINE).edits == ()
    assert nudge(flipped, 2, step=COARSE).said == "row1/x2 is 1 already"
    bias = nudge(at("diagonal_flip", "layer2/neuron1/b"), step=COARSE)
    assert dict(bias.edits) == {"layer2/neuron1/b": 0.1}
    written = edit(at("diagonal_flip", "row1/x2"), "0.5")
    assert dict(nudge(written, step=COARSE).edits) == {"row1/x2": 0.6}


@pytest.mark.parametrize(
    ("x", "said"),
    [
        ("inf", "w1 is inf: a step of 0.1 does not change it"),
        ("nan", "w1 is nan: a step of 0.1 does not change it"),
        ("1e300", "w1 is 1e300: a step of 0.1 does not change it"),
    ],
)
def test_what_a_step_does_not_change_stays(x: str, said: str) -> None:
    session = edit(at("two_layer", "w1"), x)
    assert nudge(session, step=COARSE).said == said
    assert nudge(session, step=COARSE).past == session.past


def test_a_knob_is_a_selected_leaf_of_what_can_run_again() -> None:
    session = at("two_layer", "w1")
    assert knob(session) == session.selected
    assert knob(session.select(None)) is None
    assert knob(at("two_layer", "h")) is None
    assert knob(Session(session.cursor, selected=0)) is None
    alone = nudge(Session(session.cursor, selected=0), step=COARSE)
    assert "only a scenario can run again" in alone.said


@given(st.floats(-1e300, 1e300), st.integers(3, 60))
@settings(deadline=None)
def test_a_dial_has_room_for_the_number_and_the_original_in_its_middle(x: float, most: int) -> None:
    session = at("two_layer", "w1")
    session = edit(session, repr(x)) if x != 0.5 else session
    shown = dial(session, session.selected or 0, most)
    assert 3 <= shown.places <= most
    assert shown.places % 2 == 1
    assert shown.at(shown.places // 2) == 0.5
    assert shown.at(-1) == shown.at(0) <= min(x, -0.5)
    assert shown.at(shown.places) == shown.at(shown.places - 1) >= max(x, 1.5)
    assert all(shown.place_of(shown.at(place)) == place for place in range(shown.places))


@pytest.mark.parametrize("x", [inf, -inf, nan])
def test_a_dial_does_without_numbers_that_have_no_place(x: float) -> None:
    session = edit(at("two_layer", "w1"), str(x))
    shown = dial(session, session.selected or 0, 21)
    assert shown.at(10) == 0.5


def test_a_drag_is_undone_as_a_whole() -> None:
    session = edit(at("two_layer", "w1"), "0.75")
    for fresh, x in ((1, 1.0), (0, 2.0), (0, 3.0)):
        session = set_knob(session, fresh, x=x)
    assert dict(undo(session).edits) == {"w1": 0.75}
    assert dict(redo(undo(session)).edits) == {"w1": 3.0}


def said(session: Session, *keys: str) -> str:
    return replay(session, keys).said


@pytest.mark.parametrize(
    ("start", "keys", "notice"),
    [
        (at("chain_rule", "x"), "]", "x 2 → 2.1: h +4.29, by the gradient +4.2"),
        (at("chain_rule", "x", 0), "]", "x 2 → 2.1: h +4.29, by the gradient +4.2"),
        (at("chain_rule", "x"), "10[", "x 2 → 1: h −33, by the gradient −42"),
        (
            at("two_layer", "w1"),
            "ex=4 ]",
            "w1 0.5 → 0.6 (with 1 other edit): loss −3.96, by the gradients −6.4",
        ),
        (
            at("diagonal_flip", "row1/t1"),
            "]",
            "t1 1 → 0: loss −0.2 (no gradient of t1 is known)",
        ),
        (at("dual_numbers", "x", 4), "]", "x 2 → 2.1: y −0.1978, by the tangent −0.2615"),
        (
            at("chain_rule", "x"),
            "%overwrite ]",
            "x 2 → 2.1: h +4.29 (a world with a bug keeps no promise)",
        ),
        (XOR.select(0), "]", "w1 0.278854 → 0.378854: loss −0.0007382, by the gradient +0.001219"),
        (
            at("xor_tanh", "layer1/neuron1/w1"),
            "]",
            "w1 0.278854 → 0.378854: loss −0.003021 (no gradient spans updates)",
        ),
        (XOR, "elr=lr*2", "learning_rate 0.05 → 0.1: loss stays 4.149"),
        (XOR, "G esteps=10", "steps 100 → 10: loss +3.311"),
    ],
)
def test_the_notice_says_what_calculus_promised_and_what_came(
    start: Session, keys: str, notice: str
) -> None:
    assert said(start, *keys.split()) == notice


def test_a_bookmark_after_the_end_of_a_shorter_run_waits() -> None:
    marked = replay(XOR, ["G", "m", "g", "esteps=10"])
    assert replay(marked, ["'"]).said.startswith("no bookmarks yet")
    assert replay(marked, ["ctrl+z", "'"]).cursor.position == XOR.recording.length


@given(st.floats(-2, 2))
@settings(deadline=None)
def test_for_a_small_step_what_comes_is_nearly_what_the_gradient_promised(x: float) -> None:
    notice = edit(square(x), repr(x + 1e-3)).said
    came, promised = (
        float(part.split()[-1].replace("−", "-")) for part in notice.split(", by the gradient ")
    )
    assert isclose(came, promised, rel_tol=1e-3, abs_tol=1.1e-6)
