"""The recorder: what comes into the log, in every order in which a program may do things."""

from __future__ import annotations

import asyncio
import copy
import gc
import random
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import product
from pathlib import Path
from threading import Barrier, Thread

import pytest

from reference import bits, fold
from stepgrad import SGD, Recording, State, Value, clip_norm, mark, record, scope
from stepgrad.engine.ops import LEAF
from stepgrad.engine.tape import Place, Rule, at_line, seed
from stepgrad.recording.blocks import Backward, Forward, Write
from stepgrad.recording.events import Accumulate, Event, Leaf, Op, Seed, SetGrad, Update, ZeroGrad
from stepgrad.recording.record import active_recorder
from stepgrad.recording.traced import Traced


def kinds(recording: Recording) -> str:
    """One letter an event: a recording at a glance."""
    return "".join(type(event).__name__[0] for event in recording.events)


def forwards(recording: Recording) -> list[Forward]:
    return [block for block in recording.blocks if isinstance(block, Forward)]


def backwards(recording: Recording) -> list[Backward]:
    return [block for block in recording.blocks if isinstance(block, Backward)]


def final(recording: Recording, name: str) -> tuple[float | None, float | None]:
    """The value and gradient of a named node at the end."""
    node = recording.names(recording.length)[name]
    end = recording.length
    return recording.history.value(node, end), recording.history.grad(node, end)


# Passes that are alike share their shape.


def test_passes_of_one_shape_share_it() -> None:
    w = Value(2.0)
    with record() as recording:
        for x in (1.0, 2.0, 3.0):
            ((w * x).tanh() - 1).backward()
    first, *others = forwards(recording)[1:]  # after w itself
    assert all(block.structure is first.structure for block in others)
    assert len({block.sweep for block in backwards(recording)}) == 1
    assert recording.node(first.base + 1).op is not LEAF


def test_passes_of_different_shape_do_not() -> None:
    w, v = Value(2.0), Value(2.0)
    with record() as recording:
        for pass_ in (w * w, w * v, v * w, w + w, (w * w).tanh()):
            pass_.backward()
    shapes = [block.structure for block in forwards(recording)]
    assert len({id(shape) for shape in shapes}) == len(shapes)
    assert len({id(block.sweep) for block in backwards(recording)}) == 5


@pytest.mark.parametrize("repeats", [1, 40], ids=["described", "compiled"])
def test_passes_that_look_up_rows_of_a_table_name_the_right_ones(repeats: int) -> None:
    table = [Value(float(row)) for row in range(3)]
    contexts = [*product(range(3), repeat=3)] * repeats
    random.Random(0).shuffle(contexts)
    with record() as recording:
        sum(table[1:], table[0]).backward()  # the rows come into the log together
        for context in contexts:
            x, y, z = (table[row] for row in context)
            ((x * y).tanh() * z).backward()
    passes = forwards(recording)[-len(contexts) :]
    for (a, b, c), made in zip(contexts, passes, strict=True):
        assert recording.node(made.base).operands == (a, b)
        assert recording.node(made.base + 2).operands == (made.base + 1, c)
    assert len({id(each.structure) for each in passes}) == 27


@pytest.mark.parametrize("part", ["name", "scope", "line"])
def test_names_and_places_are_the_context_of_a_structure(part: str) -> None:
    w = Value(2.0)
    with record() as recording:
        for number in (1, 2, 1):
            with (
                scope(f"s{number}" if part == "scope" else "s"),
                at_line(number if part == "line" else 0),
            ):
                y = w * w
                if part == "name":
                    y.label = f"y{number}"
            y.backward()
    first, second, third = forwards(recording)[-3:]
    assert first.structure is second.structure is third.structure
    assert first.context is third.context
    assert first.context is not second.context


def test_another_root_is_another_sweep_of_the_same_structure() -> None:
    w = Value(2.0)
    with record() as recording:
        for which in (0, 1, 0, 1):
            y = w * w
            z = y + 1
            (y, z)[which].backward()
    sweeps = [block.sweep for block in backwards(recording)]
    assert len({id(block.structure) for block in forwards(recording)[1:]}) == 1
    assert sweeps[0] is sweeps[2]
    assert sweeps[1] is sweeps[3]
    assert sweeps[0] is not sweeps[1]


