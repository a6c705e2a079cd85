"""The two signs for derivatives: `d` for the whole one, `∂` for the local one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import stepgrad
from scenario.runs import SCENARIOS
from stepgrad import Recording, State, Value, record
from stepgrad.numbers import number
from stepgrad.program import run_program
from stepgrad.recording import events
from stepgrad.replay.quiz.questions import _questions_at
from stepgrad.replay.telling.derivatives import (
    derivative,
    local_derivative,
    partial,
    partial_at,
    spoken_partial,
)
from stepgrad.replay.telling.narration import narrate
from stepgrad.scenario import record_scenario
from stepgrad.scenario.library import shipped
from stepgrad.tui.render.node import node_panel

MOST = 200
"""Positions of a lesson that are looked at; those of a training are spread evenly."""


@pytest.mark.parametrize(
    ("of", "by", "whole", "local"),
    [
        ("L", "h", "dL/dh", "∂L/∂h"),
        ("x·y", "x", "d(x·y)/dx", "∂(x·y)/∂x"),
        ("y", "−x", "dy/d(−x)", "∂y/∂(−x)"),
        ("y", "relu(x + 1)", "dy/drelu(x + 1)", "∂y/∂relu(x + 1)"),
        ("y", "x·(w + 1)", "dy/d(x·(w + 1))", "∂y/∂(x·(w + 1))"),
        ("loss", "layer1/w", "dloss/d(layer1/w)", "∂loss/∂(layer1/w)"),
        ("y", "relu(row1/z)", "dy/drelu(row1/z)", "∂y/∂relu(row1/z)"),
    ],
)
def test_the_whole_derivative_and_the_local_one(of: str, by: str, whole: str, local: str) -> None:
    assert (derivative(of, by), partial(of, by)) == (whole, local)


def test_an_operand_that_stands_twice_is_told_apart_by_its_place() -> None:
    recording = record_scenario("reused_value")
    lines = [narrate(recording, index) for index in range(2, recording.length)]
    assert [f"{line.symbols} {line.numbers}".rstrip() for line in lines] == [
        "db/db = 1",
        "db/da += db/db · ∂₁b/∂a = 1 · a = 1 · 3 = 3",
        "db/da += db/db · ∂₂b/∂a = 1 · a = 1 · 3 = 3",
    ]
    assert spoken_partial("b", "a", 2) == (
        "the local derivative of b with respect to the second operand, a"
    )


def test_no_other_module_makes_the_signs() -> None:
    """Legends and comments name them; nothing else puts a title after one."""
    package = Path(stepgrad.__file__).parent
    makers = {path.name for path in package.rglob("*.py") if re.search(r"∂.?\{", path.read_text())}
    assert makers == {"derivatives.py", "ops.py"}  # ops: the docstrings of operations


def test_two_operands_of_one_title_are_told_apart_too() -> None:
    with record() as recording:
        x = Value(3.0, label="x")
        (x * x) - (x * x)
    out = recording.size - 1
    signs = {
        partial_at(recording, out, slot): recording.history.local(out, slot, recording.length)
        for slot in (0, 1)
    }
    assert signs == {"∂₁(x·x − x·x)/∂(x·x)": 1, "∂₂(x·x − x·x)/∂(x·x)": -1}


def overwritten() -> Recording:
    return run_program(str(SCENARIOS[0].parent / "overwritten_gradient.py")).recording


LESSONS: dict[str, Callable[[], Recording]] = {
    name: lambda name=name: record_scenario(name) for name in shipped()
} | {"overwritten_gradient.py": overwritten}  # fmt: skip


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_sign_stands_for_two_numbers_at_a_position(lesson: str) -> None:
    recording = LESSONS[lesson]()
    met = 0
    for position in range(1, recording.length + 1, 1 + recording.length // MOST):
        meanings: dict[str, set[str]] = defaultdict(set)
        for sign, x in (
            *in_the_chain_line(recording, position),
            *in_the_node_panel(recording, position),
            *in_the_quiz(recording, position),
        ):
            meanings[sign].add(x)
        met += len(meanings)
        assert {sign: xs for sign, xs in meanings.items() if len(xs) > 1} == {}, position
    assert met


Sign = tuple[str, str]
"""A derivative and its number, as they are written; a local one with the scope of its operation.

The names in it are seen from that scope, and a question says which it is.
"""


def in_the_chain_line(recording: Recording, position: int) -> Iterator[Sign]:
    event, symbols = recording.events[position - 1], narrate(recording, position - 1).symbols
    match event:
        case events.Seed():
            yield symbols.removesuffix(" = 1"), "1"
        case events.Accumulate():
            whole, rule = symbols.split(" += ")
            upstream, factor = rule.split(" · ")
            yield whole, number(event.after)
            yield upstream, number(event.upstream)
            yield f"{scope(recording, event.out)}{factor}", number(event.local)
        case events.Op(tangent=float() as tangent):
            whole, rule = symbols.split(" = ")
            yield whole, number(tangent)
            here = scope(recording, event.node)
            for slot, operand in enumerate(event.operands):
                if not recording.is_constant(operand):
                    local = local_derivative(recording, event.node, slot, position)
                    assert f"{local.name} · " in rule
                    yield f"{here}{local.name}", number(local.value)


def in_the_node_panel(recording: Recording, position: int) -> Iterator[Sign]:
    state = State(recording, position)
    if state.focus is not None:
        rows = node_panel(state, state.focus, 200, 40).plain.splitlines()
        for name, told in re.findall(r"^(?:local| +) +(∂.+?/∂.+?) = (.+)$", "\n".join(rows), re.M):
            number_ = told.rpartition(" = ")[2].partition(" (")[0]
            yield f"{scope(recording, state.focus)}{name}", number_


def in_the_quiz(recording: Recording, position: int) -> Iterator[Sign]:
    for question in _questions_at(recording, position):
        if question.kind == "local derivative":
            pattern = r"(?: in (\S+))?\. What is (∂.+?)(?:, for .*)?\?"
            [(place, name)] = re.findall(pattern, question.prompt)
            assert question.explanation.startswith(f"{name} = ")
            yield f"{place and f'{place}: '}{name}", number(question.answer)


def scope(recording: Recording, node: int) -> str:
    place = recording.node(node).place.scope
    return f"{place}: " if place else ""
