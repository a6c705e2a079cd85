"""Backward passes that a program runs itself: what is recorded is what was done, edge by edge."""

from __future__ import annotations

from itertools import count
from math import inf, isclose, isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import Graph, graphs, tame
from imitation import FILE, Engine, Shadow, micrograd_order, train, where
from reference import Fold, all_bits, bits
from stepgrad import Recording, Value, record
from stepgrad.diagnosis.rules.judgement import judgement
from stepgrad.engine.backward import ancestors
from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Backward, Forward
from stepgrad.recording.events import Accumulate, Seed, SetGrad, Update, ZeroGrad
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.record import active_recorder


def passes(recording: Recording) -> list[ForeignBackward]:
    return [block for block in recording.blocks if isinstance(block, ForeignBackward)]


def contributions(recording: Recording) -> list[Accumulate]:
    return [event for event in recording.events if isinstance(event, Accumulate)]


def assert_equals_the_fold(recording: Recording) -> None:
    """Compare values and gradients with the fold of the events, at every position."""
    world, history = Fold(), recording.history
    nodes = range(recording.size)
    for position, event in enumerate([None, *recording.events]):
        if event is not None:
            world.take(event)
        folded = [bits(world.grads.get(node)) for node in nodes]
        assert all_bits([history.grad(node, position) for node in nodes]) == folded, position


def assert_ends_with(recording: Recording, nodes: list[Shadow]) -> None:
    """Compare the gradients at the end with what the engine holds; nodes are in order."""
    made = [node for node in range(recording.size) if not recording.is_constant(node)]
    grads = [recording.history.grad(node, recording.length) or 0.0 for node in made]
    assert all_bits(grads) == all_bits([node._grad for node in nodes])


# Passes that are right.


@given(graphs(tame))
def test_a_right_pass_in_our_order_is_ours_at_every_position(graph: Graph) -> None:
    with record() as ours:
        graph.build()[-1].backward()
    with record(lines=True) as theirs:
        engine = Engine()
        engine.backward(engine.run(graph)[-1])
    assert (theirs.length, theirs.size) == (ours.length, ours.size)
    for position in range(ours.length + 1):
        for node in range(ours.size):
            told = theirs.history.grad(node, position)
            assert bits(told) == bits(ours.history.grad(node, position)), (position, node)
    for one, other in zip(contributions(ours), contributions(theirs), strict=True):
        assert (one.node, one.out, one.slot) == (other.node, other.out, other.slot)
        assert all_bits([one.upstream, one.local]) == all_bits([other.upstream, other.local])
        assert same(one.contribution, other.expected)
        assert other.place == Place("", 10 + other.slot, FILE)
        assert one.right is None
        assert isnan(other.expected) or other.right is None


@given(graphs(tame))
def test_a_right_pass_in_another_order_gives_the_same_gradients(graph: Graph) -> None:
    with record() as ours:
        graph.build()[-1].backward()
    with record(lines=True) as theirs:
        engine = Engine()
        nodes = engine.run(graph)
        engine.backward(nodes[-1], order=micrograd_order(nodes[-1]))
    for node in range(ours.size):
        one, other = (r.history.grad(node, r.length) for r in (ours, theirs))
        assert (one is None) == (other is None)
        assert one is None or other is None or same(one, other)
    assert_equals_the_fold(theirs)
    assert_ends_with(theirs, nodes)


def same(one: float, other: float) -> bool:
    return isclose(one, other, rel_tol=1e-9, abs_tol=1e-12) or (isnan(one) and isnan(other))


@given(graphs(tame, size=6))
def test_a_pass_by_path_hands_on_what_has_just_come(graph: Graph) -> None:
    with record(lines=True) as recording:
        engine = Engine()
        nodes = engine.run(graph)
        engine.descend(nodes[-1])
        engine.descend(nodes[-1], 2.0)
    events = contributions(recording)
    assert all(block.sweep.by_path for block in passes(recording))
    for event in events:
        assert event.right is None or isnan(event.expected)
    assert_equals_the_fold(recording)
    assert_ends_with(recording, nodes)


# Gradients stay, in such an engine, until the program clears them.