def test_writes_of_one_shape_share_it() -> None:
    parameters = [Value(1.0), Value(2.0)]
    with record() as recording:
        for _ in range(2):
            (parameters[0] * parameters[1]).backward()
            for p in parameters:
                p.data -= 0.1 * p.grad
            for p in parameters:
                p.grad = 0
    updates, zeros, *again = [b.writes for b in recording.blocks if isinstance(b, Write)]
    assert again == [updates, zeros]


def test_old_passes_are_not_kept_alive() -> None:
    w = Value(1.0)
    with record():
        for _ in range(20):
            (w * w).tanh().backward()
        gc.collect()
        alive = sum(type(thing) is Value for thing in gc.get_objects())
        for _ in range(20):
            (w * w).tanh().backward()
        gc.collect()
        assert sum(type(thing) is Value for thing in gc.get_objects()) == alive


# Several backward passes.


def test_two_losses_share_nodes() -> None:
    with record() as recording:
        x = Value(2.0, label="x")
        shared = x * x
        first, second = shared * 3, shared * 5
        first.backward()
        second.backward()
    assert kinds(recording) == "LOOO" + "SAAA" + "SAAA"
    assert final(recording, "x") == (2.0, x.grad) == (2.0, 32.0)
    assert recording.history.grad(1, recording.length) == 5.0


def test_backward_twice_on_one_root() -> None:
    with record() as recording:
        x = Value(3.0, label="x")
        y = x * x
        y.backward()
        y.backward()
    assert final(recording, "x") == (3.0, 12.0)
    assert len({id(block.sweep) for block in backwards(recording)}) == 1
    assert recording.events[-2].before == 6.0  # type: ignore[union-attr]


def test_a_root_that_is_a_leaf() -> None:
    with record() as recording:
        x = Value(3.0)
        x.backward()
        x.backward()
    assert list(recording.events) == [Leaf(0, 3.0), Seed(0, None, 1.0), Seed(0, 1.0, 2.0)]


def test_a_root_from_an_earlier_pass() -> None:
    with record() as recording:
        x = Value(3.0, label="x")
        early = x * x
        early.backward()
        later = early * x
        later.backward()
        early.backward()
    assert final(recording, "x") == (3.0, x.grad) == (3.0, 6.0 + 27.0 + 6.0)
    assert kinds(recording) == "LO" + "SAA" + "O" + "SAAAA" + "SAA"


# Values from before.


def test_parameters_from_before_come_in_when_first_used_and_once() -> None:
    w, unused = Value(2.0, label="w"), Value(9.0, label="unused")
    with record() as recording:
        for _ in range(2):
            (w * 3).backward()
    assert kinds(recording) == "LO" + "SA" + "O" + "SA"
    assert list(recording.names(recording.length)) == ["w"]
    assert unused.label not in recording.names(recording.length)


def test_a_gradient_from_before_comes_in_as_written() -> None:
    w = Value(2.0)
    (w * 5).backward()
    with record() as recording:
        (w * 3).backward()
    leaf, carried, _, _, accumulate = recording.events
    assert (leaf, carried) == (Leaf(0, 2.0), SetGrad(0, None, 5.0))
    assert isinstance(accumulate, Accumulate)
    assert (accumulate.before, accumulate.after) == (5.0, 8.0) == (5.0, w.grad)


def test_a_root_from_before() -> None:
    leaf = Value(2.0)
    leaf.label = "x"
    with record() as recording:
        leaf.backward()
    assert list(recording.events) == [Leaf(0, 2.0), Seed(0, None, 1.0)]


def test_a_computed_root_from_before() -> None:
    x = Value(2.0)
    y = x * x
    with record() as recording:
        y.backward()
    assert kinds(recording) == "LO" + "SAA"


def test_a_long_chain_from_before() -> None:
    x = y = Value(1.0)
    for _ in range(1_000):
        y = y + 1
    with record() as recording:
        y.backward()
    assert recording.length == 1 + 1_000 + 1 + 1_000
    assert x.grad == 1.0


def test_leaves_from_before_that_are_used_in_another_order_than_made() -> None:
    first, second = Value(5.0), Value(7.0)
    with record() as recording:
        (second * 2).backward()
        (first * 2).backward()
    assert kinds(recording) == "LO" + "SA" + "LO" + "SA"


