"""From a scenario to a recording, compared with plain Python that does not use stepgrad."""

import cmath
import math
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from scenario.runs import grads, read, run, values
from scenario.samples import changed
from stepgrad import Recording, State
from stepgrad.errors import ScenarioError
from stepgrad.progress import Cancelled, watching
from stepgrad.recording.blocks import Backward, Forward
from stepgrad.recording.events import Accumulate, Leaf, Mark, Op, Seed, SetGrad, Update, ZeroGrad
from stepgrad.recording.recording import Node
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import empty_recording, record_file
from stepgrad.scenario.form.sections import NetworkScenario
from stepgrad.scenario.program.network import nodes_of_row

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

    def __init__(self, sizes: list[int], activations: list[str], seed: int, loss: str) -> None:
        self.sizes, self.activations, self.seed, self.kind = sizes, activations, seed, loss
        random = Random(seed)
        self.inputs = [[random.uniform(-2, 2) for _ in range(sizes[0])] for _ in range(3)]
        self.targets = [[random.uniform(-1, 1) for _ in range(sizes[-1])] for _ in range(3)]
        if loss == "binary_cross_entropy":
            self.targets = [[float(target > 0) for target in row] for row in self.targets]
        if loss == "softmax_cross_entropy":
            self.targets = [[float(random.randrange(sizes[-1]))] for _ in range(3)]
        drawn, self.parameters = Random(seed), dict[str, complex]()
        for layer, (before, after) in enumerate(pairwise(sizes), 1):
            for neuron in range(1, after + 1):
                for i in range(1, before + 1):
                    name = f"layer{layer}/neuron{neuron}/w{i}"
                    self.parameters[name] = complex(drawn.uniform(-1.5, 1))
                self.parameters[f"layer{layer}/neuron{neuron}/b"] = 0.25 + 0j

    @property
    def text(self) -> str:
        return (
            f"title: t\nnetwork: {{sizes: {self.sizes}, "
            f"activation: [{', '.join(self.activations)}], "
            f"init: {{seed: {self.seed}, weights: [-1.5, 1], bias: 0.25}}}}\n"
            f"data: {{inputs: {self.inputs}, targets: {self.targets}}}\nloss: {self.kind}\n"
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
        rows = zip(self.inputs, self.targets, strict=True)
        errors = [error for x, targets in rows for error in self.errors(self.outputs(x), targets)]
        return sum(errors) / (1 if self.kind == "sum_squared_error" else len(errors))

    def errors(self, outputs: list[complex], targets: list[float]) -> list[complex]:
        if self.kind == "softmax_cross_entropy":
            likely = cmath.exp(outputs[int(targets[0])]) / sum(map(cmath.exp, outputs))
            return [-cmath.log(likely)]
        pairs = zip(outputs, targets, strict=True)
        if self.kind == "binary_cross_entropy":
            return [-cmath.log(y if t == 1 else 1 - y) for y, t in pairs]
        return [(y - t) ** 2 for y, t in pairs]

    def gradient(self) -> dict[str, float]:
        found = {}
        for name, value in self.parameters.items():
            self.parameters[name] = value + 1e-30j
            found[name] = self.loss().imag / 1e-30
            self.parameters[name] = value
        return found


NETWORKS = [
    Plain([2, 4, 1], ["tanh", "tanh"], seed=42, loss="sum_squared_error"),
    Plain([3, 2, 2], ["relu", "linear"], seed=1, loss="mean_squared_error"),
    Plain([1, 3, 3, 2], ["sigmoid", "leaky_relu", "tanh"], seed=2, loss="sum_squared_error"),
    Plain([4, 1], ["linear"], seed=3, loss="mean_squared_error"),
    Plain([2, 3, 1], ["tanh", "sigmoid"], seed=4, loss="binary_cross_entropy"),
    Plain([2, 2], ["sigmoid"], seed=5, loss="binary_cross_entropy"),
    Plain([2, 3, 4], ["relu", "linear"], seed=6, loss="softmax_cross_entropy"),
    Plain([2, 2], ["linear"], seed=7, loss="softmax_cross_entropy"),
]


@pytest.mark.parametrize("plain", NETWORKS, ids=lambda plain: f"{plain.sizes}-{plain.kind}")
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
    plain = Plain([2, 3, 2], ["tanh", "linear"], seed, loss="mean_squared_error")
    recording = run(plain.text + "train: {steps: 4, learning_rate: 0.1}\n")
    for end in recording.steps[1:]:
        for name, slope in plain.gradient().items():
            plain.parameters[name] -= 0.1 * slope
        trained = values(recording, end)
        assert {name: trained[name] for name in plain.parameters} == pytest.approx(plain.parameters)
    assert values(recording)["loss"] == pytest.approx(plain.loss().real)


STEPS = 4


@pytest.mark.parametrize(
    ("train", "update"),
    [
        ("optimizer: momentum", lambda p, gs: p - 0.1 * sum(velocities(gs, 0.9))),
        ("optimizer: momentum, momentum: 0.5", lambda p, gs: p - 0.1 * sum(velocities(gs, 0.5))),
        ("optimizer: adam", lambda p, gs: p - 0.1 * adam(gs, 0.9, 0.999, 1e-8)),
        (
            "optimizer: adam, betas: [0.5, 0.8], epsilon: 0.1",
            lambda p, gs: p - 0.1 * adam(gs, 0.5, 0.8, 0.1),
        ),
    ],
)
def test_a_network_is_trained_by_each_optimizer(train: str, update: Any) -> None:
    plain = Plain([2, 3, 1], ["tanh", "sigmoid"], 4, "binary_cross_entropy")
    recording = run(f"{plain.text}train: {{steps: {STEPS}, learning_rate: 0.1, {train}}}\n")
    start, gradients = dict(plain.parameters), list[dict[str, float]]()
    for step in range(STEPS):
        gradients.append(plain.gradient())
        for name, number in start.items():
            plain.parameters[name] = update(number, [each[name] for each in gradients])
        trained = values(recording, [*recording.steps[1:], recording.length][step])
        assert {name: trained[name] for name in plain.parameters} == pytest.approx(plain.parameters)


def velocities(gradients: list[float], momentum: float) -> list[float]:
    """Each velocity, as the sum of all gradients up to it, by how often it was multiplied."""
    return [
        sum(momentum ** (t - i) * gradient for i, gradient in enumerate(gradients[: t + 1]))
        for t in range(len(gradients))
    ]


def adam(gradients: list[float], beta1: float, beta2: float, epsilon: float) -> float:
    """How far Adam has come, in learning rates: the means written out as weighted sums."""
    way = 0.0
    for t in range(1, len(gradients) + 1):
        recent = list(reversed(gradients[:t]))
        m = sum((1 - beta1) * beta1**i * g for i, g in enumerate(recent)) / (1 - beta1**t)
        v = sum((1 - beta2) * beta2**i * g * g for i, g in enumerate(recent)) / (1 - beta2**t)
        way += m / (math.sqrt(v) + epsilon)
    return way


def test_gradients_are_clipped_before_the_update() -> None:
    plain = Plain([2, 3, 1], ["tanh", "linear"], 4, "sum_squared_error")
    recording = run(f"{plain.text}train: {{steps: 1, learning_rate: 0.1, clip_norm: 0.5}}\n")
    slopes = plain.gradient()
    norm = math.hypot(*slopes.values())
    assert norm > 1
    trained = values(recording)
    for name, slope in slopes.items():
        clipped = plain.parameters[name].real - 0.1 * slope * 0.5 / norm
        assert trained[name] == pytest.approx(clipped, rel=1e-5)
    kinds = [type(event) for event in recording.events]
    assert kinds.count(SetGrad) == kinds.count(Update) == len(slopes)


def test_a_graph_is_trained_by_adam_and_clipped() -> None:
    train = "{steps: 2, learning_rate: 0.1, optimizer: adam, clip_norm: 1}"
    recording = run(graph("y = x*x", rest=f"train: {train}\n"))
    # Clipped to 1 both times, the means are 1, and each step is the learning rate.
    assert values(recording)["x"] == pytest.approx(1.8, rel=1e-5)


def test_a_class_is_a_target_for_each_output() -> None:
    plain = Plain([2, 3, 4], ["relu", "linear"], 6, "softmax_cross_entropy")
    right = int(plain.targets[1][0])
    computed, slopes = values(run(plain.text)), grads(run(plain.text))
    logits = [y.real for y in plain.outputs(plain.inputs[1])]
    total = sum(map(math.exp, logits))
    for number, logit in enumerate(logits, 1):
        is_right = float(number == right + 1)
        assert computed[f"row2/t{number}"] == is_right
        # The mean of three rows; the slope at a logit is what is expected less what is so.
        slope = (math.exp(logit) / total - is_right) / 3
        assert slopes[f"row2/y{number}"] == pytest.approx(slope, abs=1e-15)
    edits = {"row2/t1": 0.0, "row2/t2": 0.0, "row2/t3": 0.0, "row2/t4": 0.0}
    plain.targets[1] = [float((right + 1) % 4)]
    edits[f"row2/t{(right + 1) % 4 + 1}"] = 1.0
    edited = record_file(read(Plain([2, 3, 4], ["relu", "linear"], 6, plain.kind).text), edits)
    assert values(edited)["loss"] == pytest.approx(plain.loss().real)


def batched(plain: Plain, batch_size: int, seed: int | None, steps: int) -> list[list[int]]:
    """The rows of each step, as one would write it."""
    order, draw, batches = list(range(len(plain.inputs))), Random(seed), list[list[int]]()
    while len(batches) < steps:
        if seed is not None:
            draw.shuffle(order)
        batches += [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    return batches[:steps]


@pytest.mark.parametrize(
    ("batch_size", "seed", "steps"),
    [(1, 7, 7), (2, 3, 5), (2, None, 4), (3, 1, 3), (1, None, 0), (2, 1, 1)],
)
def test_mini_batches_in_a_seeded_order(batch_size: int, seed: int | None, steps: int) -> None:
    plain = Plain([2, 3, 2], ["tanh", "linear"], 4, loss="mean_squared_error")
    inputs, targets = plain.inputs, plain.targets
    shuffled = "" if seed is None else f", shuffle_seed: {seed}"
    train = f"{{steps: {steps}, learning_rate: 0.1, batch_size: {batch_size}{shuffled}}}"
    names = "expect: {values: {row1/y1: 0, row2/y2: 0, row3/y1: 0}}\n"
    recording = run(f"{plain.text}train: {train}\n{names}")
    ends = [*recording.steps[1:], recording.length]
    for rows, start, end in zip(
        batched(plain, batch_size, seed, steps), recording.steps, ends, strict=False
    ):
        plain.inputs, plain.targets = [inputs[i] for i in rows], [targets[i] for i in rows]
        assert values(recording, end)["loss"] == pytest.approx(plain.loss().real)
        for name, slope in plain.gradient().items():
            plain.parameters[name] -= 0.1 * slope
        trained = values(recording, end)
        assert {name: trained[name] for name in plain.parameters} == pytest.approx(plain.parameters)
        shown = {node.place.scope.split("/")[0]: None for node in made(recording, start, end)}
        assert [row for row in shown if row] == [f"row{row + 1}" for row in rows]
    plain.inputs, plain.targets = inputs, targets
    trained = values(recording)
    assert trained["loss"] == pytest.approx(plain.loss().real)
    for row, x in enumerate(inputs, 1):
        predicted = [trained[f"row{row}/y{i}"] for i in (1, 2)]
        assert predicted == pytest.approx([y.real for y in plain.outputs(x)])


def made(recording: Recording, start: int, end: int) -> list[Node]:
    events = recording.events[start:end]
    return [recording.node(event.node) for event in events if isinstance(event, Leaf | Op)]


def test_an_edit_of_a_row_counts_in_every_batch_that_shows_it() -> None:
    plain = Plain([2, 1], ["tanh"], 5, loss="sum_squared_error")
    text = f"{plain.text}train: {{steps: 6, learning_rate: 0.1, batch_size: 2, shuffle_seed: 1}}\n"
    plain.inputs[1][1], plain.targets[2][0] = 0.5, 0.25
    edited = record_file(read(text), {"row2/x2": 0.5, "row3/t": 0.25})
    for rows in batched(plain, 2, 1, 6):
        some = Plain([2, 1], ["tanh"], 5, loss="sum_squared_error")
        some.parameters = plain.parameters
        some.inputs = [plain.inputs[i] for i in rows]
        some.targets = [plain.targets[i] for i in rows]
        for name, slope in some.gradient().items():
            plain.parameters[name] -= 0.1 * slope
    assert values(edited)["loss"] == pytest.approx(plain.loss().real)


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
    # dloss/dy = 2·9.5 = 19, and from there by hand; the third gate is shut.
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


# --- how much memory it takes


ENDLESS = WRITTEN + "train: {steps: 1000000, learning_rate: 1.0e-3}\n"


def test_a_training_ends_where_its_memory_is_spent() -> None:
    file = read(ENDLESS)
    recording = record_file(file, memory=100_000)
    assert recording.spent
    assert isinstance(recording.blocks[-1], Backward)
    assert record_file(file, memory=100_000).length == recording.length
    assert record_file(file, memory=300_000).length > recording.length


def test_names_are_not_missed_that_it_had_no_memory_for() -> None:
    rows = ", ".join(["1"] * 60)
    text = changed(WRITTEN, "[[1, 2]]", f"[{', '.join(['[1, 2]'] * 60)}]")
    text = changed(text, "[10]", f"[{rows}]")
    train = "train: {steps: 1000, learning_rate: 0.0, batch_size: 1}\n"
    file = read(f"{text}{train}expect: {{values: {{row60/y: 1}}}}\n")
    recording = record_file(file, memory=190_000)
    assert recording.spent
    assert len(recording.steps) < 60


def test_a_pass_that_cannot_be_held_is_refused_before_it_runs() -> None:
    rows = ", ".join(["1"] * 50)
    sizes = "{sizes: [1, 30000, 1], activation: tanh, init: {seed: 1}}"
    targets = f"targets: [{rows}]}}\nloss: sum_squared_error\n"
    text = f"title: t\nnetwork: {sizes}\ndata: {{inputs: [{rows}], {targets}"
    assert refusal(text, memory=100_000_000) == (
        "3:8: 50 rows in this network make about 7,500,100 nodes, which take 1.92 GB of "
        "memory; the recording has room for 781,250 nodes: allow more with --memory"
    )
    assert refusal(text, memory=10_000_000) == (
        "2:11: a single row in this network makes about 150,002 nodes, which take 38.4 MB of "
        "memory; the recording has room for 78,125 nodes: allow more with --memory"
    )


def refusal(text: str, memory: int) -> str:
    with pytest.raises(ScenarioError) as caught:
        record_file(read(text), memory=memory)
    (found,) = caught.value.diagnostics
    return f"{found.line}:{found.column}: {found.message}"


def test_the_nodes_of_a_row_are_about_those_that_it_makes() -> None:
    for name in ("xor_tanh", "diagonal_flip", "xor_relu"):
        file = open_scenario(name)
        recording = record_file(file)
        model = file.model
        assert isinstance(model, NetworkScenario)
        *_, forward = (block for block in recording.blocks if isinstance(block, Forward))
        rows = len(model.data.inputs)
        assert 0.5 < rows * nodes_of_row(model) / len(forward.structure) < 2
