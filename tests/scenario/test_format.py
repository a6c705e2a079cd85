"""The description of the format: its examples run, and it leaves nothing out."""

import re
from typing import get_args

import pytest

from scenario.runs import read, run
from stepgrad import pages
from stepgrad.engine.nn import ACTIVATIONS
from stepgrad.engine.ops import BY_NAME, FUNCTIONS
from stepgrad.scenario import shipped, text
from stepgrad.scenario.expect import checks
from stepgrad.scenario.form import sections
from stepgrad.scenario.graph import expression, statement
from stepgrad.scenario.yaml import compose

TEXT = pages.page("scenario")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_run_and_keep_their_promises(example: str) -> None:
    promised = checks(read(example), run(example))
    assert promised
    assert [check for check in promised if not check.ok] == []


def test_there_is_one_of_each_kind() -> None:
    kinds = {type(read(example).model) for example in EXAMPLES}
    assert kinds == set(get_args(sections.Scenario))
    assert {name for example in EXAMPLES for name in read(example).model.after} <= set(shipped())


def test_no_word_is_left_out() -> None:
    words = [
        *FUNCTIONS, *ACTIVATIONS, *get_args(sections.Loss), *get_args(sections.Level),
        *get_args(sections.Train.__annotations__["optimizer"]),
    ]  # fmt: skip
    assert [word for word in words if f"`{word}`" not in TEXT] == []


@pytest.mark.parametrize(
    ("functions", "operands", "expected"),
    [
        ("`relu`", (0.0,), 0), ("`leaky_relu`", (0.0,), 0.01), ("`abs`", (0.0,), 0),
        ("`max`, `min`", (3.0, 3.0), 0.5),
    ],
)  # fmt: skip
def test_the_conventions_at_kinks_are_those_of_the_op_table(
    functions: str, operands: tuple[float, ...], expected: float
) -> None:
    [told] = re.findall(rf"^\| {functions} \| .+ \| ([\d.]+)(?: for each)? \|$", TEXT, re.MULTILINE)
    assert float(told) == expected
    for op in (BY_NAME[name] for name in re.findall(r"\w+", functions)):
        out = op.value(*operands)
        assert [local(*operands, out) for local in op.local] == [expected] * len(operands)


@pytest.mark.parametrize(
    "limit",
    [
        f"{compose.MAX_VALUES:,} values", f"{sections.MAX_STATEMENTS:,} statements",
        f"{statement.MAX_LENGTH:,} characters", f"{expression.MAX_DEPTH} deep",
        f"{sections.MAX_PARAMETERS:,} parameters", f"{sections.MAX_STEPS:,} steps",
        f"{text.MAX_BYTES // 1_000_000} MB",
    ],
)  # fmt: skip
def test_the_limits_are_those_of_the_code(limit: str) -> None:
    assert limit in TEXT.replace("\n", " ")


@pytest.mark.parametrize(
    "name",
    [
        "layer1/neuron2/w1", "layer1/neuron2/b", "row1/x2", "row1/layer1/neuron2/z",
        "row1/layer1/neuron2/h", "row1/y", "row1/t", "row1/error", "loss",
    ],
)  # fmt: skip
def test_the_names_of_a_network_are_those_it_has(name: str) -> None:
    recording = run(EXAMPLES[1])
    assert f"`{name}`" in TEXT
    assert name in recording.names(recording.length)