@pytest.mark.parametrize("write", ["data", "grad"])
def test_a_value_from_before_that_is_written_first(write: str) -> None:
    w = Value(2.0)
    with record() as recording:
        setattr(w, write, 3.0)
    expected: Event = Update(0, 2.0, 3.0, None) if write == "data" else SetGrad(0, None, 3.0)
    assert list(recording.events) == [Leaf(0, 2.0), expected]


def test_values_kept_from_an_earlier_pass_and_used_again() -> None:
    with record() as recording:
        w = Value(0.5, label="w")
        hidden = Value(0.0)
        for _ in range(4):
            hidden = (w * hidden + 1).tanh()
            hidden.backward()
    assert final(recording, "w") == (0.5, w.grad)
    assert kinds(recording).count("L") == 2


# Writes.


def phases(recording: Recording) -> list[str]:
    found = [block.phase for block in recording.blocks]
    return [phase for phase, before in zip(found, [None, *found], strict=False) if phase != before]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (["update", "zero"], ["forward", "backward", "update", "zero"]),
        (["zero", "update"], ["forward", "backward", "zero", "update"]),
        (["both"], ["forward", "backward", "update"]),
        (["clip", "update", "zero"], ["forward", "backward", "set", "update", "zero"]),
        (["update"], ["forward", "backward", "update"]),
    ],
)
@pytest.mark.parametrize("count", [2, 3])
def test_hand_written_loops_and_their_phases(
    program: list[str], expected: list[str], count: int
) -> None:
    with record() as recording:
        parameters = [Value(1.0 + i) for i in range(count)]
        loss = parameters[0] * parameters[1]
        loss.backward()
        for loop in program:
            for p in parameters:
                if loop in ("update", "both"):
                    p.data -= 0.1 * p.grad
                if loop in ("zero", "both"):
                    p.grad = 0
                if loop == "clip":
                    p.grad = max(-1.0, min(1.0, p.grad)) or 0.5
    assert phases(recording) == expected


def test_a_network_of_one_parameter_has_its_phases_too() -> None:
    with record() as recording:
        parameters = [Value(1.0)]
        (parameters[0] * 2).backward()
        for p in parameters:
            p.data -= 0.1 * p.grad
        for p in parameters:
            p.grad = 0
    assert phases(recording) == ["forward", "backward", "update", "zero"]


def test_writes_to_computed_values() -> None:
    with record() as recording:
        x = Value(2.0)
        y = x * x
        y.data = 10.0
        z = y + y
        z.backward()
        y.grad = 7.0
    assert kinds(recording) == "LOUO" + "SAAAA" + "S"
    end = recording.length
    assert (recording.history.value(1, 2), recording.history.value(1, end)) == (4.0, 10.0)
    assert recording.history.value(2, end) == 20.0
    assert recording.history.grad(1, end) == 7.0


def test_sgd_tells_its_rule() -> None:
    with record() as recording:
        p = Value(1.0)
        (p * 4).backward()
        SGD([p], 0.25).step()
        p.data = 9.0
    *_, by_rule, by_hand = recording.events
    assert by_rule == Update(0, 1.0, 0.0, Rule("sgd", {"learning_rate": 0.25}))
    assert by_hand == Update(0, 0.0, 9.0, None)


def test_an_optimizer_without_parameters_does_nothing() -> None:
    with record() as recording:
        SGD([], 0.1).step()
        (Value(1.0) * 2).backward()
    assert kinds(recording) == "LOSA"


def test_clearing_by_none_is_clearing() -> None:
    with record() as recording:
        p = Value(1.0)
        p.grad = None
    assert recording.events[-1] == ZeroGrad(0, None)


@pytest.mark.parametrize("label", [None, "p"])
def test_a_copy_made_inside_is_a_leaf_with_its_gradient_and_label(label: str | None) -> None:
    p = Value(1.0, label)
    p.grad = 3.0
    with record() as recording:
        twin = copy.deepcopy(p)
    assert recording.node(0).name == label
    assert recording.history.grad(0, recording.length) == twin.grad


# Labels and places.


def test_labels_before_during_and_after_the_forward_pass() -> None:
    old = Value(1.0, label="old")
    with record() as recording:
        x = Value(2.0, label="x")
        y = old * x
        y.label = "y"
        y.label = "renamed"
        y.backward()
        x.label = "late"
    assert [recording.node(i).name for i in range(3)] == ["old", "late", "renamed"]
    assert recording.names(recording.length) == {"old": 0, "late": 1, "renamed": 2}


