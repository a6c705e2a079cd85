"""Work in a thread: its result, its errors, how far it is, its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from gates import PATIENCE, Gate, gate
from stepgrad.errors import NotEnoughMemoryError, ScenarioError
from stepgrad.progress import Cancelled, advance
from stepgrad.replay.session import Progress
from stepgrad.scenario import build, open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.tui.work import Growing, Work

XOR = open_scenario("xor_tanh")
WHOLE = record_file(XOR)
PASSES = 101


@pytest.fixture(name="gate")
def _gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    with gate(monkeypatch) as it:
        yield it


def test_the_result_comes_when_it_is_there() -> None:
    go = Event()

    def slow() -> int:
        assert go.wait(PATIENCE)
        return 7

    work = Work(slow)
    assert not work.wait(0)
    go.set()
    assert work.result() == 7
    assert work.wait(0)


def test_an_error_is_raised_where_the_result_is_asked_for() -> None:
    def bad() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Work(bad).result()


def test_work_says_how_far_it_is_and_ends_there_when_it_is_stopped() -> None:
    begun, go = Event(), Event()

    def long() -> None:
        advance(1, 4)
        begun.set()
        assert go.wait(PATIENCE)
        advance(2, 4)
        raise AssertionError("it was stopped")

    work = Work(long)
    assert begun.wait(PATIENCE)
    assert work.share == 0.25
    work.stop()
    go.set()
    with pytest.raises(Cancelled):
        work.result()
    assert work.share == 0.25


def test_a_recording_can_be_read_from_its_first_pass_on(gate: Gate) -> None:
    growing = Growing(XOR)
    recording = growing.result()
    assert recording.length == WHOLE.steps[1]
    assert growing.progress == Progress(1 / PASSES)
    gate.let(5)
    assert recording.length == WHOLE.steps[1], "it stands still until it is brought up to date"
    growing.take()
    assert recording.length == WHOLE.steps[5]
    assert growing.progress == Progress(5 / PASSES)
    gate.leave_open()
    growing.wait(PATIENCE)
    growing.take()
    assert growing.result() is recording
    assert growing.progress is None
    assert list(recording.events) == list(WHOLE.events)
    assert recording.names(recording.length) == WHOLE.names(WHOLE.length)
    assert (recording.title, recording.source) == (WHOLE.title, WHOLE.source)


def test_a_recording_that_is_stopped_stays_at_its_last_whole_pass(gate: Gate) -> None:
    growing = Growing(XOR)
    recording = growing.result()
    gate.let(34)
    growing.stop()
    gate.leave_open()
    growing.wait(PATIENCE)
    growing.take()
    assert recording.length == WHOLE.steps[34]
    assert growing.progress == Progress(34 / PASSES, stopped=True)
    assert growing.place == "step 33 of 100"


def test_a_recording_that_is_complete_cannot_be_stopped() -> None:
    growing = Growing(XOR)
    growing.wait(PATIENCE)
    growing.stop()
    assert growing.progress is None
    assert growing.recording.length == WHOLE.length


def test_what_is_wrong_with_a_scenario_is_raised_before_there_is_anything_to_read(
    tmp_path: Path,
) -> None:
    text = XOR.source.text.replace("expect:", "expect:\n  values: {nobody: 1}", 1)
    path = tmp_path / "wrong.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match="unknown name `nobody`"):
        Growing(open_scenario(path)).result()


def test_an_error_in_the_middle_leaves_what_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(done: int, total: int) -> None:
        if done == 8:
            raise MemoryError
        advance(done, total)

    monkeypatch.setattr(build, "advance", fail)
    growing = Growing(XOR)
    growing.wait(PATIENCE)
    growing.take()
    assert isinstance(growing.error, NotEnoughMemoryError)
    assert growing.progress == Progress(7 / PASSES, stopped=True)
    assert growing.recording.length == WHOLE.steps[8]


def test_too_little_memory_is_an_error_of_ours() -> None:
    def huge() -> None:
        raise MemoryError

    with pytest.raises(NotEnoughMemoryError, match="with --memory"):
        Work(huge).result()


def test_what_grows_says_why_it_ends_early() -> None:
    growing = Growing(XOR, memory=100_000)
    assert growing.result().memory == 100_000
    assert growing.wait()
    growing.take()
    whole = record_file(XOR, memory=100_000)
    assert growing.recording.incomplete == whole.incomplete != ""
    assert growing.progress is None
