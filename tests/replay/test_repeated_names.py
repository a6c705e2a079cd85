"""Variables that a loop gives again are `h₀`, `h₁`, `h₂`, wherever one is shown or typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepgrad import Cursor, Recording, State, Value, mark, record, scope
from stepgrad.diagnosis import diagnose
from stepgrad.diagnosis.wording import shared_name
from stepgrad.harness import Replay
from stepgrad.program import run_program
from stepgrad.recording import numbered
from stepgrad.recording.blocks import Forward
from stepgrad.recording.numbered import unnumbered
from stepgrad.recording.structure import Context
from stepgrad.replay.commands.places import find_place
from stepgrad.replay.naming import AmbiguousNameError, find_node
from stepgrad.replay.session import Session
from stepgrad.replay.stops.language import Condition
from stepgrad.replay.stops.stop import NodeStop, find
from stepgrad.replay.telling.narration import narrate
from stepgrad.replay.telling.spoken import read_out, spoken
from stepgrad.replay.telling.titles import definition, title
from test_cli import stepgrad
from tries import tries

RNN = """\
from stepgrad import Value

w, u = Value(0.5), Value(-0.3)
h = Value(0.0)
for x in [1.0, 2.0, 3.0]:
    h = (w * h + u * x).tanh()
loss = (h - 1.0) ** 2
loss.backward()
"""
SUM = """\
from stepgrad import Value

w, b = Value(0.5), Value(0.1)
for step in range(3):
    loss = 0.0
    for x, y in [(1.0, 2.0), (2.0, 4.5), (3.0, 5.5)]:
        pred = w * x + b
        loss = loss + (pred - y) ** 2
    w.grad = b.grad = 0.0
    loss.backward()
    w.data -= 0.01 * w.grad
    b.data -= 0.01 * b.grad