def test_of_several_so_named_the_latest_made_is_meant() -> None:
    w = Value(1.0, label="w")
    with record() as recording:
        for _ in range(3):
            h = w * 2
            h.label = "h"
            h.backward()
    h_nodes = [event.node for event in recording.events if isinstance(event, Op)]
    seen = [recording.names(k).get("h") for k in range(recording.length + 1)]
    assert [node for node, before in zip(seen, [None, *seen], strict=False) if node != before] == (
        h_nodes
    )
    assert recording.first_named("h") == h_nodes[0]


def test_names_given_late_are_names_too() -> None:
    w = Value(1.0)
    with record() as recording:
        for _ in range(3):
            h = w * 2
            h.backward()
            h.label = "h"
    h_nodes = [event.node for event in recording.events if isinstance(event, Op)]
    found = {recording.names(k).get("h") for k in range(recording.length + 1)}
    assert found == {None, *h_nodes}


def test_a_late_rename_leaves_the_other_passes_their_name() -> None:
    w = Value(1.0)
    with record() as recording:
        for _ in range(2):
            h = w * 2
            h.label = "h"
            h.backward()
        h.label = "last"
    assert set(recording.names(recording.length)) == {"h", "last"}


def test_nodes_know_their_place() -> None:
    with record() as recording:
        x = Value(1.0)
        with scope("layer1"):
            with at_line(7):
                y = x * 2
            z = y + 1
        z.tanh()
    places = [recording.node(i).place for i in (0, 2, 4, 5)]
    assert places == [Place(), Place("layer1", 7), Place("layer1"), Place()]


def test_a_recording_that_begins_inside_a_scope() -> None:
    with scope("model"), record() as recording:
        Value(1.0, label="w")
    node = recording.node(0)
    assert (node.name, node.place) == ("model/w", Place("model"))


def test_a_node_that_is_not_there() -> None:
    with record() as recording:
        Value(1.0)
    for index in (-1, 1):
        with pytest.raises(IndexError, match=f"node {index} of 1"):
            recording.node(index)


def test_steps_begin_at_marks() -> None:
    with record() as recording:
        w = Value(1.0)
        for step in (1, 2):
            mark("step", step)
            mark("sample", 1)
            (w * 2).backward()
    starts = recording.steps
    assert [recording.events[start].number for start in starts] == [1, 2]  # type: ignore[union-attr]
    assert len(starts) == 2


def test_without_marks_a_forward_pass_begins_a_step() -> None:
    with record() as recording:
        w = Value(1.0)
        for _ in range(3):
            (w * 2).backward()
            w.data -= 0.1
    assert [kinds(recording)[start] for start in recording.steps] == ["L", "O", "O"]


def test_a_gradient_from_before_begins_no_step() -> None:
    w = Value(2.0)
    (w * 5).backward()
    with record() as recording:
        (w * 3).backward()
    assert recording.steps == [0]


# Recordings side by side, inside each other, and cut short.


def test_recordings_one_after_the_other() -> None:
    w = Value(2.0)
    logs = []
    for _ in range(2):
        with record() as recording:
            (w * 3).backward()
        logs.append(recording)
        w * 4  # not recorded
    assert [kinds(recording) for recording in logs] == ["LO" + "SA", "LS" + "O" + "SA"]
    assert [r.history.grad(0, r.length) for r in logs] == [3.0, 6.0]


def test_a_recording_is_recorded_into_once(tmp_path: Path) -> None:
    with record() as recording:
        w = Value(2.0)
        with pytest.raises(ValueError, match="new Recording"), record(recording):
            pass
        (w * 3).backward()
    events = list(recording.events)
    recording.save(tmp_path / "once.stepgrad")
    for again in (recording, Recording.load(tmp_path / "once.stepgrad")):
        with pytest.raises(ValueError, match="new Recording"), record(again):
            w * 3
        assert list(again.events) == events


def everything(w: Value) -> None:
    """Do each thing that a program can do, once."""
    with scope("s"):
        y = w * 3 + Value(1.0)
    y.label = "y"
    mark("step", 1)
    seed(Value(2.0), 1.0)
    y.backward()
    w.data = 7.0
    w.grad = 5.0
    sgd = SGD([w], 0.5)
    sgd.step()
    sgd.zero_grad()


