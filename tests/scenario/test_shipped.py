"""Every shipped scenario keeps its promises, and they are the numbers of the lesson."""

from dataclasses import replace
from pathlib import Path

import pytest

from scenario.runs import SCENARIOS
from stepgrad import record_scenario
from stepgrad.scenario import open_scenario
from stepgrad.scenario.expect import checks

LESSONS: dict[str, dict[str, dict[str, float]]] = {
    "chain_rule": {"values": {"u": 7, "h": 49}, "grads": {"u": 14, "x": 42}},
    "three_nodes": {"values": {"c": 6, "d": 7, "L": 49}, "grads": {"a": 42, "b": 28}},
    "sum_over_paths": {"values": {"z1": 3, "z2": -1.5, "L": 11.25}, "grads": {"h": 15}},
    "single_neuron": {
        "values": {"z": 2, "a": 2, "L": 1},
        "grads": {"a": -2, "z": -2, "w": -4, "b": -2},
    },
    "dead_relu": {"values": {"z": -1, "a": 0, "L": 9}, "grads": {"w": 0, "b": 0}},
    "two_layer": {
        "values": {"z1": 1.5, "h": 1.5, "y": 2, "loss": 4},
        "grads": {"y": -4, "w2": -6, "b2": -4, "h": -8, "z1": -8, "w1": -24, "b1": -8},
    },
}
"""The numbers of the lessons, worked out by hand and with another engine."""

XOR_LOSS = {0: 4.149063, 20: 2.916627, 40: 1.473297, 60: 0.601079, 80: 0.293563}
XOR_PREDICTIONS = [-0.852833, 0.771338, 0.801126, -0.753266]

every_scenario = pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)


@every_scenario
def test_it_keeps_its_promises(path: Path) -> None:
    promised = checks(open_scenario(path), record_scenario(path))
    assert promised
    assert [check for check in promised if not check.ok] == []


@every_scenario
def test_it_has_a_title_and_a_lesson(path: Path) -> None:
    file = open_scenario(path)
    assert 8 <= len(file.title) <= 60
    assert not file.title.endswith(".")
    assert len(file.lesson.split()) > 40
    assert max(map(len, file.lesson.splitlines())) <= 82


def test_titles_are_told_apart() -> None:
    assert len({open_scenario(path).title for path in SCENARIOS}) == len(SCENARIOS)


@pytest.mark.parametrize("name", LESSONS)
def test_it_promises_the_numbers_of_the_lesson(name: str) -> None:
    expect = open_scenario(name).model.expect
    assert expect.values.items() >= LESSONS[name]["values"].items()
    assert expect.grads.items() >= LESSONS[name]["grads"].items()
    assert expect.tolerance <= 1e-6


def test_xor_promises_the_numbers_of_the_lesson() -> None:
    expect = open_scenario("xor_tanh").model.expect
    assert expect.loss == XOR_LOSS
    assert [row[0] for row in getattr(expect, "predictions", ())] == XOR_PREDICTIONS
    assert expect.tolerance <= 1e-6


@every_scenario
@pytest.mark.parametrize("section", ["values", "grads", "loss"])
def test_a_wrong_promise_would_be_found(path: Path, section: str) -> None:
    file, recording = open_scenario(path), record_scenario(path)
    expect = file.model.expect
    wrong = {name: number + 1e-3 for name, number in getattr(expect, section).items()}
    planted = file.model.model_copy(update={"expect": expect.model_copy(update={section: wrong})})
    short = [check for check in checks(replace(file, model=planted), recording) if not check.ok]
    assert [check.expected for check in short] == list(wrong.values())
    assert [check.line for check in short] == [file.line("expect", section, name) for name in wrong]
