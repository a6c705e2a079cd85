"""Steps on a parabola, whose curvature is known."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from diagnosing import PAIRS, recorded, verdicts
from stepgrad import SGD, Recording, Value, record
from stepgrad.diagnosis.steps.ascent import uphill
from stepgrad.diagnosis.steps.descent import step_too_long, step_too_short
from stepgrad.diagnosis.steps.downhill import downhill
from stepgrad.diagnosis.survey import survey

curvatures = st.floats(0.01, 100)


def trained(curvature: float, rate: float, start: float = 1.0, steps: int = 12) -> Recording:
    """Train one weight by hand on a parabola with its minimum at 3."""
    with record(lines=True) as recording:
        w = Value(start, label="w")
        for _ in range(steps):
            loss = (w - 3) ** 2 * (curvature / 2)
            w.grad = 0.0
            loss.backward()
            w.data -= rate * w.grad
    return recording


def found(recording: Recording) -> list[str]:
    """The verdicts on its descent."""
    questions = (uphill, step_too_long, step_too_short)
    return [each.name for question in questions for each in question(survey(recording))]


@given(curvatures, st.floats(0.01, 3))
def test_the_reach_is_the_learning_rate_times_the_curvature(curvature: float, reach: float) -> None:
    assume(abs(reach - 1) > 1e-3)  # then nothing is left to descend
    steps = downhill(survey(trained(curvature, reach / curvature, steps=4)))
    for this, after in pairwise(steps):
        assert this.reach(after) == pytest.approx(reach, rel=1e-6)


@given(curvatures, st.floats(-0.5, 3))
def test_the_verdict_follows_from_the_reach(curvature: float, reach: float) -> None:
    assume(abs(reach) > 1e-3 and abs(reach - 2) > 1e-6)
    expected = "uphill" if reach < 0 else "step_too_long" if reach > 2 else None
    assert found(trained(curvature, reach / curvature)) == [expected] * (expected is not None)


@given(curvatures, st.floats(1e-9, 1e-6), st.floats(-1, 1))
def test_tiny_steps_are_too_short_unless_there_is_nothing_to_gain(
    curvature: float, reach: float, start: float
) -> None:
    assert found(trained(curvature, reach / curvature, 3.0)) == []
    assert found(trained(curvature, reach / curvature, start)) == ["step_too_short"]


def test_steps_on_other_data_say_nothing_about_the_curvature() -> None:
    with record(lines=True) as recording:
        w = Value(1.0, label="w")
        optimizer = SGD([w], 0.01)
        for t in [0.0, 2.0] * 6:
            optimizer.zero_grad()
            ((w - t) ** 2).backward()
            optimizer.step()
    assert all(this.reach(after) > 1.9 for this, after in pairwise(downhill(survey(recording))))
    assert found(recording) == []


def test_losses_that_are_compared_are_those_of_the_same_data() -> None:
    [verdict] = verdicts(recorded(PAIRS / "step_too_short_4.py"))
    assert "goes from 4 to 3.9999888 on the same data" in verdict.text


def test_uphill_names_the_event_that_moves_the_parameter_it_names() -> None:
    with record() as recording:
        w, b = Value(0.5, label="w"), Value(0.0, label="b")
        for _ in range(8):
            loss = (w * 2 + b - 3) ** 2 + (w * -1 + b - 1) ** 2
            w.grad = b.grad = 0.0
            loss.backward()
            for parameter in (w, b):
                parameter.data += 0.04 * parameter.grad
    (found,) = uphill(survey(recording))
    position = found.events[0]
    assert f"event {position} moves b by −0.28" in found.text
    node = recording.names(recording.length)["b"]
    assert recording.history.value(node, position - 1) == 0
    assert recording.history.value(node, position) == pytest.approx(-0.28)
