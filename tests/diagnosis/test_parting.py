"""Where two recordings part, and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import Program, programs, run, writing_programs
from reference import bits
from stepgrad import SGD, Recording, Value, mark, record, record_scenario
from stepgrad.diagnosis.parting import Operand, part, side_by_side
from stepgrad.diagnosis.parting.first import first_difference
from stepgrad.engine.world import World
from stepgrad.recording import events
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file

WORLDS = ["overwrite", "no_zero_grad", "wrong_order", "shut relu", "open max", "skip_update 1"]

worlds = st.none() | st.sampled_from(WORLDS)


def recorded(program: Program, world: str | None = None, reads: int | None = None) -> Recording:
    """Record a program, perhaps in a world, and perhaps one that reads its recording midway."""
    recording = Recording()
    recording.world = None if world is None else World.read(world)
    with record(recording):
        values = [Value(0.5), Value(2.0)]
        run(program[:reads], values)
        if reads is not None:
            recording.settle()
            run(program[reads:], values)
    return recording


def said(recording: Recording, index: int) -> tuple[object, ...]:
    """Everything about an event that counts, with numbers as their bits; −0 is 0."""
    event, history = recording.events[index], recording.history

    def number(x: float | None) -> object:
        return bits(None if x is None else x + 0.0)

    match event:
        case events.Mark(kind, count):
            return "mark", kind, count
        case events.Leaf(node, value, tangent):
            return "leaf", node, number(value), number(tangent)
        case events.Op(node, op, operands, value, tangent):
            given = tuple(number(history.value(each, index + 1)) for each in operands)
            return op.usual.name, node, operands, given, number(value), number(tangent)
        case events.Seed(node, before, after):
            return "seed", node, number(before), number(after)
        case events.Accumulate(node, out, slot, upstream, local, contribution, before, after):
            numbers = upstream, local, contribution, before, after
            return "edge", node, out, slot, *map(number, numbers)
        case events.ZeroGrad(node, before) | events.SetGrad(node, before):
            return type(event).__name__, node, number(before), number(event.after)
        case events.Update(node, before, after):
            return "update", node, number(before), number(after)


def obvious_difference(first: Recording, second: Recording) -> int | None:
    """The first event that is another one, event by event."""
    for index in range(max(first.length, second.length)):
        if index >= min(first.length, second.length):
            return index
        if said(first, index) != said(second, index):
            return index
    return None


@st.composite
def two_programs(draw: st.DrawFn) -> tuple[Program, Program]:
    """A program, and the same with a part left out, put in or replaced."""
    kinds = programs() | writing_programs()
    program, other = draw(kinds), draw(kinds)
    at = draw(st.integers(0, len(program)))
    gone, new = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    return program, (*program[:at], *other[:new], *program[at + gone :])


@given(two_programs(), worlds, worlds, st.none() | st.integers(0, 14))
def test_the_first_difference_is_that_of_the_events(
    pair: tuple[Program, Program], one: str | None, other: str | None, reads: int | None
) -> None:
    first, second = recorded(pair[0], one), recorded(pair[1], other, reads)
    expected = obvious_difference(first, second)
    assert first_difference(first, second) == expected
    assert first_difference(second, first) == expected
    parting = part(first, second)
    assert (None if parting is None else parting.event - 1) == expected


@given(programs(), worlds)
def test_a_recording_is_the_same_as_itself(program: Program, world: str | None) -> None:
    assert part(recorded(program, world), recorded(program, world)) is None


Loop = Callable[[], None]


def made_by(loop: Loop, world: str | None = None) -> Recording:
    recording = Recording()
    recording.world = None if world is None else World.read(world)
    with record(recording):
        loop()
    return recording


def named(number: float, label: str) -> Value:
    return Value(number, label=label)


def neuron(x: float = 2.0, slope: float = 3.0, rate: float = 0.1) -> Loop:
    def loop() -> None:
        w, b = named(0.5, "w"), named(1.0, "b")
        sgd = SGD([w, b], rate)
        for _ in range(2):
            y = w * named(x, "x") * slope + b
            y.label = "y"
            y.backward()
            sgd.step()

    return loop


def total(*order: int) -> Loop:
    def loop() -> None:
        terms = [named(float(i), f"t{i}") for i in range(4)]
        first, *others = [terms[i] * 2 for i in order]
        for other in others:
            first = first + other
        first.label = "sum"
        first.backward()

    return loop


def relu(of: float, rectified: bool) -> Loop:
    def loop() -> None:
        z = named(of, "z")
        h = z.relu() if rectified else z.tanh()
        h.label = "h"
        (h * 2).backward()

    return loop


@pytest.mark.parametrize(
    ("one", "other", "event", "reason", "text"),
    [
        (neuron(), neuron(x=4.0), 3, "input", "x is 2 in A and 4 in B"),
        (neuron(x=1.0), neuron(x=1.0 + 2**-52), 3, "input",
         "x is 1 in A and 1.0000000000000002 in B"),
        (neuron(), neuron(slope=4.0), 5, "input",
         "in w·x·3, the constant is 3 in A and 4 in B"),
        (neuron(), neuron(rate=0.2), 13, "input", "learning rate is 0.1 in A and 0.2 in B"),
        (total(0, 1, 2, 3), total(0, 2, 1, 3), 6, "order",
         "the same terms are added in another order"),
        (total(0, 1, 2, 3), total(0, 2, 1), 6, "operation", "t1·2 in A and t2·2 in B"),
        (relu(1.0, True), relu(1.0, False), 2, "operation",
         "h = relu(z) in A and h = tanh(z) in B"),
        (neuron(), lambda: None, 1, "end", "no more events in B"),
        (neuron(), lambda: named(0.5, "w").backward(), 2, "event",
         "in A: b comes in; in B: a backward pass starts at w"),
    ],
)  # fmt: skip
def test_why_they_part(one: Loop, other: Loop, event: int, reason: str, text: str) -> None:
    parting = part(made_by(one), made_by(other))
    assert parting is not None
    assert (parting.event, parting.reason, parting.text) == (event, reason, text)


def test_another_number_comes_with_what_it_is_made_of() -> None:
    parting = part(made_by(relu(2.0, True)), made_by(relu(2.0, True), "shut h"))
    assert parting is not None
    assert parting.text == "∂h/∂z is 1 in A and 0 in B"
    assert [*parting.operands] == [
        Operand("d(h·2)/dh", (2.0, 2.0)),
        Operand("∂h/∂z", (1.0, 0.0)),
        Operand("d(h·2)/dz before", (None, None)),
    ]


def test_the_same_operands_may_give_another_number_on_another_machine() -> None:
    first, second = (made_by(relu(2.0, False)) for _ in range(2))
    block = second.blocks[0]
    block.values[1] += 2**-53  # type: ignore[union-attr, index]
    parting = part(first, second)
    assert parting is not None
    assert (parting.event, parting.reason) == (2, "number")
    assert parting.text == (
        "h is 0.9640275800758169 in A and 0.964027580075817 in B, made of the same numbers"
    )
    assert [*parting.operands] == [Operand("z", (2.0, 2.0))]


def test_a_contribution_that_replaces_is_where_worlds_part() -> None:
    parting = part(record_scenario("sum_over_paths"), in_world("sum_over_paths", "overwrite"))
    assert parting is not None
    assert (parting.event, parting.reason) == (13, "number")
    assert parting.text == (
        "dL/dh is 15 in A and 12 in B: in B, a contribution replaces what was there"
    )


def in_world(name: str, world: str) -> Recording:
    return record_file(open_scenario(name), world=World.read(world))


def test_what_is_not_a_difference() -> None:
    def numbers(zero: float, name: str) -> Loop:
        def loop() -> None:
            (named(zero, name) + float("nan")).backward()

        return loop

    assert part(made_by(numbers(0.0, "a")), made_by(numbers(-0.0, "b"))) is None


def test_a_file_is_the_same_as_what_was_saved(tmp_path: Path) -> None:
    recording = record_scenario("xor_tanh")
    recording.save(tmp_path / "it.stepgrad")
    loaded = Recording.load(tmp_path / "it.stepgrad")
    assert part(recording, loaded) is None
    parting = part(in_world("xor_tanh", "skip_update 2"), loaded)
    assert parting is not None
    assert parting.text == "in A: step 2 begins; in B: layer1/neuron1/w1 is updated"


def test_training_that_goes_on_is_compared_at_the_last_common_step() -> None:
    short, long = (made_by(learn(steps)) for steps in (2, 5))
    sides = side_by_side(short, long)
    assert sides.step == 1
    assert sides.positions == (short.length, long.steps[2])
    assert not sides.rows
    parting = part(short, long)
    assert parting is not None
    assert (parting.event, parting.text) == (short.length + 1, "no more events in A")


def learn(steps: int) -> Loop:
    def loop() -> None:
        w = named(1.0, "w")
        for step in range(steps):
            mark("step", step)
            (w * w).backward()
            w.data -= 0.1 * w.grad

    return loop


def test_the_largest_difference_comes_first_and_names_of_one_alone_are_apart() -> None:
    def numbers(**named_: float) -> Loop:
        def loop() -> None:
            for name, number in named_.items():
                named(number, name)

        return loop

    one = made_by(numbers(a=1.0, b=5.0, c=float("nan"), d=0.0, e=1.0))
    other = made_by(numbers(a=1.5, b=2.0, c=float("nan"), d=float("nan"), f=1.0))
    sides = side_by_side(one, other)
    assert [row.name for row in sides.rows] == ["d", "b", "a"]
    assert sides.only == (["e"], ["f"])


def test_operations_of_the_programs_own_are_told_apart_by_name() -> None:
    def named(name: str) -> Recording:
        with record() as recording:
            x = Value(2.0, label="x")
            Value(4.0, (x,), (1.0,), op=name).backward()
        return recording

    assert first_difference(named("f"), named("f")) is None
    assert first_difference(named("f"), named("g")) == 1
