"""From a scenario to a recording, held against plain Python that knows nothing of stepgrad."""

import cmath
import math
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from scenario.runs import grads, read, run, values
from stepgrad import State
from stepgrad.errors import ScenarioError
from stepgrad.progress import Cancelled, watching
from stepgrad.recording.events import Accumulate, Leaf, Mark, Op, Seed, Update, ZeroGrad
from stepgrad.scenario.build import empty_recording, record_file

# --- graphs


def graph(*statements: str, backward: str = "y", rest: str = "", leaves: str = "x: 2.0") -> str:
    lines = "".join(f"  - {statement}\n" for statement in statements)
    back = f"backward: {backward}\n" if backward else ""
    return f"title: t\nparams: {{{leaves}}}\ngraph:\n{lines}{back}{rest}"


def test_a_graph_happens_in_the_order_of_its_file() -> None:
    recording = run("title: t\ninputs: {x: 2}\nparams: {w: 3}\ngraph: [y = w*x]\nbackward: y\n")
    kinds = [type(event) for event in recording.events]
    assert kinds == [Leaf, Leaf, Op, Seed, Accumulate, Accumulate]
    assert list(recording.names(recording.length)) == ["x", "w", "y"]
    assert recording.title == "t"


def test_every_node_knows_its_line() -> None:
    recording = run(graph("a = x*x", "y = a + tanh(a)"))
    lines = {node.name: node.place.line for node in map(recording.node, range(recording.size))}
    assert (lines["x"], lines["a"], lines["y"], lines[None]) == (2, 4, 5, 5)


def test_without_backward_there_is_no_gradient() -> None:
    recording = run(graph("y = x + 1", backward=""))
    assert {event.phase for event in recording.events} == {"forward"}
    assert set(grads(recording).values()) == {None}


MATHS: dict[str, Any] = {
    **{name: getattr(math, name) for name in ("tanh", "exp", "log", "sqrt", "sin", "cos")},
    "abs": abs, "max": max, "min": min, "neg": lambda a: -a, "relu": lambda a: max(a, 0),
    "leaky_relu": lambda a: a if a > 0 else a / 100, "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
}  # fmt: skip


@pytest.mark.parametrize(
    "expression",
    [
        *(f"{name}(x)*x" for name in MATHS if name not in ("max", "min")),
        "max(x, 1)*x", "max(3, x)*x", "min(x, 3)*x", "min(x*x, x)", "max(x*x, x)",
        "x**3", "2**x", "x**x", "x**0.5", "x**-1", "1/x", "x/3", "(1 - x)*(x - 1)", "-x**2",
        "tanh(0.5)*x", "max(2, 7)*x + sin(0.5)", "x + x", "x*x*x", "2*3*x", "(x + 1)**2/(x*4)",
    ],
)  # fmt: skip
@pytest.mark.parametrize("x", [0.5, 2.0])
def test_a_statement_computes_what_python_computes(expression: str, x: float) -> None:
    def f(x: float) -> float:
        return float(eval(expression, MATHS | {"x": x}))  # our own text, from the list above

    recording = run(graph(f"y = {expression}", leaves=f"x: {x}"))
    assert values(recording)["y"] == pytest.approx(f(x), rel=1e-14)
    h = 1e-5
    assert grads(recording)["x"] == pytest.approx((f(x + h) - f(x - h)) / (2 * h), rel=1e-8)


def test_a_statement_may_be_a_number() -> None:
    recording = run(graph("c = 2", "y = c*x", leaves="x: 3.0"))
    assert values(recording) == {"x": 3, "c": 2, "y": 6}
    assert grads(recording) == {"x": 2, "c": 3, "y": 1}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("exp(1000*x)", math.inf),
        ("-exp(1000*x)", -math.inf),
        ("log(-x)", math.nan),
        ("log(x - 2)", -math.inf),
        ("1/(x - 2)", math.inf),
        ("(x - 2)/(x - 2)", math.nan),
        ("sqrt(-x)", math.nan),
        ("(-x)**0.5", math.nan),
        ("x**10000", math.inf),
    ],
)
def test_what_overflows_is_recorded_and_goes_on(expression: str, expected: float) -> None:
    recording = run(graph(f"a = {expression}", "y = a + 1"))
    assert values(recording)["y"] == pytest.approx(expected, nan_ok=True)
    assert recording.events[-1].phase == "backward"


