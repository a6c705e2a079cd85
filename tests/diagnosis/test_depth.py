"""How deep a node is, and how gradients change with depth, against the events."""

from __future__ import annotations

from collections import defaultdict
from math import log10

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosing import verdicts
from graphs import Graph, graphs, tame
from stepgrad import Recording, Value, record
from stepgrad.diagnosis.numbers import depth
from stepgrad.diagnosis.survey import survey
from stepgrad.recording.events import Accumulate, Seed


def levels(recording: Recording) -> dict[int, int]:
    """The factors on the longest path from the root to each node, edge by edge."""
    found: dict[int, int] = {}
    for event in recording.events:
        if isinstance(event, Seed):
            found[event.node] = 0
        elif isinstance(event, Accumulate):
            op = recording.node(event.out).op
            level = found[event.out] + (op.name not in {"add", "sub", "neg"})
            found[event.node] = max(found.get(event.node, 0), level)
    return found


@given(graphs(tame))
def test_depth_counts_factors_on_the_longest_path(graph: Graph) -> None:
    with record() as recording:
        graph.build()[-1].backward()
    block = survey(recording).passes[0].block if survey(recording).passes else None
    if block is not None:
        column = dict(zip(block.nodes, depth._levels(block.sweep), strict=True))
        assert column == levels(recording)


def chain(factors: list[float], rows: int = 1, name: str = "w") -> Recording:
    """Each row goes through the same factors, one after the other; they are parameters."""
    with record() as recording:
        weights = [Value(factor, label=f"{name}{k}") for k, factor in enumerate(factors)]
        total = Value(0.0)
        for _ in range(rows):
            h = Value(1.0)
            for weight in weights:
                h = weight * h
            total = total + h
        total.backward()
    return recording


@given(st.lists(st.floats(0.05, 20), min_size=12, max_size=30), st.integers(1, 3))
def test_a_verdict_is_a_straight_line_of_enough_decades(factors: list[float], rows: int) -> None:
    recording = chain(factors, rows)
    largest: dict[int, float] = defaultdict(float)
    brief = survey(recording)
    for node, level in levels(recording).items():
        if recording.node(node).operands:
            grad = recording.history.grad(node, recording.length)
            largest[level] = max(largest[level], abs(grad or 0.0))
    line = depth._line(brief.passes[0])
    if line is not None:
        points = [(level, log10(largest[level])) for level in range(line.first, line.last + 1)]
        assert line.start == largest[line.first]
        x, y = (sum(each) / len(points) for each in zip(*points, strict=True))
        xy, xx, yy = (
            sum((p - x) * (q - y) for p, q in points),
            sum((p - x) ** 2 for p, _ in points),
            sum((q - y) ** 2 for _, q in points),
        )
        assert line.slope == pytest.approx(xy / xx)
        assert line.square == pytest.approx(xy**2 / xx / yy)
        assert line.square >= 0.9
    found = {each.name for each in verdicts(recording)} & {"vanishing", "exploding"}
    assert len(found) <= 1
    if found:
        assert line is not None
        assert line.decades <= -4 if found == {"vanishing"} else line.decades >= 2


@pytest.mark.parametrize(
    ("factor", "length", "expected"),
    [
        (0.3, 12, ["vanishing"]),
        (0.8, 12, []),  # a decade
        (0.9, 100, ["vanishing"]),  # slowly, but all the way
        (1.1, 12, []),
        (1.1, 60, ["exploding"]),
        (3.0, 12, ["exploding"]),
    ],
)
def test_factors_compound(factor: float, length: int, expected: list[str]) -> None:
    with record() as recording:
        first = Value(1.0, label="first")
        h = first
        for _ in range(length):
            h = factor * h
        h.backward()
    assert [each.name for each in verdicts(recording)] == expected


def test_the_factor_that_compounds_is_named() -> None:
    with record() as recording:
        weights = [Value(0.5, label=f"w{k}") for k in range(1, 13)]
        h = Value(1.0, label="x")
        for weight in weights:
            h = (weight * h).sigmoid()
        h.backward()
    [verdict] = verdicts(recording)
    assert "12 times by the slope of sigmoid (0.24" in verdict.text
    assert "11 times by a weight (w2, w3 and 9 more; 0.5 on average)" in verdict.text
    assert recording.node(verdict.nodes[0]).name in {"w1", "x"}


def test_the_sum_over_many_rows_is_not_deep() -> None:
    recording = chain([1.0] * 3, rows=200)
    assert max(depth._levels(survey(recording).passes[0].block.sweep)) == 3


def test_a_parameter_that_is_used_near_the_root_too_learns_there() -> None:
    with record() as recording:
        weight = Value(0.3, label="w")
        h = Value(1.0, label="x") * 1.0
        for _ in range(20):
            h = weight * h
        weight.grad = 0
        h.backward()
        weight.data -= 0.1 * weight.grad
    assert verdicts(recording) == []
