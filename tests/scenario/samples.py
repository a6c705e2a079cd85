"""Scenarios that are in order, and the way to see what is wrong with others."""

from pathlib import Path
from typing import Any, TypeVar

import pytest

from stepgrad.errors import ScenarioError
from stepgrad.scenario.form.kinds import Section
from stepgrad.scenario.load import ScenarioFile, parse_scenario
from stepgrad.scenario.text import Source

AnySection = TypeVar("AnySection", bound=Section)

FUNCTIONS = {"relu": 1, "tanh": 1, "exp": 1, "max": 2}

GRAPH = """\
title: Two layers
inputs: {x: 3.0, target: 4.0}
params: {w1: 0.5, b1: 0.0}
graph:
  - z1 = w1*x + b1
  - h = relu(z1)
  - loss = (h - target)**2
backward: loss
expect:
  values: {z1: 1.5}
  grads: {w1: -15}
"""

NETWORK = """\
title: Learning XOR
network:
  sizes: [2, 4, 1]
  activation: tanh
  init: {seed: 42}
data:
  inputs: [[0,0],[0,1],[1,0],[1,1]]
  targets: [-1, 1, 1, -1]
loss: sum_squared_error
train: {steps: 100, learning_rate: 0.05}
expect:
  loss: {0: 4.1491, 20: 2.9166}
  predictions: [-0.853, 0.771, 0.801, -0.753]
  tolerance: 5.0e-4
"""


def parse(text: str) -> ScenarioFile:
    """Read a scenario that is in order."""
    return parse_scenario(Source(Path("s.yaml"), text), FUNCTIONS)


def problems(text: str) -> list[str]:
    """Say what is wrong with a scenario, as `line:column message`."""
    with pytest.raises(ScenarioError) as caught:
        parse(text)
    return [f"{d.line}:{d.column} {d.message}" for d in caught.value.diagnostics]


def changed(text: str, old: str, new: str) -> str:
    """Replace a part of a scenario that is surely there."""
    assert old in text
    return text.replace(old, new, 1)


def with_fields(section: AnySection, **fields: Any) -> AnySection:
    """Return a section of a scenario with other fields."""
    return type(section)(**vars(section) | fields)
