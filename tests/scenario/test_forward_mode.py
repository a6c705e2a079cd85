"""Scenarios in forward mode: which passes they run, and what may be expected of them."""

from __future__ import annotations

import pytest

from scenario.runs import read
from stepgrad import Recording
from stepgrad.progress import watching
from stepgrad.recording.blocks import Backward, Forward
from stepgrad.recording.events import Mark
from stepgrad.scenario.build import record_file
from stepgrad.scenario.expect import checks

TWO = """\
title: t
mode: forward
wrt: [x, w]
inputs: {x: 2.0}
params: {w: 3.0}
graph:
  - c = 4
  - z = w*x + c
"""
EXPECT = """\
expect:
  tangents:
    x: {z: 3, w: 0}
    w: {z: 2.5}
"""


def played(text: str) -> Recording:
    return record_file(read(text))


def marks(recording: Recording) -> list[str]:
    return [event.kind for event in recording.events if isinstance(event, Mark)]


def columns(recording: Recording) -> list[dict[str, float]]:
    """The tangents of each pass in forward mode, by name."""
    return [
        {
            name: recording.history.tangent(node, recording.length) or 0.0
            for node, name in recording.names_in(block).items()
        }
        for block in recording.blocks
        if isinstance(block, Forward) and block.tangents is not None
    ]


def test_each_input_has_a_pass_of_its_own_in_the_order_of_the_file() -> None:
    recording = played(TWO)
    assert marks(recording) == ["forward mode with respect to x", "forward mode with respect to w"]
    assert columns(recording) == [
        {"x": 1, "w": 0, "c": 0, "z": 3},
        {"x": 0, "w": 1, "c": 0, "z": 2},
    ]
    assert not any(isinstance(block, Backward) for block in recording.blocks)


def test_with_backward_an_ordinary_pass_comes_last() -> None:
    recording = played(f"{TWO}backward: z\n")
    wrt = "forward mode with respect to "
    assert marks(recording) == [f"{wrt}x", f"{wrt}w", "reverse mode"]
    forward, backward = recording.blocks[-2:]
    assert isinstance(forward, Forward)
    assert isinstance(backward, Backward)
    assert forward.tangents is None
    assert len(recording.steps) == 3


def test_a_number_among_the_statements_is_an_input_too() -> None:
    [found] = columns(played(TWO.replace("[x, w]", "c")))
    assert found == {"x": 0, "w": 0, "c": 1, "z": 1}


def test_edits_are_in_every_pass() -> None:
    recording = record_file(read(TWO), {"x": 7.0})
    assert [each["z"] for each in columns(recording)] == [3, 7]


def test_tangents_are_checked_by_the_input_of_their_pass() -> None:
    file = read(TWO + EXPECT)
    recording = record_file(file)
    held = checks(file, recording)
    assert [(check.name, check.got, check.ok, check.line) for check in held] == [
        ("dz/dx", 3, True, 11),
        ("dw/dx", 0, True, 11),
        ("dz/dw", 2, False, 12),
    ]
    [why] = held[-1].why(recording)
    assert why.startswith("dz = ∂z/∂(w·x) · d(w·x) + ∂z/∂c · dc = 1 · 2 + 1 · 0 = 2")


def test_a_tangent_that_is_not_computed_yet_is_not_there() -> None:
    file = read(TWO + EXPECT)
    recording = record_file(file)
    second = recording.steps[1]
    assert [check.got for check in checks(file, recording, 0)] == [None, None, None]
    assert [check.got for check in checks(file, recording, second)] == [3, 0, None]


@pytest.mark.parametrize(("text", "passes"), [(TWO, 2), (f"{TWO}backward: z\n", 3)])
def test_it_says_how_far_it_is(text: str, passes: int) -> None:
    told: list[float] = []
    with watching(told.append):
        played(text)
    assert told == [done / passes for done in range(1, passes + 1)]
