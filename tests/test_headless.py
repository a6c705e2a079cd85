"""The debugger as text and as JSON."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from kept import check_kept
from scenario.runs import read
from stepgrad import Cursor, State, Value, record, scope
from stepgrad.headless import narration, report, snapshot
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file

GOLDEN = Path(__file__).with_name("golden")
NARRATED = {
    **dict.fromkeys(
        (
            "chain_rule",
            "single_neuron",
            "two_layer",
            "sum_over_paths",
            "dead_relu",
            "three_nodes",
            "dual_numbers",
        )
    ),
    "xor_tanh": 60,
}
"""Scenarios that are narrated into a file, and how many lines of them; None is all."""


@pytest.mark.parametrize("name", NARRATED)
def test_golden_narration(name: str, pytestconfig: pytest.Config) -> None:
    lines = islice(narration(record_file(open_scenario(name))), NARRATED[name])
    check_kept(GOLDEN / f"{name}.txt", "".join(f"{line}\n" for line in lines), pytestconfig)


def at(name: str, position: int) -> tuple[str, dict[str, Any]]:
    """The report and the snapshot of a shipped scenario at a position."""
    file = open_scenario(name)
    cursor = Cursor(record_file(file), position)
    return "\n".join(report(file, cursor)), snapshot(file, cursor)


def test_golden_report(pytestconfig: pytest.Config) -> None:
    text, _ = at("two_layer", 21)
    check_kept(GOLDEN / "two_layer_at_21.txt", text + "\n", pytestconfig)


def test_every_event_is_a_line() -> None:
    recording = record_file(open_scenario("two_layer"))
    lines = list(narration(recording))
    assert [int(line.split()[0]) for line in lines] == list(range(1, recording.length + 1))
    assert [line.split()[1] for line in lines] == [event.phase for event in recording.events]


def test_the_start_has_nothing_to_show() -> None:
    text, found = at("two_layer", 0)
    assert text.splitlines()[1:] == [
        "event 0 of 26, nothing has happened yet",
        "",
        "matches 0 of 11 expected",
    ]
    assert (found["phase"], found["event"], found["values"], found["grads"]) == (None, None, {}, {})
    assert {check["got"] for check in found["checks"]} == {None}


def test_the_snapshot_of_a_contribution() -> None:
    _, found = at("two_layer", 21)
    assert list(found) == [
        "scenario", "position", "length", "incomplete", "bug", "phase", "step", "event", "values",
        "grads", "tangents", "checks",
    ]  # fmt: skip
    event = found["event"]
    assert (found["scenario"], found["position"], found["length"]) == ("two_layer", 21, 26)
    assert (event["kind"], event["node"], event["out"]) == ("Accumulate", "h", "w2·h")
    assert (event["upstream"], event["local"], event["contribution"]) == (-4, 2, -8)
    assert (found["values"]["h"], found["grads"]["h"], found["grads"]["w1"]) == (1.5, -8, None)
    kept = {check["name"] for check in found["checks"] if check["ok"]}
    assert kept == {"z1", "h", "y", "loss", "y.grad", "w2.grad", "b2.grad", "h.grad"}


@pytest.mark.parametrize("name", ["two_layer", "sum_over_paths", "three_nodes"])
def test_a_snapshot_says_what_the_state_says(name: str) -> None:
    file = open_scenario(name)
    recording = record_file(file)
    for position in range(recording.length + 1):
        found = json.loads(json.dumps(snapshot(file, Cursor(recording, position)), allow_nan=False))
        state = State(recording, position)
        named = recording.names(position)
        nodes = {key: int(key[1:]) if key[0] == "#" else named[key] for key in found["values"]}
        assert set(named) <= set(nodes)
        assert found["values"] == {key: state.value(node) for key, node in nodes.items()}
        assert found["grads"] == {key: state.grad(node) for key, node in nodes.items()}


def test_json_has_no_infinity_so_it_is_a_text() -> None:
    file = read(
        "title: t\ninputs: {x: 1.0}\n"
        "graph: [big = exp(1000*x), no = log(-x), y = (big - no)*x]\nbackward: y\n"
        "expect: {values: {big: .inf, no: 3}, grads: {x: .nan}}\n"
    )
    recording = record_file(file)
    for position in range(recording.length + 1):
        found = snapshot(file, Cursor(recording, position))
        assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert (found["values"]["big"], found["values"]["no"]) == ("inf", "nan")
    got = {c["name"]: (c["expected"], c["got"], c["ok"]) for c in found["checks"]}
    assert got == {
        "big": ("inf", "inf", True),
        "no": (3, "nan", False),
        "x.grad": ("nan", "nan", True),
    }


def test_an_update_and_its_rule() -> None:
    file = read(
        "title: t\nparams: {w: 2.0}\ngraph: [L = w*w]\nbackward: L\n"
        "train: {steps: 1, learning_rate: 0.25}\n"
    )
    recording = record_file(file)
    (update,) = (n for n, event in enumerate(recording.events, 1) if event.phase == "update")
    event = snapshot(file, Cursor(recording, update))["event"]
    assert event["rule"] == {"method": "sgd", "learning_rate": 0.25}
    assert (event["before"], event["after"]) == (2, 1)


def test_the_report_of_a_large_scene_is_folded() -> None:
    with record() as recording:
        total = Value(0.0, label="total")
        for part in ("a", "b"):
            with scope(part):
                for _ in range(600):
                    total = total + 2.0
        total.backward()
    lines = list(report(None, Cursor(recording, recording.length)))
    assert len(lines) < 12
    assert any(line.startswith("a ×600 ") and line.endswith(" 1") for line in lines)


def test_nodes_with_the_same_name_are_all_there() -> None:
    with record() as recording:
        first, second = Value(2.0, label="w"), Value(3.0, label="w")
        (first * second).backward()
    cursor = Cursor(recording, recording.length)
    rows = [line.split() for line in report(None, cursor)][-3:]
    assert rows[:2] == [["w₀", "2", "3"], ["w₁", "3", "2"]]
    found = snapshot(None, cursor)
    assert found["values"] == {"w₀": 2, "w₁": 3, "#2": 6}
    assert found["grads"] == {"w₀": 3, "w₁": 2, "#2": 1}


def test_a_gradient_that_never_arrives_is_told_from_one_that_is_still_to_come() -> None:
    with record() as recording:
        x, idle = Value(2.0, label="x"), Value(3.0, label="idle")
        (x * 2.0 + 0.0 * idle.data).backward()

    def gradients(position: int) -> dict[str, str]:
        rows = [line.split() for line in report(None, Cursor(recording, position))]
        return {row[0]: row[-1] for row in rows if row and row[0] in ("x", "idle")}

    assert gradients(recording.length - 1) == {"x": "–", "idle": "–"}
    assert gradients(recording.length) == {"x": "2", "idle": "∅"}


def test_wide_letters_take_two_cells() -> None:
    with record() as recording:
        (Value(2.0, label="重み") * Value(3.0, label="x")).backward()
    table = list(report(None, Cursor(recording, recording.length)))[-4:]
    assert len({cell_len(line) for line in table}) == 1