def test_a_second_pass_over_a_shared_node_adds_to_what_is_there() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x = engine.leaf(3.0, "x")
        shared = engine.make("mul", x, x, label="shared")
        for _ in range(2):
            engine.backward(engine.make("mul", shared, 5.0))
    first, second = (e for e in contributions(recording) if recording.node(e.node).name == "shared")
    assert (first.before, first.after) == (None, 5.0)
    assert (second.before, second.contribution, second.after) == (5.0, 5.0, 10.0)
    last = contributions(recording)[-1]
    assert (last.upstream, last.contribution, last.expected) == (10.0, 30.0, 30.0)
    assert_equals_the_fold(recording)


@given(graphs(tame), st.lists(st.integers(0, 20), max_size=6))
def test_any_passes_one_after_the_other(graph: Graph, roots: list[int]) -> None:
    with record(lines=True) as recording:
        engine = Engine()
        nodes = engine.run(graph)
        for which in roots:
            engine.backward(nodes[which % len(nodes)])
            engine.clear(nodes[: which % 3])
    assert_equals_the_fold(recording)
    assert_ends_with(recording, nodes)


# Passes that are wrong.


@given(graphs(tame), st.data())
def test_rules_may_leave_out_edges_and_repeat_them_in_any_order(
    graph: Graph, data: st.DataObject
) -> None:
    with record(lines=True) as recording:
        engine = Engine()
        nodes = engine.run(graph)
        engine.seed(nodes[-1])
        edges = [(out, slot) for out in nodes for slot, _ in engine.edges(out)]
        walked = data.draw(st.lists(st.sampled_from(edges), max_size=12)) if edges else []
        for out, slot in walked:
            upstream = out._grad
            engine.set(out, slot, data.draw(st.sampled_from([0.0, upstream, 2.0, -1.5])))
    assert [(e.slot, recording.node(e.out).op.name) for e in contributions(recording)] == [
        (slot, out._operation.name) for out, slot in walked
    ]
    assert_equals_the_fold(recording)
    assert_ends_with(recording, nodes)


def test_what_was_received_and_what_is_right() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        r, d = engine.leaf(14.1225, "r"), engine.leaf(4.0, "d")
        product = engine.make("mul", r, d)
        engine.seed(product)
        engine.add(product, 0, 14.1225)  # swapped
        engine.add(product, 1, 14.1225)
        engine.door.ended()
    wrong, good = contributions(recording)
    assert (wrong.contribution, wrong.expected, wrong.right) == (14.1225, 4.0, 4.0)
    assert (good.contribution, good.expected, good.right) == (14.1225, 14.1225, None)
    assert wrong.place == Place("", 10, FILE)


def test_what_is_added_to_an_infinite_gradient_is_not_wrong() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x = engine.leaf(0.0)
        engine.backward(engine.make("add", engine.make("mul", x, 3.0), engine.make("log", x)))
    first, second = [each for each in contributions(recording) if each.node == 0]
    assert (first.after, second.after, second.expected) == (inf, inf, 3.0)
    assert first.right is None
    assert second.right is None
    judged = judgement(recording)
    assert judged
    assert not judged.faults


def test_a_seed_that_is_missing() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x = engine.leaf(3.0)
        engine.sweep(ancestors(engine.make("mul", x, 2.0)))
        y = engine.make("mul", x, 4.0)
        engine.sweep([y], lambda *_: 4.0)
    first, second = passes(recording)
    assert [recording.events[block.start].after for block in (first, second)] == [0.0, 0.0]  # type: ignore[union-attr]
    assert second.root == second.forward.base + 1
    assert_equals_the_fold(recording)


def test_a_leaf_is_seeded() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x = engine.leaf(3.0)
        engine.backward(x)
        engine.seed(x, 2.0)
    assert [*recording.events][1:] == [
        Seed(0, None, 1.0, by_hand=True, place=Place("", 40, FILE)),
        Seed(0, 1.0, 2.0, by_hand=True, place=Place("", 40, FILE)),
    ]
    assert_equals_the_fold(recording)


def test_rules_run_for_nodes_that_the_root_does_not_depend_on() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x = engine.leaf(3.0)
        a = engine.make("mul", x, 2.0)
        engine.clear([x])
        b = engine.make("tanh", a)
        engine.seed(a)
        engine.sweep([b, a])
    [block] = passes(recording)
    assert block.root == 2
    assert len(block.over) == 2
    assert recording.history.grad(3, recording.length) is None
    assert contributions(recording)[0].contribution == 0.0
    assert_equals_the_fold(recording)
    assert_ends_with(recording, [x, a, b])


# Where a pass begins and ends, and what comes between.


