"""`recording.events` is a sequence like any other."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepgrad import Recording, Value, mark, record


@pytest.fixture(scope="module")
def recording() -> Recording:
    with record() as recording:
        w = Value(2.0)
        for step in range(3):
            mark("step", step)
            (w * w + 1).backward()
            w.data -= 0.1 * w.grad
            w.grad = 0
    return recording


def test_length_index_and_iteration_agree(recording: Recording) -> None:
    events = recording.events
    assert len(events) == recording.length == 1 + 3 * (1 + 2 + 4 + 2)
    assert list(events) == [events[i] for i in range(len(events))]
    assert list(reversed(events)) == list(events)[::-1]


@given(index=st.integers(-40, 40))
def test_an_index_is_a_lists(recording: Recording, index: int) -> None:
    events = list(recording.events)
    if -len(events) <= index < len(events):
        assert recording.events[index] == events[index]
    else:
        with pytest.raises(IndexError, match=rf"event {index} of {len(events)}"):
            recording.events[index]


@given(part=st.slices(40))
def test_a_slice_is_a_lists(recording: Recording, part: slice) -> None:
    assert recording.events[part] == list(recording.events)[part]


def test_it_is_found_by_value(recording: Recording) -> None:
    event = recording.events[13]
    assert event in recording.events
    assert recording.events[recording.events.index(event)] == event


def test_an_empty_recording_has_no_events() -> None:
    with record() as recording:
        pass
    assert list(recording.events) == []
    assert (recording.length, recording.size, recording.steps) == (0, 0, [])


def test_it_is_shown_in_a_line(recording: Recording) -> None:
    assert repr(recording) == "<Recording: 28 events, 3 backward passes>"
    assert repr(recording.events) == "<28 events>"
    assert repr(Recording()) == "<Recording: 0 events, 0 backward passes>"
    with record() as growing:
        Value(1.0)
        assert repr(growing) == "<Recording: 1 event, 0 backward passes>"


@pytest.mark.parametrize("wrong", [3, "run.stepgrad", Path("run.stepgrad"), record])
def test_only_a_recording_is_recorded_into(wrong: Any) -> None:
    why = f"takes an empty Recording or nothing, not {wrong!r}; recording.save(path) writes a file"
    with pytest.raises(TypeError, match=re.escape(why)), record(wrong):
        pass
