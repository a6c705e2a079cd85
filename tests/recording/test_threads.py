"""Threads that read a recording while it grows, and threads that are recorded together."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from random import Random
from threading import Barrier, Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import Program, programs, run
from reference import bits, fold
from stepgrad import SGD, Recording, State, Value, mark, record, scope
from stepgrad.recording.blocks import Backward, Forward
from stepgrad.recording.events import Op
from stepgrad.recording.index import Index
from stepgrad.recording.kept import kept
from stepgrad.replay.training import parameters

STEPS, READERS = 150, 3


@pytest.fixture(autouse=True)
def many_turns() -> Iterator[None]:
    """Let threads take turns as often as they can, so that they meet everywhere."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def train(recording: Recording) -> None:
    """Marked steps, updates by rule and by hand, labels that come late, more nodes every time."""
    with record(recording):
        with scope("neuron"):
            w, b = Value(0.5, label="w"), Value(0.0, label="b")
        sgd = SGD([w, b], 0.01)
        for step in range(STEPS):
            mark("step", step)
            out = (w * 2 + b).tanh()
            for _ in range(step % 7):
                out = out * w
            out.label = "out"
            loss = (out - 1) ** 2
            loss.backward()
            loss.label = f"loss{step}"
            sgd.step()
            b.data *= 0.5
            sgd.zero_grad()


FINISHED = Recording()
train(FINISHED)
ENDS = {0, *(block.start + block.length for block in FINISHED.blocks)}


def compare(growing: Recording, position: int, node: int) -> None:
    """Hold what is read of a growing recording against the finished one."""
    now, then = State(growing, position), State(FINISHED, position)
    if not FINISHED.node(node).constant:
        assert bits(now.value(node)) == bits(then.value(node))
        assert bits(now.grad(node)) == bits(then.grad(node))
    assert (now.event, now.phase, now.step, now.root) == (
        then.event,
        then.phase,
        then.step,
        then.root,
    )


def read(growing: Recording, over: Event, seed: int) -> None:
    draw = Random(seed)
    while not over.is_set():
        steps, length, size = list(growing.steps), growing.length, growing.size
        # Up to the first mark, the first forward pass begins a step.
        assert steps in ([0], list(FINISHED.steps[: len(steps)]))
        for _ in range(50):
            end = growing.length
            assert end in ENDS
            latest = State(growing, end).focus
            assert latest is None or growing.node(latest).op is FINISHED.node(latest).op
        if not size:
            continue
        for _ in range(5):
            compare(growing, draw.randint(0, length), draw.randrange(size))
        named = growing.names(length).items()
        assert all(FINISHED.node(node).name == name for name, node in named)
        assert set(parameters(growing)) <= set(parameters(FINISHED))