@pytest.mark.parametrize("lines", [False, True])
def test_a_closed_recorder_records_nothing_and_hinders_nothing(lines: bool) -> None:
    with record(lines=lines) as recording:
        w = Value(2.0, label="w")
        recorder = active_recorder()
        assert recorder is not None
        for _ in range(2):
            recorder.close()
            assert active_recorder() is None
        events = list(recording.events)
        everything(w)
        (w * w).backward()
    assert list(recording.events) == events
    assert (w.data, w.grad) == (4.5, 9.0)


def test_a_closed_recorder_keeps_no_value_alive() -> None:
    def values() -> int:
        gc.collect()
        return sum(type(thing) is Value for thing in gc.get_objects())

    before = values()
    with record():
        recorder = active_recorder()
        w = Value(2.0)
        for _ in range(4):
            (w * w).tanh().backward()
            SGD([w], 0.1).step()
    assert recorder is not None
    recorder.append(Value(1.0))
    del w
    assert values() == before


def test_what_outlives_a_recording_goes_on_unrecorded() -> None:
    w = Value(2.0, label="w")

    async def outlive() -> None:
        await asyncio.sleep(0)
        everything(w)

    async def program() -> tuple[Recording, list[Event]]:
        with record() as recording:
            task = asyncio.create_task(outlive())
            w * 1
        events = list(recording.events)
        await task
        return recording, events

    recording, events = asyncio.run(program())
    assert w.data == 4.5
    assert list(recording.events) == events


def test_a_generator_that_is_ended_elsewhere_ends_its_recording() -> None:
    logs = []

    def values() -> Generator[Value, None, None]:
        with record() as recording:
            logs.append(recording)
            yield Value(1.0)

    def program() -> None:
        generator = values()
        next(generator)
        copy_context().run(generator.close)
        everything(Value(2.0))

    copy_context().run(program)
    assert kinds(logs[0]) == "L"


def test_the_inner_recording_hears_and_the_outer_does_not() -> None:
    w = Value(2.0, label="w")
    with record() as outer:
        first = w * 3
        with record() as inner:
            second = w * 5
            second.backward()
        third = first + second
        third.label = "third"
    assert kinds(inner) == "LO" + "SA"
    assert final(outer, "third") == (16.0, None)


@pytest.mark.parametrize("write", ["data", "grad"])
def test_what_the_inner_recording_heard_is_true_for_the_outer_one_afterwards(write: str) -> None:
    w = Value(2.0, label="w")
    with record() as outer:
        (w * 3).backward()
        with record():
            setattr(w, write, 5.0)
        (w * 4).backward()
    world = fold(outer.events)
    assert (world.values[0], world.grads[0]) == (w.data, w.grad)


@pytest.mark.parametrize("closed", [False, True])
def test_the_inner_recording_may_change_anything_that_the_outer_one_knows(closed: bool) -> None:
    """Also what it computed earlier and keeps in no shape, and by way of a third recording."""
    with record() as outer:
        w, k = Value(2.0, label="w"), Value(3.0, label="k")
        h = w * k
        mark("a")
        y = h * k
        y.backward()
        with record() as middle:
            if closed:
                recorder = active_recorder()
                assert recorder is not None
                recorder.close()
            with record() as inner:
                w.data = 50.0
                k.grad = 1.0
                h.label = "h"
                h.backward()
            unknown = w * 2
            unknown.backward()
        out = w * k
        out.label = "out"
        out.backward()
    check_against(outer, w=w, k=k, h=h, out=out)
    assert final(inner, "h") == (6.0, 1.0)
    if closed:
        assert not middle.size
    else:
        assert [e.after for e in middle.events if isinstance(e, Update)] == []
        assert final(middle, "w") == (50.0, 3.0 + 9.0 + 2.0)


def check_against(recording: Recording, **values: Value) -> None:
    """Hold the end of a recording against the Values of the program."""
    for name, value in values.items():
        data, grad = final(recording, name)
        assert (data, grad or 0.0) == (value.data, value.grad)
    world = fold(recording.events)
    for position, event in enumerate(recording.events, 1):
        if isinstance(event, Op):
            operands = [recording.history.value(each, position) for each in event.operands]
            assert None not in operands
            assert event.op.value(*operands) == event.value
    for name, node in recording.names(recording.length).items():
        assert final(recording, name)[0] == world.values[node]


