"""A recording takes no more memory than it may, and says where it stopped."""

from __future__ import annotations

import gc
import io
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from stepgrad import SGD, Recording, Value, mark, record
from stepgrad.engine.tape import active_tape
from stepgrad.recording import budget, memory
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recorder import Recorder

SMALL = 100_000


def passes(times: int) -> None:
    w = Value(0.5)
    for _ in range(times):
        (w * w).backward()


def growing_graph(times: int) -> None:
    x = Value(0.0, label="x")
    for _ in range(times):
        x = x + 1.0


def nothing_kept(times: int) -> None:
    for _ in range(times):
        Value(1.0) * 2.0


def writes(times: int) -> None:
    w = Value(1.0)
    for _ in range(times):
        w.data += 1.0


def marks(times: int) -> None:
    for step in range(times):
        mark("step", step)


def training(times: int) -> None:
    w, v = Value(0.5), Value(0.25)
    optimizer = SGD([w, v], 0.1, 0.9)
    for _ in range(times):
        loss = (w * v - 1.0) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def other_shapes(times: int) -> None:
    w = Value(0.5)
    for edges in range(times // 20):
        y = w
        for _ in range(edges):
            y = y * w
        y.backward()


def labels(times: int) -> None:
    for number in range(times):
        Value(1.0).label = f"x{number}"


PROGRAMS = [
    passes, growing_graph, nothing_kept, writes, marks, training, other_shapes, labels
]  # fmt: skip


def recorded(program: Callable[[int], None], amount: int | str = SMALL) -> Recording:
    with record(memory=amount) as recording:
        program(3_000)
    return recording


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_stops_at_the_same_event_each_time(program: Callable[[int], None]) -> None:
    first = recorded(program)
    assert first.spent
    gc.disable()
    try:
        second = recorded(program)
    finally:
        gc.enable()
    with garbage_looked_for_all_the_time():
        third = recorded(program)
    assert 0 < first.length == second.length == third.length
    assert len(first.blocks) == len(second.blocks) == len(third.blocks)
    assert recorded(program, 3 * SMALL).length > first.length


@contextmanager
def garbage_looked_for_all_the_time() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def test_it_ends_with_a_whole_pass() -> None:
    assert isinstance(recorded(passes).blocks[-1], Backward)
    assert isinstance(recorded(training).blocks[-1], Backward)


def test_what_does_not_fit_in_twice_the_budget_ends_in_its_midst() -> None:
    with record(memory=SMALL) as recording:
        x = y = Value(0.5, label="x")
        for _ in range(10_000):
            y = y * x
        y.backward()
    assert recording.spent
    assert recording.length == 2 * SMALL // budget.NODE
    assert x.grad == 10_001 * 0.5**10_000


def test_the_program_goes_on_as_if_unrecorded() -> None:
    def program() -> list[float]:
        w = Value(0.5)
        losses = []
        for step in range(500):
            mark("step", step)
            loss = (w * 3.0 - 1.0) ** 2
            w.grad = 0.0
            loss.backward()
            w.data -= 0.01 * w.grad
            losses.append(loss.data)
        return losses

    alone = program()
    with record(memory=SMALL) as recording:
        assert program() == alone
    assert recording.spent


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("program", [passes, nothing_kept, writes, marks, labels])
def test_then_nothing_grows(program: Callable[[int], None], lines: bool) -> None:
    with record(lines=lines, memory=SMALL) as recording:
        program(3_000)
        assert recording.spent
        tracemalloc.start()
        taken = []
        for times in (100, 1_000, 1_000):  # an entry a pass would take 8,000 bytes
            program(times)
            gc.collect()
            taken.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    # Python's own table of interned strings may grow once, at any time.
    assert min(after - before for before, after in pairwise(taken)) < 2_000


def test_what_is_counted_is_about_what_it_takes() -> None:
    for program in (passes, training, other_shapes):
        with record(memory="1GB"):
            program(100)
            recorder = active_tape()
            assert isinstance(recorder, Recorder)
            gc.collect()
            tracemalloc.start()
            left = recorder._budget._left
            program(1_000)
            gc.collect()
            taken, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert 0.5 < (left - recorder._budget._left) / taken < 3.0


def test_it_says_so_once(capsys: pytest.CaptureFixture[str]) -> None:
    recording = recorded(passes)
    why = f"recorded up to event {recording.length:,}: the memory budget is spent"
    assert recording.incomplete == why
    told = f"stepgrad: {why}; what the program does from here on is not recorded\n"
    assert capsys.readouterr() == ("", told)
    with record() as whole:
        passes(3)
    assert (whole.incomplete, capsys.readouterr().err) == ("", "")


@pytest.mark.parametrize("stream", [None, "closed"])
def test_nobody_to_say_it_to_is_no_error(
    stream: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr("sys.stderr", closed if stream else None)
    assert recorded(passes).spent
    assert capsys.readouterr().out == ""


def test_a_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "spent.stepgrad"
    recording = recorded(passes)
    recording.save(path)
    assert Recording.load(path).incomplete == recording.incomplete


def test_the_watch_ends_with_the_recording() -> None:
    before = list(gc.callbacks)
    recorded(passes)
    with record():
        passes(3)
    Recorder(Recording())  # never closed
    gc.collect()
    gc.collect()
    assert gc.callbacks == before


def test_garbage_is_looked_for_as_usual_after_a_recording() -> None:
    before = gc.get_threshold()
    with record():
        during = gc.get_threshold()
        with record():
            pass
    assert during > before == gc.get_threshold()
    with record():
        gc.set_threshold(123)
    try:
        assert gc.get_threshold()[0] == 123  # the program's own choice
    finally:
        gc.set_threshold(*before)


def test_without_a_budget_it_is_a_share_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory.free_memory() > 0
    monkeypatch.setattr(memory, "free_memory", lambda: memory.SHARE * SMALL)
    with record() as recording:
        passes(3_000)
    assert recording.length == recorded(passes).length


@pytest.mark.parametrize(
    ("size", "count"),
    [
        (500, 500), ("500", 500), ("500MB", 500_000_000), ("1.5 GB", 1_500_000_000),
        ("2g", 2_000_000_000), ("64kb", 64_000),
    ],
)  # fmt: skip
def test_sizes(size: int | str, count: int) -> None:
    assert memory.as_bytes(size) == count


@pytest.mark.parametrize(
    "size", ["", "MB", "-1", "0", "much", "1XB", -5, "1e9 GB", "1" + "0" * 400]
)
def test_what_is_not_a_size(size: int | str) -> None:
    with pytest.raises(ValueError, match="is not an amount of memory; write 500MB or 2GB"):
        memory.as_bytes(size)


def test_a_limit_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1, 1))
    assert memory.free_memory() == 0
    assert memory.default_memory() == 1