@pytest.mark.parametrize("seed", range(4))
def test_whoever_reads_while_it_grows_reads_what_is_so(seed: int) -> None:
    growing, over, wrong = Recording(), Event(), []

    def reader(number: int) -> None:
        try:
            read(growing, over, READERS * seed + number)
        except BaseException as error:
            wrong.append(error)

    threads = [Thread(target=reader, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    train(growing)
    over.set()
    for thread in threads:
        thread.join()
    if wrong:
        raise wrong[0]
    assert list(growing.events) == list(FINISHED.events)
    assert growing.names(growing.length) == FINISHED.names(FINISHED.length)
    assert list(growing.steps) == list(FINISHED.steps)


def test_a_step_is_looked_up_among_the_steps_of_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    with record() as recording:
        x = Value(2.0)
        mark("step", 0)
        (x * x).backward()
    # Until the mark is logged, the first forward pass begins a step.
    answers = iter([[0], [1], [0], [1]])
    monkeypatch.setattr(Index, "steps", lambda _: next(answers))
    assert State(recording, 1).step is None
    next(answers)
    assert State(recording, 1).step_bounds == (0, recording.length)


class Interrupted(Index):
    """An index to which another thread adds, just before some look at how far it has come."""

    add: Callable[[], None]
    looks = 0

    @property
    def _indexed(self) -> int:
        self.looks -= 1
        if not self.looks and not self._indexing.locked():
            self.add()
            self._catch_up()
        return int(vars(self)["_indexed"])

    @_indexed.setter
    def _indexed(self, number: int) -> None:
        vars(self)["_indexed"] = number


@pytest.mark.parametrize("about", ["value", "grad"])
@pytest.mark.parametrize("name", ["neuron/w", "neuron/b"])
def test_a_block_that_comes_in_the_middle_of_a_question_is_not_missed(
    name: str, about: str
) -> None:
    node = FINISHED.first_named(name)
    for blocks in range(1, 24):
        for looks in range(1, 12):
            growing = Recording()
            growing.catch_up(FINISHED, blocks)
            index, asked = growing.history.index, getattr(growing.history, about)
            asked(node, growing.length)
            index.__class__ = Interrupted
            assert isinstance(index, Interrupted)
            growing.catch_up(FINISHED, blocks + 1)
            index.add = partial(growing.catch_up, FINISHED, blocks + 2)
            index.looks = looks
            asked(node, growing.length)
            growing.catch_up(FINISHED, blocks + 2)
            right = getattr(FINISHED.history, about)(node, growing.length)
            assert asked(node, growing.length) == right, (blocks, looks)


@given(programs(), st.data())
def test_a_copy_that_catches_up_is_the_same_up_to_there(
    program: Program, data: st.DataObject
) -> None:
    with record() as made:
        values = [Value(0.5), Value(-2.0)]
        run(program, values)
        for place, value in enumerate(values):
            value.label = f"value{place}"
    copy = Recording()
    cuts = data.draw(st.lists(st.integers(0, len(made.blocks)), max_size=4).map(sorted))
    for blocks in (*cuts, len(made.blocks)):
        copy.catch_up(made, blocks)
        assert len(copy.blocks) == blocks
        assert repr(list(copy.events)) == repr(list(made.events[: copy.length]))
        assert copy.names(copy.length) == made.names(copy.length)


Question = Callable[[Recording], object]
QUESTIONS: list[Question] = [
    lambda recording: list(recording.steps),
    lambda recording: recording.names(recording.length),
    lambda recording: list(parameters(recording)),
    lambda recording: list(State(recording, recording.length).scene),
    lambda recording: State(recording, recording.length).step,
]


def test_nothing_that_is_kept_outlives_what_it_was_kept_for() -> None:
    copy = Recording()
    for blocks in range(len(FINISHED.blocks) + 1):
        copy.catch_up(FINISHED, blocks)
        fresh = Recording()
        fresh.catch_up(FINISHED, blocks)
        for question in QUESTIONS:
            assert question(copy) == question(fresh)


# Several threads of one context record together.

TOGETHER = 3


def together(*works: Callable[[], object]) -> None:
    """Run each in a thread that has a copy of this context, as `asyncio.to_thread` does."""
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(copy_context().run, work) for work in works]:
            done.result()


def learn(number: int, steps: int = 40) -> Value:
    """Do everything that a program can do, with Values of its own."""
    w = Value(0.1 * number + 0.05, label=f"w{number}")
    sgd = SGD([w], 0.01)
    for step in range(steps):
        with scope(f"thread{number}"):
            out = w
            for _ in range(4):
                out = (out * 1.01 + w).tanh()
        out.label = f"out{number}"
        out.backward()
        mark("step", step)
        if step % 2:
            sgd.step()
        else:
            w.data -= 0.01 * w.grad
        w.grad = 0.0 if step + 1 < steps else 7.0
    return w


def check_whole(recording: Recording) -> None:
    """Hold a recording against itself: what is derived from it is what was recorded."""
    position = size = 0
    for block in recording.blocks:
        assert block.start == position
        position += block.length
        if isinstance(block, Forward):
            assert block.base == size
            size += len(block.structure)
    assert (position, size) == (recording.length, recording.size)
    history = recording.history
    for position, event in enumerate(recording.events, 1):
        if isinstance(event, Op):
            operands = [history.value(operand, position) for operand in event.operands]
            assert None not in operands
            assert event.op.value(*operands) == event.value
    for block in recording.blocks:
        if isinstance(block, Backward):
            end = block.start + block.length
            last = dict(zip(block.nodes, block.grads, strict=True))
            for edge in range(block.sweep.edges):
                node = block.node(block.sweep.receivers[edge])
                event = recording.events[block.start + 1 + edge]
                if edge == block.sweep.incoming[block.sweep.receivers[edge]][-1]:
                    assert event.after == last[node] == history.grad(node, end)  # type: ignore[union-attr]


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_threads_of_one_context_are_recorded_whole(seed: int, lines: bool) -> None:
    found: dict[int, Value] = {}
    numbers = range(seed * TOGETHER, (seed + 1) * TOGETHER)
    with record(lines=lines) as recording:
        together(*(lambda number=n: found.update({number: learn(number)}) for n in numbers))
    check_whole(recording)
    world = fold(recording.events)
    names = recording.names(recording.length)
    alone = Recording()
    with record(alone):
        expected = {number: learn(number) for number in numbers}
    assert (recording.size, recording.length) == (alone.size, alone.length)
    for number, w in found.items():
        node = names[f"w{number}"]
        assert (w.data, w.grad) == (expected[number].data, expected[number].grad)
        assert (world.values[node], world.grads[node]) == (w.data, w.grad)


def test_each_thread_has_lines_and_scopes_of_its_own() -> None:
    def chain(number: int) -> None:
        with scope(f"thread{number}"):
            value = Value(0.0, label=f"first{number}")
            for _ in range(200):
                value = value + 1.0 if number else -value

    with record(lines=True) as recording:
        together(lambda: chain(0), lambda: chain(1))
    line = chain.__code__.co_firstlineno + 4
    for index in range(recording.size):
        node = recording.node(index)
        if node.operands:
            assert (node.op.name, node.place.scope) in {("neg", "thread0"), ("add", "thread1")}
            assert node.place.line == line


def test_a_recording_that_ends_while_threads_go_on() -> None:
    over, begun = Event(), Barrier(TOGETHER + 1)

    def go_on(number: int) -> None:
        learn(number, 1)
        begun.wait(10)
        while not over.is_set():
            learn(number, 2)

    with ThreadPoolExecutor(TOGETHER) as pool:
        with record() as recording:
            going = [pool.submit(copy_context().run, go_on, n) for n in range(TOGETHER)]
            begun.wait(10)
        events = recording.length
        over.set()
        for each in going:
            each.result()
    assert recording.length == events
    check_whole(recording)


def test_threads_share_what_is_kept() -> None:
    @kept(4)
    def twice(about: Index, number: int) -> int:  # noqa: ARG001 - what it is kept on
        return 2 * number

    index = Index([])

    def ask(first: int) -> list[bool]:
        return [twice(index, n % 11) == 2 * (n % 11) for n in range(first, first + 30_000)]

    with ThreadPoolExecutor(8) as pool:
        assert all(all(right) for right in pool.map(ask, range(8)))