def test_many_writes_inside_are_one_event_outside() -> None:
    with record() as outer:
        w = Value(2.0, label="w")
        with record():
            for _ in range(100):
                (w * w).backward()
                w.data -= 0.01 * w.grad
                w.grad = 0.0
        (w * 3).backward()
    assert kinds(outer) == "LU" + "O" + "SA"
    check_against(outer, w=w)


@pytest.mark.parametrize("closed", [False, True])
def test_a_task_inside_and_a_task_outside_take_turns(closed: bool) -> None:
    """What the inner one writes is logged in the outer one before what that does next."""

    async def inside(w: Value) -> None:
        with record():
            await asyncio.sleep(0)
            if closed:
                recorder = active_recorder()
                assert recorder is not None
                recorder.close()
            for number in (5.0, 6.0, 7.0):
                w.data = number
                await asyncio.sleep(0)

    async def outside(w: Value) -> None:
        for _ in range(5):
            (w * 3).tanh()
            await asyncio.sleep(0)

    async def program() -> None:
        with record() as outer:
            w = Value(2.0, label="w")
            await asyncio.gather(inside(w), outside(w))
        check_against(outer, w=w)

    asyncio.run(program())


def test_constants_take_no_gradient_whoever_was_recording_when_they_did() -> None:
    w = Value(2.0)
    y = w * 3
    y.backward()
    with record() as adopting:
        y + 1
    with record() as outer:
        (w * 3).backward()
        with record():
            pass
    assert [e.node for e in adopting.events if isinstance(e, SetGrad)] == [0, 2]
    assert kinds(outer) == "LS" + "O" + "SA"


def test_an_error_passes_through_and_what_was_before_it_is_there() -> None:
    with pytest.raises(RuntimeError), record() as recording:  # noqa: PT012 - the law itself
        x = Value(2.0)
        x * 3
        raise RuntimeError
    assert kinds(recording) == "LO"
    x * 4
    assert recording.length == 2


def test_reading_while_it_grows() -> None:
    seen = []
    with record() as recording:
        x = Value(2.0)
        seen.append(kinds(recording))
        y = x * 3
        seen.append(kinds(recording))
        y.backward()
        x.data = 1.0
        seen.append(kinds(recording))
        assert recording.history.grad(0, recording.length) == 3.0
        x.grad = 0
    assert seen == ["L", "LO", "LOSAU"]
    assert kinds(recording) == "LOSAUZ"


def train(rounds: int, barrier: Barrier, log: list[Recording] | None) -> None:
    """Train a little, in step with another thread."""

    def steps() -> None:
        w = Value(0.5, label="w")
        for _ in range(rounds):
            barrier.wait()
            h = w * w
            barrier.wait()
            (h + w).tanh().backward()
            w.data -= 0.1 * w.grad
        w.label = "trained"

    if log is None:
        steps()
    else:
        with record() as recording:
            steps()
        log.append(recording)


