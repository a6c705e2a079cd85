"""What has changed between forward and backward, compared with a definition edge by edge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isclose

from hypothesis import given
from hypothesis import strategies as st

from diagnosing import PAIRS, recorded, verdicts
from stepgrad import SGD, Recording, Value, record
from stepgrad.diagnosis.bookkeeping.staleness import bends, changes, stale
from stepgrad.diagnosis.survey import survey
from stepgrad.recording import events

DEEDS = ("sum", "product", "square", "sum", "write v", "write w", "step", "backward", "backward")

loops = st.lists(st.sampled_from(DEEDS), min_size=2, max_size=14)


def run(loop: Sequence[str]) -> Recording:
    with record() as recording:
        v, w = Value(0.75, label="v"), Value(0.5, label="w")
        optimizer = SGD([v, w], 0.125)
        root = v * w
        for deed in loop:
            match deed.split():
                case ["sum"]:
                    root = root + w
                case ["product"]:
                    root = root * v
                case ["square"]:
                    root = (v + 1) ** 2
                case ["write", name]:
                    leaf = v if name == "v" else w
                    leaf.data = 1.25 - leaf.data
                case ["step"]:
                    optimizer.step()
                case _:
                    root.backward()
    return recording


def defined(recording: Recording) -> Iterator[tuple[int, int, bool]]:
    """Yield the number of a pass, a node that has changed, and whether a product is another."""
    history, passes, start = recording.history, -1, 0
    for position, event in enumerate(recording.events, 1):
        match event:
            case events.Seed():
                passes, start = passes + 1, position - 1
            case events.Accumulate(out=out, upstream=upstream):
                made = history.made_at(out)
                operands = recording.node(out).operands
                bends = any(
                    history.carry(out, slot, made)(upstream)
                    != history.carry(out, slot, start)(upstream)
                    for slot, operand in enumerate(operands)
                    if not recording.is_constant(operand)
                )
                for operand in operands:
                    before, after = history.value(operand, made), history.value(operand, start)
                    assert before is not None
                    assert after is not None
                    if not isclose(before, after, rel_tol=1e-9, abs_tol=1e-12):
                        yield passes, operand, bends


@given(loops)
def test_the_changes_are_those_of_the_definition(loop: Sequence[str]) -> None:
    recording = run(loop)
    brief = survey(recording)
    found = {(each.which.number, each.node, bends(brief, each)) for each in changes(brief)}
    expected = {*defined(recording)}
    assert {each for each in found if each[2]} == {each for each in expected if each[2]}
    assert {each[:2] for each in found} == {each[:2] for each in expected}


def test_a_change_is_where_it_was_written_last() -> None:
    with record() as recording:
        w = Value(2.0)
        root = w * w
        w.data = 3.0
        w.data = 4.0
        root.backward()
    [verdict] = stale(survey(recording))
    assert recording.events[verdict.events[0] - 1] == events.Update(0, 3.0, 4.0, None)


def test_it_says_of_a_late_gradient_what_it_belongs_to() -> None:
    [lagging] = verdicts(recorded(PAIRS / "stale.py"))
    assert "each update uses the gradients of the previous pass" in lagging.text
    [clamped] = verdicts(recorded(PAIRS / "stale_4.py"))
    assert "so the gradients are those at w = 1.5;" in clamped.text
