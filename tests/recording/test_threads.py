"""A recording is read in other threads while one records: what they see is never wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from random import Random
from threading import Event, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import Program, programs, run
from reference import bits
from stepgrad import SGD, Recording, State, Value, mark, record, scope
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
