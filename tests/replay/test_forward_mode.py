"""The replay of forward mode: how tangents are shown and compared with other ways."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import Graph, graphs, tame
from stepgrad import Cursor, Recording, State, Value, mark, record
from stepgrad.checking.comparison import Comparison
from stepgrad.checking.ways import verify
from stepgrad.engine.formula import Formula
from stepgrad.engine.ops import TANH, Op
from stepgrad.engine.tape import seed
from stepgrad.harness import Replay
from stepgrad.headless import report, snapshot
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.sentences import say
from stepgrad.replay.training import trains
from stepgrad.scenario import open_scenario, record_scenario

Compute = Callable[[Value, Value], Value]


def by_x(compute: Compute, x: float = 2.0, y: float = 5.0) -> Recording:
    """Record forward mode by x."""
    with record() as recording:
        a, b = Value(x, label="x"), Value(y, label="y")
        seed(a, 1.0)
        compute(a, b).label = "out"
    return recording


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        (
            lambda x, y: x * y,
            "dout = ∂out/∂x · dx + ∂out/∂y · dy = y · 1 + x · 0 = 5 · 1 + 2 · 0 = 5",
        ),
        (lambda x, y: x - y, "dout = ∂out/∂x · dx + ∂out/∂y · dy = 1 · 1 + (−1) · 0 = 1"),
        (lambda x, _: x**2, "dout = ∂out/∂x · dx = 2·x · 1 = 4 · 1 = 4"),
        (lambda _, y: y.log(), "dout = ∂out/∂y · dy = (1 / y) · 0 = 0.2 · 0 = 0"),
        (lambda x, _: (x - 9).relu(), "dout = ∂out/∂(x − 9) · d(x − 9) = 0 (x − 9 ≤ 0) · 1 = 0"),
        (lambda _, y: (y - 5).sqrt(), "dout = ∂out/∂(y − 5) · d(y − 5) = 0"),
    ],
)
def test_a_tangent_is_told_in_differentials(compute: Compute, expected: str) -> None:
    recording = by_x(compute)
    told = narrate(recording, recording.length - 1)
    assert f"{told.symbols} {told.numbers}" == expected


def test_the_value_is_told_beside_its_tangent() -> None:
    recording = record_scenario("dual_numbers")
    assert str(narrate(recording, 1)) == "x = 2, dx = 1"
    assert str(narrate(recording, 3)) == (
        "dy = ∂y/∂a · da = cos(a) · 4 = −0.653644 · 4 = −2.61457   "
        "[y = sin(a) = sin(4) = −0.756802]"
    )


def test_what_is_made_of_constants_alone_does_not_change() -> None:
    with record() as recording:
        x = Value(1.0)
        seed(x, 1.0)
        three = (x * 3.0)._operands[1]
        (three + 4.0).label = "seven"
    told = narrate(recording, recording.length - 1)
    assert (told.symbols, told.numbers) == ("dseven = 0", "")


def test_a_tangent_is_said_in_words() -> None:
    recording = by_x(lambda x, y: x * y)
    assert say(recording, 0) == "Event 1 of 3, forward: x is 2, with the tangent 1."
    assert say(recording, 2) == (
        "Event 3 of 3, forward: out is x times y: 2 times 5 is 10; its tangent is 5: "
        "1, the tangent of x, times 5, the local derivative of out with respect to x, which is y, "
        "plus 0, the tangent of y, times 2, the local derivative of out with respect to y, "
        "which is x."
    )


def test_an_operand_from_an_earlier_pass_counts_as_constant() -> None:
    with record() as recording:
        w = Value(3.0, label="w")
        seed(w, 1.0)
        mark("next")
        x = Value(2.0, label="x")
        seed(x, 1.0)
        w * x
    assert narrate(recording, recording.length - 1).numbers == "= x · 0 + w · 1 = 2 · 0 + 3 · 1 = 3"


def test_the_state_knows_what_a_pass_goes_by() -> None:
    recording = record_scenario("forward_and_reverse")
    first, second = (State(recording, recording.steps[i] + 3) for i in (0, 1))
    assert list(first.seeds.values()) == list(second.seeds.values()) == [1.0]
    assert [first.node(n).name for n in first.seeds] == ["x"]
    assert [second.node(n).name for n in second.seeds] == ["y"]
    assert not State(recording, recording.length).seeds
    with pytest.raises(IndexError):
        first.tangent(10**6)


def test_passes_in_forward_mode_are_no_training() -> None:
    assert not trains(record_scenario("forward_and_reverse"))
    assert trains(record_scenario("xor_tanh"))
    assert State(record_scenario("dual_numbers"), 3).step is None


def test_a_condition_may_ask_for_a_tangent() -> None:
    replay = Replay.of("forward_and_reverse").press("'Btangent > 20' c")
    assert (replay.position, replay.tangent("L")) == (7, 70)
    assert replay.press("c").tangent("L") == 28
    assert replay.press("c").position == replay.session.recording.length


def test_the_text_and_the_json_have_tangents() -> None:
    file, recording = open_scenario("dual_numbers"), record_scenario("dual_numbers")
    at, end = Cursor(recording, 4), Cursor(recording, recording.length)
    heads = [
        next(row for row in report(file, each) if row.startswith("node")) for each in (at, end)
    ]
    assert [head.split() for head in heads] == [
        ["node", "value", "gradient", "tangent"],
        ["node", "value", "gradient"],
    ]
    assert snapshot(file, at)["tangents"] == {"x": 1, "a": 4, "y": -2.6145744834544478}
    assert snapshot(file, end)["tangents"] == {}


def tangent_ways(recording: Recording) -> list[Comparison]:
    return [each for each in verify(recording) if each.way.startswith("tangents")]


@given(graphs(tame), st.integers(0, 3))
def test_recorded_tangents_agree_with_other_ways(graph: Graph, which: int) -> None:
    with record() as recording:
        leaves = [Value(leaf) for leaf in graph.leaves]
        seed(leaves[which % len(leaves)], 1.0)
        graph.extend(leaves)
    ways = tangent_ways(recording)
    assert [each.way for each in ways] == ["tangents, reverse", "tangents, complex"]
    assert all(each.worst <= 1e-9 for each in ways), ways


def test_where_a_gate_is_shut_before_an_infinite_slope_modes_are_not_compared() -> None:
    reverse, steps = tangent_ways(by_x(lambda x, _: (x - x).relu().log()))
    assert (reverse.ok, reverse.compared, reverse.skipped) == (True, 0, 1)
    assert steps.ok


def test_passes_that_use_earlier_values_agree_too() -> None:
    with record() as recording:
        w = Value(3.0, label="w")
        mark("next")
        x = Value(2.0, label="x")
        seed(x, 1.0)
        (w * x).tanh()
    assert [(each.compared, each.ok) for each in tangent_ways(recording)] == [(1, True), (2, True)]


def test_without_forward_mode_there_are_no_tangents_to_compare() -> None:
    assert tangent_ways(record_scenario("two_layer")) == []


def test_a_wrong_rule_is_caught_and_its_node_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Op("tanh", "tanh", TANH.forward, (Formula("1 - out"),), TANH.code)
    monkeypatch.setitem(TANH.__dict__, "carry", wrong.carry)
    reverse, steps = tangent_ways(by_x(lambda x, y: (x * y).tanh() * 2, 0.1))
    assert reverse.ok  # the same wrong rule, in the other order
    assert not steps.ok
    assert steps.note == "first to differ: tanh(x·y)"