# --- training of a graph

LINE = "inputs: {u: 2.0, t: 7.0}\ntrain: {steps: 5, learning_rate: 0.05%s}\n"


@pytest.mark.parametrize("clears", [True, False])
def test_a_graph_is_trained_as_by_hand(clears: bool) -> None:
    rest = LINE % ("" if clears else ", zero_grad: false")
    recording = run(graph("e = x*u - t", "y = e*e", leaves="x: 1.0", rest=rest))
    x, piled, losses = 1.0, 0.0, []
    for _ in range(5):
        losses.append((x * 2 - 7) ** 2)
        piled = (0.0 if clears else piled) + 2 * (x * 2 - 7) * 2
        x -= 0.05 * piled
    assert values(recording)["x"] == pytest.approx(x)
    assert grads(recording)["x"] == pytest.approx(piled)
    ends = [*recording.steps[1:], recording.length]
    recorded = [values(recording, end)["y"] for end in ends]
    assert recorded == pytest.approx([*losses, (x * 2 - 7) ** 2])
    if clears:
        assert losses == sorted(losses, reverse=True)
    kinds = [type(event) for event in recording.events]
    assert (kinds.count(Mark), kinds.count(Update)) == (6, 5)
    assert kinds.count(ZeroGrad) == 5 * clears


def test_inputs_are_not_trained_and_do_not_pile_up() -> None:
    rest = LINE % ", zero_grad: false"
    recording = run(graph("e = x*u - t", "y = e*e", leaves="x: 1.0", rest=rest))
    assert values(recording)["u"] == 2.0
    start = recording.steps[1]
    made = recording.history.made_at(recording.names(start + 3)["u"])
    assert made > start
    assert State(recording, start + 3).grad(recording.names(start + 3)["u"]) is None


def test_no_step_is_a_forward_pass_alone() -> None:
    recording = run(graph("y = x*x", rest="train: {steps: 0, learning_rate: 1}\n"))
    assert [type(event) for event in recording.events] == [Leaf, Mark, Op]


# --- networks

ACTIVATIONS: dict[str, Any] = {
    "linear": lambda z: z,
    "tanh": cmath.tanh,
    "sigmoid": lambda z: 1 / (1 + cmath.exp(-z)),
    "relu": lambda z: z if z.real > 0 else 0j,
    "leaky_relu": lambda z: z if z.real > 0 else z / 100,
}


class Plain:
    """The same network in a few lines: complex numbers forward, derivatives by a complex step."""

    def __init__(self, sizes: list[int], activations: list[str], seed: int, mean: bool) -> None:
        self.sizes, self.activations, self.seed, self.mean = sizes, activations, seed, mean
        random = Random(seed)
        self.inputs = [[random.uniform(-2, 2) for _ in range(sizes[0])] for _ in range(3)]
        self.targets = [[random.uniform(-1, 1) for _ in range(sizes[-1])] for _ in range(3)]
        drawn, self.parameters = Random(seed), dict[str, complex]()
        for layer, (before, after) in enumerate(pairwise(sizes), 1):
            for neuron in range(1, after + 1):
                for i in range(1, before + 1):
                    name = f"layer{layer}/neuron{neuron}/w{i}"
                    self.parameters[name] = complex(drawn.uniform(-1.5, 1))
                self.parameters[f"layer{layer}/neuron{neuron}/b"] = 0.25 + 0j

    @property
    def text(self) -> str:
        loss = "mean_squared_error" if self.mean else "sum_squared_error"
        return (
            f"title: t\nnetwork: {{sizes: {self.sizes}, "
            f"activation: [{', '.join(self.activations)}], "
            f"init: {{seed: {self.seed}, weights: [-1.5, 1], bias: 0.25}}}}\n"
            f"data: {{inputs: {self.inputs}, targets: {self.targets}}}\nloss: {loss}\n"
        )

    def outputs(self, x: list[float]) -> list[complex]:
        row = list(map(complex, x))
        for layer, activation in enumerate(self.activations, 1):
            row = [
                ACTIVATIONS[activation](self.z(f"layer{layer}/neuron{neuron}", row))
                for neuron in range(1, self.sizes[layer] + 1)
            ]
        return row

    def z(self, neuron: str, row: list[complex]) -> complex:
        weighted = (self.parameters[f"{neuron}/w{i}"] * x for i, x in enumerate(row, 1))
        return sum(weighted, self.parameters[f"{neuron}/b"])

    def loss(self) -> complex:
        errors = [
            (y - t) ** 2
            for x, targets in zip(self.inputs, self.targets, strict=True)
            for y, t in zip(self.outputs(x), targets, strict=True)
        ]
        return sum(errors) / (len(errors) if self.mean else 1)

    def gradient(self) -> dict[str, float]:
        found = {}
        for name, value in self.parameters.items():
            self.parameters[name] = value + 1e-30j
            found[name] = self.loss().imag / 1e-30
            self.parameters[name] = value
        return found


