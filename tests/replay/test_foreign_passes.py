"""What the debugger shows of backward passes that a program runs itself, right and wrong."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import Graph, graphs, tame
from imitation import Engine, trained, wandering
from odd_runs import at
from stepgrad import Recording, State, record
from stepgrad.diagnosis import diagnose
from stepgrad.diagnosis.reasons import reasons
from stepgrad.export import FORMATS, export
from stepgrad.harness import Replay
from stepgrad.headless import narration, report, snapshot
from stepgrad.plain.panels import node_told
from stepgrad.recording.events import Accumulate
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.replay.commands.moving import go_to_line
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.gradients.ledger import contributions, last_write, left_over, next_write
from stepgrad.replay.quiz.questions import questions
from stepgrad.replay.stops.language import Condition
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.sentences import say
from stepgrad.tui.render.chain import chain
from stepgrad.tui.render.node import node_panel
from tries import tries


def mistaken() -> Recording:
    """A product whose rule hands its first operand the wrong number, and overwrites the second."""
    with record(lines=True) as recording:
        engine = Engine()
        r, d = engine.leaf(14.0, "r"), engine.leaf(4.0, "d")
        e = engine.make("mul", r, d, label="e")
        total = engine.make("add", e, d, label="total")
        engine.seed(total)
        engine.sweep([total])
        engine.add(e, 0, 14.0)
        engine.set(e, 1, 14.0)
        engine.door.ended()
    return recording


MISTAKEN = mistaken()
WRONG, OVERWRITTEN = MISTAKEN.length - 2, MISTAKEN.length - 1
R, D = 0, 1


def test_the_chain_line_has_the_right_number_beside_a_wrong_one() -> None:
    assert str(narrate(MISTAKEN, WRONG)) == (
        "dtotal/dr += dtotal/de · ∂e/∂r = 1 · d = 1 · 4 = 14 ✗ 4"
        "   [r.grad – → 14, contribution 1 of 1, mine.py:10]"
    )
    assert str(narrate(MISTAKEN, OVERWRITTEN)) == (
        "dtotal/dd = dtotal/de · ∂e/∂d = 1 · r = 1 · 14 = 14"
        "   [d.grad 1 → 14 ✗ 15, contribution 2 of 2, mine.py:11]"
    )
    assert "14 ✗ 4" in chain(MISTAKEN, WRONG + 1, 80).plain


def test_a_sentence_says_which_number_is_right() -> None:
    assert say(MISTAKEN, WRONG).startswith(
        "Event 8 of 9, backward: the gradient of r receives 14, which is wrong, and is now 14; "
        "4 is right: 1, the derivative of total with respect to e, times 4"
    )
    assert say(MISTAKEN, OVERWRITTEN).endswith(
        "it was 1 before, and the sum is 15, in line 11 of mine.py."
    )
    assert "is overwritten with 14, which is wrong" in say(MISTAKEN, OVERWRITTEN)


def test_a_seed_that_is_missing_is_said() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        y = engine.make("tanh", engine.leaf(3.0, "x"), label="y")
        engine.sweep([y])
    assert str(narrate(recording, 2)) == "dy/dy = 0   [y.grad – → 0, nothing has seeded it]"
    assert say(recording, 2).endswith("y with respect to itself is 0; nothing has seeded it.")


def test_the_ledger_has_what_was_received_and_what_is_right() -> None:
    [wrong] = contributions(MISTAKEN, R, MISTAKEN.length)
    assert (wrong.amount, wrong.right) == (14.0, 4.0)
    good, over = contributions(MISTAKEN, D, MISTAKEN.length)
    assert (good.amount, good.right, over.amount, over.right) == (1.0, None, 13.0, 14.0)
    panel = node_panel(State(MISTAKEN, MISTAKEN.length), R, 80, 24).plain
    assert "received 14 ✗ 4 at 8 from e (1·4)" in panel


def test_what_was_overwritten_shows_what_is_left_and_the_right_sum() -> None:
    panel = node_panel(State(MISTAKEN, MISTAKEN.length), D, 80, 24).plain
    assert "= 14 ✗ 15 ◀ 9 from e (1·14)" in panel
    told = [*node_told(at(MISTAKEN, MISTAKEN.length).select(D))]
    assert "It was overwritten with 14 from e at event 9; the sum is 15: 1 times 14." in told


def test_a_recursive_rule_hands_on_what_it_has_written_over_the_sum() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x = engine.leaf(3.0, "x")
        a = engine.make("mul", x, 5.0, label="a")
        b = engine.make("mul", a, 2.0, label="b")
        c = engine.make("add", b, a, label="c")
        engine.seed(c)
        for out, slot, after in ((c, 0, 1.0), (b, 0, 2.0), (a, 0, 10.0), (c, 1, 1.0), (a, 0, 5.0)):
            engine.set(out, slot, after)
        engine.door.ended(by_path=True)
    last = str(narrate(recording, recording.length - 1))
    assert last.startswith("dc/dx = dc/da · ∂a/∂x = 1 · 5 = 5   [x.grad 10 → 5 ✗ 15")


def test_what_earlier_passes_have_left_in_a_computed_node_is_told() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        shared = engine.make("tanh", engine.leaf(3.0, "x"), label="shared")
        for _ in range(2):
            engine.backward(engine.make("mul", shared, 5.0))
    node = recording.first_named("shared")
    assert left_over(recording, node, recording.length) == 5.0
    assert (
        "before   5 at 5, not cleared"
        in node_panel(State(recording, recording.length), node, 80, 24).plain
    )


def test_who_wrote_says_what_was_received() -> None:
    replay = Replay(replace(at(MISTAKEN, MISTAKEN.length), selected=R)).press("W")
    assert "from e: received 14 ✗ 4" in replay.session.said
    replay = Replay(replace(at(MISTAKEN, OVERWRITTEN), selected=D)).press("a")
    assert "from e: overwritten with 14 ✗ 15" in replay.session.said


def test_the_place_of_a_contribution_is_the_line_of_the_rule() -> None:
    place = State(MISTAKEN, WRONG + 1).place
    assert place is not None
    assert place.line == 10


def test_a_line_of_a_rule_leads_to_what_it_wrote() -> None:
    session = go_to_line(at(MISTAKEN, 0), "mine.py", 11)
    assert session.cursor.position == 7
    assert go_to_line(session, "mine.py", 11).cursor.position == OVERWRITTEN + 1


def test_json_says_what_was_expected_and_where() -> None:
    event = snapshot(None, Cursor(MISTAKEN, WRONG + 1))["event"]
    assert (event["contribution"], event["expected"], event["ok"]) == (14.0, 4.0, False)
    assert event["place"] == "mine.py:10"
    assert "by_hand" not in event
    good = snapshot(None, Cursor(MISTAKEN, WRONG))["event"]
    assert good["ok"]
    seed = snapshot(None, Cursor(MISTAKEN, 5))["event"]
    assert (seed["kind"], seed["place"]) == ("Seed", "mine.py:40")


def test_the_quiz_asks_for_the_right_number() -> None:
    asked = {
        (question.kind, question.position): question.answer
        for question in questions(MISTAKEN, 100)
        if question.position in (WRONG, OVERWRITTEN)
    }
    assert asked["contribution", WRONG] == 4.0
    assert asked["total", OVERWRITTEN] == 15.0


def test_conditions_see_what_was_written() -> None:
    block = MISTAKEN.blocks[-1]
    assert [*Condition("contribution == 14 and upstream == 1").matches(MISTAKEN, block)] == [WRONG]
    assert [*Condition("before == 1 and after == 14").matches(MISTAKEN, block)] == [OVERWRITTEN]
    assert [*Condition("wrong").matches(MISTAKEN, block)] == [WRONG, OVERWRITTEN]
    assert [*Condition("wrong").matches(MISTAKEN, MISTAKEN.blocks[0])] == []
    assert [*Condition("after == 1").matches(MISTAKEN, block)] == [4, 5, 6]


def test_why_names_the_line_of_the_rule() -> None:
    first, *_ = reasons(MISTAKEN, R, MISTAKEN.length, "gradient")
    assert "= 14 ✗ 4" in first.text
    assert first.line(MISTAKEN) == "mine.py:10"
    over = [reason.text for reason in reasons(MISTAKEN, D, MISTAKEN.length, "gradient")]
    assert any("= 14 in place of 1; the sum is 15" in text for text in over)


def test_a_handout_has_the_right_number_beside_a_wrong_one() -> None:
    text = export(None, Cursor(MISTAKEN, MISTAKEN.length), "markdown")
    assert "= 14 ✗ 4" in text
    assert "d.grad = 1·1 + 1·14 = 1 + 14 = 14 ✗ 15" in text


@pytest.mark.parametrize("steps", [12])
def test_steps_of_training_are_found(steps: int) -> None:
    recording = trained(steps)
    assert len(recording.steps) == steps
    assert all(verdict.note for verdict in diagnose(recording))


# Any pass can be looked at.


@settings(max_examples=tries(60))
@given(graphs(tame, size=6), st.data())
def test_any_pass_can_be_looked_at(graph: Graph, data: st.DataObject) -> None:
    recording = wandering(graph, data)
    assert len([*narration(recording)]) == recording.length
    diagnose(recording)
    questions(recording, 100)
    for block in recording.blocks:
        Condition("bad or contribution > 1 or grad == 2").matches(recording, block)
    for position in range(recording.length + 1):
        cursor, state = Cursor(recording, position), State(recording, position)
        assert len([*report(None, cursor)]) > 1
        snapshot(None, cursor)
        if position:
            say(recording, position - 1)
            chain(recording, position, 60)
        ahead, back = cursor.next_node().position, cursor.previous_node().position
        assert back < position or position == 0
        assert ahead > position or position == recording.length
        for node in range(position % 3, recording.size, 3):  # a panel takes a while
            node_panel(state, node, 50, 20)
        for node in range(recording.size):
            following = next_write(recording, node, position)
            assert following is None or last_write(recording, node, following + 1) == following
    cursor = Cursor(recording, recording.length)
    for format_ in FORMATS:
        export(None, cursor, format_)
    for node in range(recording.size):
        if recording.history.grad(node, recording.length) is not None:
            [*reasons(recording, node, recording.length, "gradient")]


@settings(max_examples=tries(60))
@given(graphs(tame, size=6), st.data())
def test_contributions_add_up_to_the_gradient(graph: Graph, data: st.DataObject) -> None:
    recording = wandering(graph, data)
    for index, event in enumerate(recording.events):
        if isinstance(event, Accumulate):
            received = contributions(recording, event.node, index + 1)
            assert received[-1].position == index + 1
            block = recording.blocks[recording.history.block_at(index)]
            assert isinstance(block, ForeignBackward)
            if event.node != block.root:
                before = recording.history.grad(event.node, block.start) or 0.0
                total = before + sum(each.amount for each in received)
                finite = all(isfinite(each.amount) for each in received)
                assert not finite or total == pytest.approx(event.after, rel=1e-6, abs=1e-6)