"""


@pytest.fixture
def ran(tmp_path: Path) -> Callable[[str], Recording]:
    """Runs a program, and returns its recording."""

    def run(text: str) -> Recording:
        path = tmp_path / "program.py"
        path.write_text(text, "utf-8")
        ended = run_program(str(path))
        assert (ended.status, ended.failure) == (0, "")
        return ended.recording

    return run


def names(recording: Recording, nodes: Sequence[int] | None = None) -> list[str]:
    """The names of nodes that have one."""
    those = range(recording.size) if nodes is None else nodes
    return [name for node in those if (name := recording.node(node).name) is not None]


def labels(*given: str) -> Recording:
    """A recording of leaves with these labels, in one pass."""
    with record() as recording:
        for label in given:
            Value(1.0, label=label)
    return recording


def test_they_are_numbered_in_the_order_in_which_they_are_made(
    ran: Callable[[str], Recording],
) -> None:
    recording = ran(RNN)
    assert names(recording) == ["w", "u", "h₀", "h₁", "h₂", "h₃", "loss"]
    assert [recording.node(node).label for node in (0, 2, 7)] == ["w", "h", "h"]
    told = [str(narrate(recording, event)) for event in range(recording.length)]
    assert "dloss/dh₂ += dloss/d(w·h₂) · ∂(w·h₂)/∂h₂ = −1.09148 · w = " in "\n".join(told)
    assert definition(recording, recording.node(12)) == "tanh(w·h₁ + u·2)"


def test_each_training_step_counts_from_the_start(ran: Callable[[str], Recording]) -> None:
    recording = ran(SUM)
    for step in recording.steps:
        state = State(recording, step + 1)
        assert names(recording, [*state.scene]) == [
            "w", "b", "pred₀", "loss₀", "pred₁", "loss₁", "pred₂", "loss₂"
        ]  # fmt: skip
    assert {*map(title_at(recording), range(recording.length + 1))} == {None, "loss₂"}


def title_at(recording: Recording) -> Callable[[int], str | None]:
    def at(position: int) -> str | None:
        root = State(recording, position).root
        return None if root is None else title(recording, root)

    return at


def test_a_start_that_all_steps_share_is_the_first_in_each(
    ran: Callable[[str], Recording],
) -> None:
    text = RNN.replace("for x", "start = h\nfor step in range(3):\n  h = start\n  for x")
    text = text.replace("\n    h =", "\n      h =").replace("\nloss", "\n  loss")
    recording = ran(text)
    for step in recording.steps:
        scene = State(recording, step + 1).scene
        assert [n for n in names(recording, [*scene]) if n[0] == "h"] == ["h₀", "h₁", "h₂", "h₃"]


def test_what_a_step_takes_over_goes_on_from_there() -> None:
    with record() as recording:
        total = Value(1.0, label="total")
        for step in range(1500):  # more than Python recurs
            mark("step", step)
            total = total * 0.5
            total.label = "total"
    last = recording.size - 1
    assert (title(recording, 0), title(recording, 2)) == ("total₀", "total₁")
    assert definition(recording, recording.node(last)) == "total₁₄₉₉·0.5"
    assert title(recording, last) == "total₁₅₀₀"
    assert recording.names(recording.length)["total₁₅₀₀"] == last


def test_passes_of_one_step_are_counted_together() -> None:
    with record() as recording:
        w, x = Value(2.0, label="w"), Value(1.0, label="x")
        for step in range(2):
            mark("step", step)
            for number in range(3):
                x = Value(float(number), label="x")
                loss = w * x
                loss.label = "loss"
                loss.backward()
                w.data -= 0.1
    expected = ["w", "x₀", "x₁", "loss₀", "x₂", "loss₁", "x₃", "loss₂"]
    assert names(recording)[:8] == expected
    for step in recording.steps:
        assert names(recording, [*State(recording, step + 1).scene]) == expected
    assert State(recording, recording.length).find("loss") == recording.size - 1
    assert State(recording, recording.length).find("loss0") == recording.size - 5
    pred = State(recording, recording.length).find("loss₁")
    assert pred is not None
    stop, at, met = NodeStop.at(recording, pred), 0, []
    while (hit := find(recording, [stop], at, forward=True)) is not None:
        at = hit[0] + 1
        met.append(title(recording, State(recording, at).focus or 0))
    assert met == ["loss₁"] * 4  # made and reached, in two steps


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["h", "x", "h"], ["h₀", "x", "h₁"]),
        (["a/h", "b/h"], ["a/h", "b/h"]),
        (["a/h", "a/h"], ["a/h₀", "a/h₁"]),
        (["h", "h1", "h"], ["h₀", "h1", "h₁"]),
        (["h"] * 12, [*(f"h{digit}" for digit in "₀₁₂₃₄₅₆₇₈₉"), "h₁₀", "h₁₁"]),
        (["h[0]", "h[1]"] * 2, ["h₀[0]", "h₀[1]", "h₁[0]", "h₁[1]"]),
        (["m.w[0]", "m.w[0]"], ["m.w₀[0]", "m.w₁[0]"]),
        # of three sizes, as the layers of a network
        (
            ["x[0]", "x[1]", "x[0]", "x[0]", "x[1]", "x[2]"],
            ["x₀[0]", "x₀[1]", "x₁[0]", "x₂[0]", "x₂[1]", "x₂[2]"],
        ),
        (["x[0]", "x[0]", "x[1]"], ["x₀[0]", "x₁[0]", "x₁[1]"]),
        (["h[0]", "h"], ["h[0]", "h"]),
    ],
)
def test_labels_are_numbered_where_they_are_equal(given: list[str], expected: list[str]) -> None:
    assert names(labels(*given)) == expected


def test_a_label_that_comes_late_counts() -> None:
    with record() as recording:
        a = Value(1.0, label="x")
        b = a * 2
        b.backward()
        assert names(recording) == ["x"]
        b.label = "x"
    assert names(recording) == ["x₀", "x₁"]
    assert recording.labels == {2: "x"}


def test_scopes_keep_them_apart() -> None:
    with record() as recording:
        for row in range(2):
            with scope(f"row{row}"):
                for _ in range(2):
                    Value(1.0, label="h")
    assert names(recording) == ["row0/h₀", "row0/h₁", "row1/h₀", "row1/h₁"]
    state = State(recording, recording.length)
    assert find_node(state, "row1/h0") == 2
    assert find_node(state, "row0/h") == 1
    with pytest.raises(AmbiguousNameError, match="`h` matches 4 nodes: row0/h₀, row0/h₁, "):
        find_node(state, "h")
    with pytest.raises(AmbiguousNameError, match="`h1` matches 2 nodes: row0/h₁, row1/h₁"):
        find_node(state, "h1")


@pytest.mark.parametrize(
    ("typed", "node"),
    [
        ("h₁", 7),
        ("h1", 7),
        ("h0", 2),
        ("h", 17),
        ("h sub 2", 12),
        ("w·h₁", 8),
        ("w times h sub 2", 13),
    ],
)
def test_a_name_may_be_typed_in_several_ways(
    ran: Callable[[str], Recording], typed: str, node: int
) -> None:
    recording = ran(RNN)
    assert find_node(State(recording, recording.length), typed) == node
    assert find_node(State(recording, 0), typed) == {17: 2}.get(node, node)  # the first to come
    assert find_place(Cursor(recording), typed).node == {17: 2}.get(node, node)


def test_a_name_of_its_own_comes_first() -> None:
    recording = labels("h", "h1", "h", "a/h0")
    state = State(recording, 4)
    assert [find_node(state, text) for text in ("h1", "h₁", "h0", "h₀")] == [1, 2, 3, 0]
    assert state.find("h1") == 1


def test_search_conditions_and_stops_know_them(ran: Callable[[str], Recording]) -> None:
    recording = ran(RNN)
    block = recording.blocks[0]

    def made(condition: str) -> list[int]:
        return [*Condition(condition).matches(recording, block)]

    assert made('node == "h"') == [2, 6, 10, 14]
    assert made('node == "h1"') == made('node == "h₁"') == [6]
    assert made('node == "w·h"') == [3, 7, 11]
    debugger = Replay(Session.open(Cursor(recording))).press("/h1")
    assert debugger.session.selected == 7
    with pytest.raises(KeyError, match="no node h1 by event 0: it is created later"):
        debugger.value("h1")
    debugger.goto("100%")
    assert debugger.value("h1") == debugger.value("h₁") == pytest.approx(-0.291313, rel=1e-5)
    assert debugger.value("h") == debugger.value("h3")


_labels = st.sampled_from(["h", "w", "h[0]", "h[1]", "a/h", None])
_made = st.tuples(st.integers(-1, 30), _labels)
_steps = st.lists(st.tuples(st.lists(_made, min_size=1, max_size=6), st.booleans()), max_size=5)


@settings(max_examples=tries(200))
@given(steps=_steps, late=_labels, marked=st.booleans())
def test_names_tell_apart_what_a_step_makes_and_uses(
    steps: list[tuple[list[tuple[int, str | None]], bool]], late: str | None, marked: bool
) -> None:
    values: list[Value] = []
    with record() as recording:
        for number, (made, again) in enumerate(steps):
            if marked:
                mark("step", number)
            for operand, label in made:
                new = Value(1.0) if operand < 0 or not values else -values[operand % len(values)]
                values.append(new)
                new.label = label
            values[-1].backward()
            if again:
                values[-1].label = late
    for begin, end in pairwise([*recording.steps, recording.length + 1]):
        passes = [b for b in recording.blocks_between(begin, end) if isinstance(b, Forward)]
        own = [node for each in passes for node in range(each.base, each.end)]
        named = [recording.node(node) for node in own]
        assert [unnumbered(each.name or "") for each in named] == [n.label or "" for n in named]
        own_names = [node.name for node in named if node.name is not None]
        assert len({*own_names}) == len(own_names)
        used = {operand for node in named for operand in node.operands}.difference(own)
        assert {recording.node(node).name for node in used}.isdisjoint(own_names)
    labelled = {n: x for n in range(recording.size) if (x := recording.node(n).label)}
    for position in range(recording.length + 1):
        begun = [n for n in labelled if recording.history.made_at(n) <= position]
        latest = {labelled[node]: node for node in begun}
        by_name = recording.names(position)
        assert {unnumbered(name): node for name, node in by_name.items()} == latest
        assert all(State(recording, position).find(label) == latest[label] for label in latest)
    everywhere = recording.names(recording.length)
    assert all(recording.node(node).name == name for name, node in everywhere.items())
    state = State(recording, recording.length)
    for name, index in everywhere.items():  # a label is that of the latest
        assert find_node(state, name) == latest.get(name, index)
    for index in labelled:
        shown = recording.node(index).name or ""
        assert unnumbered(shown) in map(unnumbered, everywhere)
        first = recording.first_named(shown)
        assert recording.node(first).name == shown
        assert first <= index


def test_a_voice_says_the_number() -> None:
    assert spoken("w·h₁₂") == "w times h sub 12"
    assert spoken("pred₀[1]²") == "pred sub 0[1] squared"
    told = read_out("dloss/dh₁ += dloss/dh₂ · ∂h₂/∂h₁")
    assert told == (
        "the derivative of loss with respect to h sub 1 receives the derivative of loss with "
        "respect to h sub 2 times the local derivative of h sub 2 with respect to h sub 1"
    )


def test_the_command_line_and_files_use_them(tmp_path: Path) -> None:
    path = tmp_path / "rnn.py"
    path.write_text(RNN, "utf-8")
    why = stepgrad("why", str(path), "h1.grad").stdout
    assert why.startswith("h₁.grad = −0.163689 at event 38\n")
    assert stepgrad("why", str(path), "h₁.grad").stdout == why
    assert stepgrad("why", str(path), "h").stdout.startswith("h₃ = −0.838552 at event 38\n")
    values = json.loads(stepgrad("replay", "--json", str(path)).stdout)["values"]
    assert [name for name in values if name[0] == "h"] == ["h₀", "h₁", "h₂", "h₃"]
    for to in ("svg", "mermaid", "dot", "json", "html", "markdown"):
        out = tmp_path / f"out.{to}"
        stepgrad("export", "--to", to, "-o", str(out), str(path))
        assert "h₂" in out.read_text("utf-8"), to


def test_verdicts_name_what_the_rounds_of_a_loop_share() -> None:
    recording = labels("a/h", "a/h", "b/h")
    assert shared_name(recording, [0]) == "a/h₀"
    assert shared_name(recording, [0, 1]) == "a/h"
    assert shared_name(recording, [0, 1, 2]) == "h"


def test_parameters_that_are_made_again_are_known_by_their_label() -> None:
    with record() as recording:
        p = Value(0.5, label="p")
        for step in range(6):
            mark("step", step)
            (p * 2 - 3).backward()
            p.data -= 0.1 * p.grad
            p = Value(p.data, label="p")
    assert {*names(recording)} == {f"p{digit}" for digit in "₀₁₂₃₄₅₆"}
    [found] = [each for each in diagnose(recording) if each.name == "wrong_parameters"]
    assert "made again before each of 6 updates" in found.text


def test_a_step_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with record() as recording:
        for _ in range(5):
            h = Value(1.0, label="h")
            for _ in range(1000):
                h = h * 0.5
                h.label = "h"
            h.backward()
    counted: list[Context] = []
    count = numbered._counted

    def counting(context: Context, *rest: Any) -> Any:
        counted.append(context)
        return count(context, *rest)

    monkeypatch.setattr(numbered, "_counted", counting)
    assert title(recording, recording.names(recording.length)["h₁₀₀₀"]) == "h₁₀₀₀"
    for step in recording.steps:
        assert all(title(recording, node) for node in State(recording, step + 1).scene)
    assert len(counted) == 1  # for all steps, as they are alike