def test_a_pass_ends_when_something_else_begins() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x = engine.leaf(3.0)
        y = engine.make("tanh", x)
        engine.seed(y)
        engine.sweep([y])
        engine.seed(y)
        engine.sweep([y])
        engine.update(x, 1.0)
        engine.sweep([y])
        engine.make("tanh", y)
    kinds = "".join(type(event).__name__[0] for event in recording.events)
    assert kinds == "LOSASAUSAO"
    assert_equals_the_fold(recording)


def test_gradients_cleared_after_the_seed_come_before_the_pass() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x = engine.leaf(3.0)
        y = engine.make("tanh", x)
        engine.seed(y)
        engine.clear([x])
        engine.sweep([y])
    assert [type(event) for event in recording.events][2:] == [ZeroGrad, Seed, Accumulate]
    assert_equals_the_fold(recording)
    assert_ends_with(recording, [x, y])


@given(graphs(tame))
def test_gradients_cleared_as_soon_as_they_are_used_come_after_the_pass(graph: Graph) -> None:
    with record(lines=True) as recording:
        engine = Engine()
        nodes = engine.run(graph)
        engine.seed(nodes[-1])
        order = ancestors(nodes[-1])
        for node in order:
            engine.sweep([node])
            engine.clear([node])
    assert len(passes(recording)) == 1
    assert [type(event) for event in recording.events[recording.length - len(order) :]] == [
        ZeroGrad
    ] * len(order)
    assert_equals_the_fold(recording)
    assert_ends_with(recording, nodes)


def test_a_pass_is_divided_where_a_gradient_is_written_that_it_goes_on_with() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x = engine.leaf(3.0)
        y = engine.make("mul", x, x)
        engine.seed(y)
        engine.add(y, 0, 3.0)
        engine.clear([x])
        engine.add(y, 1, 3.0)
        engine.door.written_at("set", y, 7.0, None)
    assert [type(event) for event in recording.events][2:] == [
        Seed, Accumulate, ZeroGrad, Seed, Accumulate, SetGrad,
    ]  # fmt: skip
    assert_equals_the_fold(recording)
    assert_ends_with(recording, [x, y])


def test_the_root_is_cleared_after_it_was_seeded() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x = engine.leaf(3.0)
        y = engine.make("tanh", x)
        engine.seed(y)
        engine.clear([x, y])
        engine.sweep([y])
    assert_equals_the_fold(recording)
    assert_ends_with(recording, [x, y])
    assert contributions(recording)[0].upstream == 0.0


def test_writes_have_their_lines() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x = engine.leaf(3.0, line=7)
        engine.update(x, 4.0, line=8)
    assert recording.node(0).place == Place("", 7, FILE)
    assert isinstance(recording.events[1], Update)
    assert recording.blocks[1].writes.place(0) == Place("", 8, FILE)  # type: ignore[union-attr]


def test_a_node_has_the_value_that_its_class_computed() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        a, b = engine.leaf(3.0), engine.leaf(2.0)
        wrong = engine.make("sub", a, b)
    assert wrong._data == 1.0
    with record(lines=True) as recording:
        engine = Engine()
        a, b = engine.leaf(3.0), engine.leaf(2.0)
        engine.door.made_at(swapped := Shadow(wrong._operation, -1.0, a, b), where(3))
        engine.backward(swapped)
    assert recording.history.value(2, recording.length) == -1.0


def test_nodes_from_before_come_in_as_they_are() -> None:
    with record():
        engine = Engine()
        x = engine.leaf(3.0)
        y = engine.make("tanh", x)
    x._grad = 5.0
    with record(lines=True) as recording:
        Engine().backward(y)
    assert contributions(recording)[0].before == 5.0
    assert_equals_the_fold(recording)
    assert_ends_with(recording, [x, y])


def test_when_too_much_is_pending_by_chance_no_constant_is_logged_apart() -> None:
    with record() as recording:
        engine, recorder = Engine(), active_recorder()
        assert recorder is not None
        x, two = engine.leaf(3.0), engine.leaf(2.0)
        recorder._door.alert = True
        engine.make("mul", x, two)
        assert not recorder._door.alert
    assert len([block for block in recording.blocks if isinstance(block, Forward)]) == 1


