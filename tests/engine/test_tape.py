"""Tapes: what each is notified of."""

import asyncio
from collections.abc import Generator
from contextlib import suppress
from contextvars import copy_context
from threading import Thread
from typing import Any

import pytest

from stepgrad import SGD, Value, mark, scope
from stepgrad.engine.node import Node
from stepgrad.engine.tape import (
    Place,
    Rule,
    WriteKind,
    active_tape,
    assign,
    at_line,
    current_place,
    recording_on,
    write_all,
)


class Listener:
    """A tape that writes down its calls."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.append = lambda value: self.told.append(("made", value))

    def backward(self, root: Node) -> None:
        self.told.append(("backward", root))

    def write(self, kind: WriteKind, value: Node, after: float) -> None:
        self.told.append((kind, value, after))
        assign(kind, [value], [after])

    def write_all(self, kind: WriteKind, values: Any, after: Any, rule: Any) -> None:
        self.told.append((kind, tuple(values), tuple(after), rule))
        assign(kind, values, after)

    def mark(self, kind: str, number: int | None) -> None:
        self.told.append(("mark", kind, number))

    def name(self, value: Node) -> None:
        self.told.append(("name", value, value._label))

    def seed(self, value: Node, tangent: float) -> None:
        self.told.append(("seed", value, tangent))

    def settle(self) -> None:
        self.told.append("settle")

    def holds(self, value: Node) -> bool:
        return value is None

    def missed(self, value: Node) -> None:
        self.told.append(("missed", value))

    def move(self, place: Place) -> None:
        self.told.append(("move", place.scope))


def test_a_tape_is_told_everything_in_order() -> None:
    tape = Listener()
    with recording_on(tape):
        x = Value(2.0, label="x")
        y = x * 3
        y.backward()
        x.data = 1
        x.grad = 5
        x.grad = 0
        mark("step", 7)
        with scope("s"):
            pass
        SGD([x], 0.5).step()
        SGD([x], 0.5).zero_grad()
    constant = y._prev[1]
    assert tape.told == [
        ("made", x),
        ("name", x, "x"),
        ("made", constant),
        ("made", y),
        ("backward", y),
        ("update", x, 1.0),
        ("set", x, 5.0),
        ("zero", x, 0.0),
        ("mark", "step", 7),
        ("move", "s"),
        ("move", ""),
        ("update", (x,), (1.0,), Rule("sgd", {"learning_rate": 0.5})),
        ("zero", (x,), (0.0,), None),
    ]


def test_a_tape_carries_out_the_writes() -> None:
    before = []

    class Early(Listener):
        def write(self, kind: WriteKind, value: Node, after: float) -> None:
            before.append((value._data, value._grad))
            super().write(kind, value, after)

    with recording_on(Early()):
        x = Value(1.0)
        x.data = 2.0
        x.grad = 3.0
    assert before == [(1.0, 0.0), (2.0, 0.0)]
    assert (x.data, x.grad) == (2.0, 3.0)


@pytest.mark.parametrize(
    ("after", "error"),
    [([1.0], ValueError), ([1.0, 2.0, 3.0], ValueError), ([1.0, "2"], TypeError)],
)
@pytest.mark.parametrize("kind", ["update", "set", "zero"])
def test_a_write_that_is_refused_writes_and_reports_nothing(
    kind: WriteKind, after: Any, error: type[Exception]
) -> None:
    tape, values = Listener(), [Value(5.0), Value(6.0)]
    with recording_on(tape), pytest.raises(error):
        write_all(kind, values, after)
    with pytest.raises(error):
        write_all(kind, values, after)
    assert not tape.told
    assert [(value.data, value.grad) for value in values] == [(5.0, 0.0), (6.0, 0.0)]


def test_the_inner_tape_hears_until_it_ends_also_by_an_error() -> None:
    outer, inner = Listener(), Listener()
    with recording_on(outer):
        first = Value(1.0)
        with suppress(RuntimeError), recording_on(inner):
            within = Value(2.0)
            raise RuntimeError
        last = Value(3.0)
    assert outer.told == [("made", first), "settle", ("made", last)]
    assert inner.told == [("made", within)]
    assert active_tape() is None


def test_another_thread_is_not_heard() -> None:
    tape = Listener()
    with recording_on(tape):
        thread = Thread(target=Value, args=(1.0,))
        thread.start()
        thread.join()
    assert tape.told == []


def test_a_task_that_was_started_inside_is_heard_and_others_are_not() -> None:
    tape = Listener()

    async def make(number: float) -> None:
        await asyncio.sleep(0)
        Value(number)

    async def program() -> None:
        outside = asyncio.create_task(make(1.0))
        with recording_on(tape):
            inside = asyncio.create_task(make(2.0))
        await asyncio.gather(outside, inside)

    asyncio.run(program())
    assert [value.data for _, value in tape.told] == [2.0]


def test_scopes_nest_and_end_also_by_an_error() -> None:
    with scope("layer1"):
        with suppress(RuntimeError), scope("neuron2"):
            assert current_place().scope == "layer1/neuron2"
            raise RuntimeError
        assert current_place().scope == "layer1"
    assert current_place() == Place()


def test_a_scope_keeps_the_line() -> None:
    with at_line(7), scope("layer1"):
        assert current_place() == Place("layer1", 7)


def test_a_scope_may_be_called_by_a_number() -> None:
    with scope(0):
        assert current_place() == Place("0")
        with scope(1):
            assert current_place() == Place("0/1")


@pytest.mark.parametrize("number", [1.5, "one"])
def test_a_mark_that_counts_in_no_whole_numbers_is_refused_at_once(number: Any) -> None:
    tape = Listener()
    with recording_on(tape), pytest.raises(TypeError, match="integer"):
        mark("step", number)
    assert not tape.told


def test_a_mark_without_a_recording_is_nothing() -> None:
    mark("step", 1)
    assert active_tape() is None


def test_a_generator_may_end_in_another_context() -> None:
    tape = Listener()

    def values() -> Generator[Value, None, None]:
        with recording_on(tape):
            yield Value(1.0)

    def program() -> None:
        generator = values()
        next(generator)
        context = copy_context()
        context.run(generator.close)
        assert context.run(active_tape) is None

    copy_context().run(program)
