"""What is reached, against the slow and obvious definition, event by event."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosing import recorded, verdicts
from stepgrad import SGD, Value, record
from stepgrad.diagnosis import diagnose
from stepgrad.diagnosis.reach.unmoved import unmoved
from stepgrad.diagnosis.survey import survey
from stepgrad.recording.events import Accumulate, Op, Seed
from stepgrad.recording.recording import Recording

NAMES = ["u", "v", "w"]
FACTORS = st.sampled_from([0.0, 0.5, -1.0, 2.0])


@dataclass(frozen=True)
class Step:
    """A step of a loop: which parameters are used, cut off, or behind a gate, for which input."""

    used: tuple[bool, bool, bool]
    cut: tuple[bool, bool, bool]
    gated: tuple[bool, bool, bool]
    x: float


STEPS = st.lists(
    st.builds(Step, *[st.tuples(*[st.booleans()] * 3)] * 3, FACTORS), min_size=1, max_size=5
)


def loop(starts: tuple[float, ...], steps: list[Step], *, clear: bool) -> Recording:
    with record(lines=True) as recording:
        parameters = [Value(start, name) for start, name in zip(starts, NAMES, strict=True)]
        optimizer = SGD(parameters, 0.125)
        for step in steps:
            terms = [Value(1.0) * 0.75]
            for parameter, used, cut, gated in zip(
                parameters, step.used, step.cut, step.gated, strict=True
            ):
                term = parameter * step.x
                term = term.relu() if gated else term
                if used:
                    terms.append(Value(term.data) * 2 if cut else term)
            loss = (sum(terms[1:], terms[0]) - 3) ** 2
            if clear:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return recording


Passes = list[dict[int, list[float]]]
"""For each pass, the contributions to each node."""


def received(recording: Recording) -> Passes:
    """The contributions of each pass, event by event."""
    passes: Passes = []
    for event in recording.events:
        match event:
            case Seed():
                passes.append({})
            case Accumulate(node=node, contribution=contribution):
                passes[-1].setdefault(node, []).append(contribution)
    return passes


@given(st.tuples(FACTORS, FACTORS, FACTORS), STEPS, st.booleans())
def test_what_is_unreached_and_what_is_unmoved(
    starts: tuple[float, ...], steps: list[Step], clear: bool
) -> None:
    recording = loop(starts, steps, clear=clear)
    passes = received(recording)
    assert_unreached_is_a_parameter_that_is_used_and_in_no_pass(recording, passes)
    assert_unmoved_is_what_receives_exactly_0_from_a_pass_on(recording, passes)


def assert_unreached_is_a_parameter_that_is_used_and_in_no_pass(
    recording: Recording, passes: Passes
) -> None:
    users = {node for e in recording.events if isinstance(e, Op) for node in e.operands}
    expected = [p for p in range(3) if p in users and not any(p in each for each in passes)]
    found = [each for each in verdicts(recording) if each.name == "unreached"]
    assert [[n for n in each.nodes if n < 3] for each in found] == [expected] * bool(expected)


def assert_unmoved_is_what_receives_exactly_0_from_a_pass_on(
    recording: Recording, passes: Passes
) -> None:
    expected = {}
    for p in range(3):
        sums = [(k, sum(each[p])) for k, each in enumerate(passes) if p in each]
        moved = [k for k, total in sums if total]
        since = [k for k, _ in sums if k > max(moved, default=-1)]
        if since:
            expected[p] = since, not moved
    found = {each.node: ([*each.passes], each.always) for each in unmoved(survey(recording))}
    assert found == expected


def dying(passes: int, bias: float = -4.0, target: float = 3.0) -> Recording:
    with record(lines=True) as recording:
        w, b = Value(1.0, label="w"), Value(bias, label="b")
        optimizer = SGD([w, b], 0.1)
        for _ in range(passes):
            loss = ((w * 2 + b).relu() - target) ** 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return recording


@pytest.mark.parametrize(("passes", "names"), [(9, []), (10, ["dead"])])
def test_dead_needs_ten_passes(passes: int, names: list[str]) -> None:
    assert [each.name for each in verdicts(dying(passes))] == names


def test_nothing_is_dead_where_nothing_arrives() -> None:
    assert not verdicts(dying(20, target=0.0))


def test_it_says_how_far_the_gate_is_shut_and_points_at_it() -> None:
    recording = dying(12)
    (verdict,) = verdicts(recording)
    assert "w and b receive exactly 0 in all 12 passes" in verdict.text
    assert "is −2 at most" in verdict.text
    event = recording.events[verdict.events[0] - 1]
    assert isinstance(event, Accumulate)
    assert (event.upstream, event.local, event.contribution) == (-6.0, 0.0, 0.0)


def test_the_update_that_shut_the_gate_comes_first() -> None:
    with record(lines=True) as recording:
        w, v = Value(1.0, label="w"), Value(1.0, label="v")
        for _ in range(14):
            loss = (v * (w * 1.5).relu() + 10) ** 2
            loss.backward()
            for p in (w, v):
                p.data -= 0.1 * p.grad
                p.grad = 0.0
    (verdict,) = verdicts(recording)
    event = recording.events[verdict.events[0] - 1]
    assert (event.node, event.before) == (0, 1.0)  # type: ignore[union-attr]
    assert f"the update at event {verdict.events[0]} moved w from 1 to −2.45" in verdict.text


def test_a_copy_is_pointed_at_and_a_plain_number_is_none() -> None:
    def detached(start: float) -> Recording:
        with record(lines=True) as recording:
            w, v = Value(start, label="w"), Value(0.75, label="v")
            optimizer = SGD([w, v], 0.1)
            for _ in range(3):
                h = w * 2
                loss = (v * Value(h.data, label="h_detached") - 3) ** 2
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return recording

    (cut,), (plain,) = verdicts(detached(0.3)), verdicts(detached(0.5))
    assert "h_detached (event 32) copies h = 0.6" in cut.text
    assert "copies" not in plain.text


def test_what_a_scenario_declares_is_a_parameter_without_any_update() -> None:
    recording = recorded("disconnected_parameter")
    declared = frozenset(recording.first_named(name) for name in ("w", "b", "v"))
    (verdict,) = diagnose(recording, declared)
    assert verdict.name == "unreached"
    assert verdict.text.startswith("no path leads from w and b to L in the only pass;")
    assert not verdicts(recording)  # nothing says what is trained


def test_a_parameter_that_nothing_uses_is_a_note() -> None:
    with record() as recording:
        w, b = Value(0.1, label="w"), Value(0.5, label="b")
        optimizer = SGD([w, b], 0.05)
        for _ in range(3):
            optimizer.zero_grad()
            ((w * 2.0 - 3.0) ** 2).backward()
            optimizer.step()
    [note] = diagnose(recording)
    assert (note.name, note.note) == ("unreached", True)
    assert note.text == "nothing uses b, so it receives no gradient"
    assert note.nodes == [1]