def test_our_values_and_others_in_one_recording() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x = engine.leaf(3.0)
        engine.backward(engine.make("tanh", x))
        w = Value(2.0)
        (w * 3).backward()
        engine.backward(engine.make("tanh", x))
    assert [type(b) for b in recording.blocks if isinstance(b, Backward)] == [
        ForeignBackward, Backward, ForeignBackward,
    ]  # fmt: skip
    assert_equals_the_fold(recording)


# A training loop.


def test_a_training_loop_stores_its_sweep_once() -> None:
    with record(lines=True) as recording:
        train(Engine(), 1000)
    blocks = passes(recording)
    assert len(blocks) == 1000
    assert len({block.sweep for block in blocks}) <= 2  # the first has the parameters in its pass
    assert len(recording.steps) == 1000


@given(graphs(tame), st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 4)), max_size=2))
def test_steps_that_take_turns(graph: Graph, turns: list[tuple[int, int]]) -> None:
    """Each leaves out one edge, or none, and may have inputs of its own, from other passes."""

    def rule(_: Shadow, __: int, ___: float, contribution: float) -> float | None:
        return None if next(number) == left_out else contribution

    with record(lines=True) as recording:
        engine = Engine()
        inputs = [engine.leaf(number) for number in graph.leaves]
        made = [*inputs]
        for left_out, renewed in turns * 4:
            number = count()
            for which in range(min(renewed, 2, len(inputs))):
                apart = [engine.leaf(graph.leaves[which]) for _ in range(max(1, renewed - 2))]
                if renewed == 4:
                    apart.append(engine.make("neg", apart[0]))
                inputs[which] = apart[-1]
                engine.clear(apart)  # their pass is over
                made += apart
            nodes = engine.run(graph, inputs)
            made += nodes[len(inputs) :]
            engine.backward(nodes[-1], rule)
            engine.clear(nodes[: left_out + 2])
    assert_equals_the_fold(recording)
    assert_ends_with(recording, made)
    for block in passes(recording):
        assert len(block.after) == block.sweep.numbers


def test_a_rule_that_writes_to_the_other_operand_goes_another_way() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x, y = engine.leaf(2.0), engine.leaf(3.0)
        for slot in (0, 1) * 4:
            out = engine.make("mul", x, y)
            engine.seed(out)
            engine.door.received(out, slot, (x, y)[slot], (x, y)[slot]._grad + 1.0, (10, FILE))
            engine.door.ended()
    assert [event.slot for event in contributions(recording)] == [0, 1] * 4
    assert_equals_the_fold(recording)


def test_the_writes_of_a_loop_are_stored_together() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        leaves = [engine.leaf(3.0, line=line) for line in range(9)]
        for leaf in leaves:
            engine.update(leaf, 4.0, line=20)
    assert len(recording.blocks) == 2


# The recorder.


def test_remarks_are_kept_with_their_nodes() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        x = engine.leaf(3.0)
        engine.door.remark("never runs", x, (4, FILE), "the rule of + is stored in its operand")
        engine.door.remark("hidden", None, None, "writes through `__dict__`")
        engine.door.remark("unknown", Shadow(x._operation, 1.0), None, "of no recorded node")
        first, second, third = recording.remarks
    assert first == ("never runs", 0, Place("", 4, FILE), "the rule of + is stored in its operand")
    assert (second.node, second.place, third.node) == (None, Place(), None)


def test_a_closed_recorder_records_nothing_more() -> None:
    with record(lines=True) as recording:
        engine = Engine()
        y = engine.make("tanh", engine.leaf(3.0))
    length = recording.length
    engine.backward(engine.make("tanh", y))
    engine.update(y, 4.0)
    engine.door.remark("late", None, None, "too late")
    assert recording.length == length
    assert not recording.remarks
    assert (y._data, y._grad) != (4.0, 0.0)


def test_recording_stops_at_the_end_of_a_pass_when_its_budget_is_spent() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stepgrad.recording.record._say_spent", lambda _: None)
        with record(lines=True, memory=20_000) as recording:
            train(Engine(), 200)
    assert recording.spent
    assert isinstance(recording.blocks[-1], Backward)


def test_another_recording_takes_over_and_the_first_one_catches_up() -> None:
    with record(lines=True) as outer:
        engine = Engine()
        x = engine.leaf(3.0)
        y = engine.make("tanh", x)
        with record(lines=True):
            Engine(active_recorder()).backward(y)
    assert (outer.history.grad(0, outer.length) or 0.0) == x._grad != 0.0