NETWORKS = [
    Plain([2, 4, 1], ["tanh", "tanh"], seed=42, mean=False),
    Plain([3, 2, 2], ["relu", "linear"], seed=1, mean=True),
    Plain([1, 3, 3, 2], ["sigmoid", "leaky_relu", "tanh"], seed=2, mean=False),
    Plain([4, 1], ["linear"], seed=3, mean=True),
]


@pytest.mark.parametrize("plain", NETWORKS, ids=lambda plain: f"{plain.sizes}")
def test_a_network_computes_what_a_plain_one_computes(plain: Plain) -> None:
    recording = run(plain.text)
    computed = values(recording)
    assert computed["loss"] == pytest.approx(plain.loss().real, rel=1e-12)
    assert {name: computed[name] for name in plain.parameters} == plain.parameters
    expected = plain.gradient()
    gradients = grads(recording)
    assert {name: gradients[name] for name in expected} == pytest.approx(expected, rel=1e-12)
    for row, x in enumerate(plain.inputs, 1):
        outputs = [y.real for y in plain.outputs(x)]
        names = [f"row{row}/y{i if len(outputs) > 1 else ''}" for i in range(1, len(outputs) + 1)]
        assert [computed[name] for name in names] == pytest.approx(outputs)


@pytest.mark.parametrize("seed", range(3))
def test_a_network_is_trained_as_a_plain_one_is(seed: int) -> None:
    plain = Plain([2, 3, 2], ["tanh", "linear"], seed, mean=True)
    recording = run(plain.text + "train: {steps: 4, learning_rate: 0.1}\n")
    for end in recording.steps[1:]:
        for name, slope in plain.gradient().items():
            plain.parameters[name] -= 0.1 * slope
        trained = values(recording, end)
        assert {name: trained[name] for name in plain.parameters} == pytest.approx(plain.parameters)
    assert values(recording)["loss"] == pytest.approx(plain.loss().real)


WRITTEN = """\
title: Numbers that matter
network:
  sizes: [2, 3, 1]
  activation: [relu, linear]
  weights: [[[1, -1, 0.5], [2, 1, -0.5]], [[3], [5], [7]]]
  biases: [[0.5, 0, -1], [-2]]
data: {inputs: [[1, 2]], targets: [10]}
loss: sum_squared_error
"""


