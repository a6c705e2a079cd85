"""The JSON Schema of scenario files says of a file what reading it does, as far as it can."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from scenario.runs import ROOT, SCENARIOS
from scenario.samples import GRAPH, NETWORK, changed, parse, problems
from stepgrad.errors import ScenarioError
from stepgrad.scenario.form.json_schema import json_schema
from stepgrad.scenario.text import Problems, Source
from stepgrad.scenario.yaml.compose import compose
from tries import tries

SCHEMA = json_schema()
VALIDATOR = Draft7Validator(SCHEMA)


def data(text: str) -> Any:
    """A scenario as an editor sees it: keys are texts, tuples lists."""
    source = Source(Path("s.yaml"), text)
    return json.loads(json.dumps(compose(source, Problems(source)).data))


def test_it_is_a_schema() -> None:
    Draft7Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_shipped_scenario_is_valid(path: Path) -> None:
    VALIDATOR.validate(data(path.read_text(encoding="utf-8")))


FINE = {
    "a graph": GRAPH,
    "a network": NETWORK,
    "numbers without brackets": changed(NETWORK, "[[0,0],[0,1],[1,0],[1,1]]", "[1, 2, [3], 4]")
    .replace("[2, 4, 1]", "[1, 4, 1]"),
    "another word for linear": changed(NETWORK, "tanh", "identity"),
    "an activation for each layer": changed(NETWORK, "tanh", "[tanh, identity]"),
    "every setting of training": changed(
        NETWORK,
        "learning_rate: 0.05",
        "learning_rate: 1, optimizer: adam, betas: [0.9, 0.99], epsilon: 1e-8, clip_norm: 1, "
        "batch_size: 2, shuffle_seed: 0, zero_grad: false",
    ),
    "a number that is none": changed(GRAPH, "z1: 1.5", "z1: .nan"),
    "an interval": changed(NETWORK, "seed: 42", "seed: 42, weights: [-1, 1], bias: 0.5"),
    "written weights": changed(
        NETWORK, "init: {seed: 42}",
        "weights: [[[1,2,3,4], [5,6,7,8]], [[1], [2], [3], [4]]]\n  biases: [[0,0,0,0], [0]]",
    ),
    "forward mode": changed(
        changed(GRAPH, "grads: {w1: -15}", "tangents: {x: {h: 1}}"), "backward: loss",
        "mode: forward\nwrt: [x, w1]\nlevel: beginner\norder: 3\nafter: [gears]\nlesson: text",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FINE)
def test_what_can_be_read_is_valid(name: str) -> None:
    parse(FINE[name])
    VALIDATOR.validate(data(FINE[name]))


WRONG = {
    "no title": changed(GRAPH, "title: Two layers\n", ""),
    "an empty title": changed(GRAPH, "title: Two layers", "title: ''"),
    "nothing after a key": changed(GRAPH, "backward: loss", "backward:"),
    "an unknown key": GRAPH + "trian: {steps: 1, learning_rate: 1}\n",
    "an unknown key within": changed(NETWORK, "seed: 42", "seed: 42, wieghts: [-1, 1]"),
    "a graph and a network": NETWORK + "graph: [a = 1]\n",
    "neither": "title: t\n",
    "a statement that is none": changed(GRAPH, "- h = relu(z1)", "- h: relu(z1)"),
    "no statements": "title: t\ngraph: []\n",
    "text for a number": changed(GRAPH, "3.0", "yes"),
    "true for a number": changed(GRAPH, "3.0", "true"),
    "an unknown activation": changed(NETWORK, "tanh", "tanhh"),
    "an unknown loss": changed(NETWORK, "sum_squared_error", "l2"),
    "an unknown optimizer": changed(NETWORK, "steps: 100", "steps: 100, optimizer: lbfgs"),
    "a layer of none": changed(NETWORK, "[2, 4, 1]", "[2, 0, 1]"),
    "half a neuron": changed(NETWORK, "[2, 4, 1]", "[2, 0.5, 1]"),
    "one size": changed(NETWORK, "[2, 4, 1]", "[2]"),
    "steps below 0": changed(NETWORK, "steps: 100", "steps: -1"),
    "momentum of 1": changed(NETWORK, "steps: 100", "steps: 1, optimizer: momentum, momentum: 1"),
    "a loss of no step": changed(NETWORK, "20: 2.9166", "end: 2.9166"),
    "an interval of three": changed(NETWORK, "seed: 42", "seed: 42, weights: [-1, 0, 1]"),
    "an empty row": changed(NETWORK, "[0,0]", "[]"),
    "a level that is none": GRAPH + "level: hard\n",
    "predictions of a graph": GRAPH + "  predictions: [1]\n",
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_read_is_not(name: str) -> None:
    assert problems(WRONG[name])
    assert not VALIDATOR.is_valid(data(WRONG[name]))


VALUE = re.compile(r"(?<=: )\S.*|(?<=[\[{ ])[^\s,:{}\[\]]+(?=[,\]}])|\{[^{}]*\}|\[[^\[\]]*\]")
OTHERS = ["3", "-1", "0.5", "1e9", "true", "text", "''", "~", ".nan", "-.inf", "[]", "[1]",
          "[1, 2]", "[text, text]", "[~]", "[[1, 2], 3]", "[[[1]]]", "{}", "{a: 1}", "{1: 2}",
          "{a: ~}", "{a: {b: 1}}", "[{a: 1}]", "tanh", "identity", "momentum",
          "forward"]  # fmt: skip


@settings(max_examples=tries(500))
@given(st.sampled_from(list(FINE.values())), st.integers(0, 1 << 16), st.sampled_from(OTHERS))
def test_with_another_value_a_scenario_is_refused_or_valid(
    text: str, where: int, other: str
) -> None:
    values = list(VALUE.finditer(text))
    value = values[where % len(values)]
    text = text[: value.start()] + other + text[value.end() :]
    with suppress(ScenarioError):
        parse(text)
        VALIDATOR.validate(data(text))


def test_every_field_is_explained() -> None:
    for definition in SCHEMA["definitions"].values():
        assert definition["description"]
        for name, field in definition["properties"].items():
            assert field.get("description"), name


def test_no_field_is_left_out_of_the_format() -> None:
    text = (ROOT / "stepgrad" / "scenario" / "format.md").read_text(encoding="utf-8")
    for definition in SCHEMA["definitions"].values():
        for name in definition["properties"]:
            assert f"`{name}`" in text, name