@pytest.mark.parametrize("others", [None, []], ids=["unrecorded", "recorded"])
def test_a_recording_hears_its_own_thread_only(others: list[Recording] | None) -> None:
    barrier = Barrier(2, timeout=10)
    log: list[Recording] = []
    alone: list[Recording] = []
    train(5, Barrier(1), alone)
    threads = [Thread(target=train, args=(5, barrier, each)) for each in (log, others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for recording in [*log, *(others or [])]:
        assert list(recording.events) == list(alone[0].events)
    assert len(log) + len(others or []) == (1 if others is None else 2)


def test_shapes_that_take_turns_are_each_described_once() -> None:
    """Also where nodes, labels and operations are the same, and only the operands differ."""
    weights = [Value(float(i), label=f"w{i}") for i in range(3)]

    def run(first: int, second: int) -> None:
        x = Value(2.0, label="x")
        y = (weights[first] * x).tanh() * weights[second] + x * 3
        y.label = "y"
        y.backward()

    turns = [(0, 1), (1, 0), (0, 1), (0, 1), (1, 0), (2, 2), (0, 1), (1, 0), (1, 0), (2, 2)]
    with record() as together:
        for turn in turns:
            run(*turn)
    assert len({block.structure for block in forwards(together)}) == 3 + 2  # twice, weights come in
    assert len({block.sweep for block in backwards(together)}) == 3
    world = fold(together.events)
    state = State(together, together.length)
    for index in range(together.size):
        if not together.node(index).constant:
            assert bits(state.grad(index)) == bits(world.grads.get(index))
    assert [w.grad for w in weights] == [
        state.grad(together.first_named(f"w{i}")) for i in range(3)
    ]


def test_a_sweep_that_follows_from_its_structure_is_the_one_that_was_run() -> None:
    with record() as recording:
        a, b, idle = Value(2.0), Value(3.0), Value(4.0)
        unused = (a * 7 + idle).tanh()  # that nobody uses, what it is made of takes no part either
        y = (a * b + a).tanh() * (b - 2) + b
        later = y * unused * y
        y.backward()
    [block] = backwards(recording)
    sweep = block.sweep
    values = [*reversed(_made_from(y)), b, a]
    assert sweep.width == len(values) == len(block.grads)
    assert list(block.grads) == [value.grad for value in values]
    assert (block.root, sweep.edges) == (block.node(0), len(sweep.slots))
    assert len(sweep.slots) == len(sweep.outs) == len(sweep.receivers) == 10
    assert idle.grad == unused.grad == later.grad == 0.0


def _made_from(root: Value) -> list[Value]:
    """All computed values that lead to a root, oldest first."""
    found = {root}
    pending = [root]
    while pending:
        for operand in pending.pop()._prev:
            if operand._prev and operand not in found:
                found.add(operand)
                pending.append(operand)
    return sorted(found, key=lambda value: value._stamp)


def test_what_other_threads_made_of_values_that_are_pending_is_logged_between(
    tmp_path: Path,
) -> None:
    with record() as recording:
        with scope("here"):
            w = Value(2.0, label="w")
        with ThreadPoolExecutor(4) as others:
            outs = list(others.map(lambda i: (w * i).tanh(), range(4)))
        total = outs[0] + outs[1] + outs[2] + outs[3]
        total.label = "total"
        total.backward()
    assert recording.names(recording.length).keys() == {"here/w", "total"}
    state = State(recording, recording.length)
    node = state.find("here/w")
    assert node is not None
    assert recording.node(node).place.scope == "here"
    assert state.grad(node) == w.grad
    recording.save(tmp_path / "threads.stepgrad")
    loaded = Recording.load(tmp_path / "threads.stepgrad")
    assert list(loaded.events) == list(recording.events)


# Values are told apart by identity, whatever a subclass means by equality.


class ByNumber(Value):  # noqa: PLW1641 - not hashable, that is the point
    """Equal where the numbers are."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and self.data == other.data


class Incomparable(Value):
    """Like an array: whoever compares it by accident fails."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError

    def __hash__(self) -> int:
        raise AssertionError


def turns(kind: type[Value]) -> list[Event]:
    """Passes of the same shape over Values of equal numbers, in turns; then all else there is."""
    a, b, c = kind(1.0, "a"), kind(1.0, "b"), kind(1.0, "c")
    sgd = SGD([a, b], 0.1)
    with record() as recording:
        for turn in range(6):
            p, q = (a, b) if turn % 4 < 2 else (b, a)
            (p * c + q * q * c).backward()
            clip_norm([p, q], 1.0)
            SGD([p, q], 0.0, momentum=0.5).step()
            sgd.step()
            sgd.zero_grad()
            a.data = b.data = c.data = 1.0
        with ThreadPoolExecutor(1) as other:
            y = other.submit(lambda: a * kind(2.0)).result() * c
        x = kind(1.0, "x")
        seed(x, 1.0)
        x.label = "named"
        (x * y).backward()
        with record():
            a.data = 5.0
            (a * b).backward()
        kind(3.0).backward()
        Traced(lambda: a * b * c)()
    return list(recording.events)


@pytest.mark.parametrize("kind", [ByNumber, Incomparable])
def test_values_are_told_apart_by_identity(kind: type[Value]) -> None:
    assert repr(turns(kind)) == repr(turns(Value))
    x = kind(2.0)
    (x * x + kind(2.0)).backward()
    assert x.grad == 4.0


def test_what_an_inner_recording_did_is_logged_before_what_comes_after_it() -> None:
    with record() as recording:
        x = Value(2.0, label="x")
        with record():
            (x * 3.0).backward()
        x.data = 9.0
    leaf, grad, update = recording.events
    assert isinstance(leaf, Leaf)
    assert isinstance(grad, SetGrad)
    assert isinstance(update, Update)
    assert (grad.after, update.before, update.after) == (3.0, 2.0, 9.0)