def test_written_weights_have_a_row_for_each_input() -> None:
    recording = run(WRITTEN)
    got = values(recording)
    # x·W + b = [1·1 + 2·2 + 0.5, −1·1 + 1·2, 0.5·1 − 0.5·2 − 1] = [5.5, 1, −1.5]
    assert [got[f"row1/layer1/neuron{n}/h"] for n in (1, 2, 3)] == [5.5, 1, 0]
    assert (got["row1/y"], got["loss"]) == (3 * 5.5 + 5 * 1 - 2, 9.5**2)
    # ∂loss/∂y = 2·9.5 = 19, and from there by hand; the third gate is shut.
    slopes = grads(recording)
    assert [slopes[f"layer2/neuron1/w{n}"] for n in (1, 2, 3)] == [19 * 5.5, 19, 0]
    assert [slopes[f"layer1/neuron{n}/w2"] for n in (1, 2, 3)] == [19 * 3 * 2, 19 * 5 * 2, 0]
    assert [slopes[f"layer1/neuron{n}/b"] for n in (1, 2, 3)] == [57, 95, 0]


def test_the_mean_is_over_every_output_of_every_row() -> None:
    text = """\
title: t
network: {sizes: [1, 2], activation: linear, weights: [[[1, 1]]], biases: [[0, 0]]}
data: {inputs: [1, 2], targets: [[0, 2], [5, 2]]}
loss: LOSS
"""
    errors = [1, 1, 9, 0]
    for loss, expected in (("sum", sum(errors)), ("mean", sum(errors) / 4)):
        recording = run(text.replace("LOSS", f"{loss}_squared_error"))
        assert values(recording)["loss"] == expected


def test_a_sum_starts_from_the_bias() -> None:
    """0.1·1 + 0.2·1 − 0.3 is 5.6e-17 if the bias comes last, and shut if it comes first."""
    text = """\
title: t
network: {sizes: [2, 1], activation: relu, weights: [[[0.1], [0.2]]], biases: [[-0.3]]}
data: {inputs: [[1, 1]], targets: [0]}
loss: sum_squared_error
"""
    assert values(run(text))["row1/y"] == max(-0.3 + 0.1 + 0.2, 0)


def test_expectations_of_names_that_a_network_lacks() -> None:
    expect = "expect:\n  values: {row1/z: 1, los: 2}\n  grads: {layer1/neuron1/w9: 0}\n"
    with pytest.raises(ScenarioError) as caught:
        run(WRITTEN + expect)
    found = [f"{d.line}:{d.column} {d.message}" for d in caught.value.diagnostics]
    assert found == [
        "10:12 unknown name `row1/z`; did you mean `row1/y`?",
        "10:23 unknown name `los`; did you mean `loss`?",
        "11:11 unknown name `layer1/neuron1/w9`; did you mean `layer1/neuron1/w1`?",
    ]


def test_a_misspelt_expectation_is_told_before_a_long_training() -> None:
    long = "train: {steps: 1_000_000, learning_rate: 0}\nexpect: {values: {los: 2}}\n"
    with pytest.raises(ScenarioError, match="did you mean `loss`"):
        run(WRITTEN + long)


def test_names_of_a_network_may_be_expected() -> None:
    expect = "expect: {values: {row1/y: 19.5}, grads: {layer1/neuron1/b: 57}}\n"
    file = read(WRITTEN + expect)
    assert file.model.expect.values == {"row1/y": 19.5}


# --- how far it is


def test_training_says_how_far_it_is_after_each_pass() -> None:
    file = read(WRITTEN + "train: {steps: 3, learning_rate: 0.1}\n")
    recording, told = empty_recording(file), []

    def watch(share: float) -> None:
        recording.settle()
        told.append((share, recording.steps[-1]))

    with watching(watch):
        assert record_file(file, recording=recording) is recording
    assert told == list(zip([0.25, 0.5, 0.75, 1.0], recording.steps, strict=True))


def test_a_graph_that_does_not_train_is_one_pass() -> None:
    told: list[float] = []
    with watching(told.append):
        run(graph("y = x*x"))
    assert told == [1.0]


def test_what_was_recorded_before_the_rest_was_cancelled_stays() -> None:
    file = read(WRITTEN + "train: {steps: 3, learning_rate: 0.1}\n")
    whole, recording = record_file(file), empty_recording(file)

    def enough(share: float) -> None:
        if share > 0.4:
            raise Cancelled

    with watching(enough), pytest.raises(Cancelled):
        record_file(file, recording=recording)
    assert list(recording.events) == list(whole.events[: whole.steps[2]])
