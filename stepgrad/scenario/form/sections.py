"""What a scenario file may contain: the table of all fields.

An annotation says what a field may hold (`kinds` explains its terms); the text below it says what
the field means. What one section demands of another is in `rules`.
"""

# There is no `from __future__ import annotations`: it would turn the annotations into text.

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import inf
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias, get_args

from stepgrad.scenario.form.exercise import Exercise
from stepgrad.scenario.form.kinds import BARE, Also, Called, Limits, OneOf, Section
from stepgrad.scenario.form.terms import Finite, Interval, Name

MAX_STEPS = 1_000_000
"""The most training steps of a scenario."""

MAX_STATEMENTS = 5_000
"""The most statements of a graph."""

MAX_PARAMETERS = 100_000
"""The most weights and biases of a network: more would not be practical in scalar Python."""


def parameter_count(sizes: tuple[int, ...]) -> int:
    """The number of weights and biases of a fully connected network with these layer sizes."""
    return sum((before + 1) * after for before, after in pairwise(sizes))


def _practical(sizes: tuple[int, ...]) -> str:
    count = parameter_count(sizes)
    if count <= MAX_PARAMETERS:
        return ""
    return f"the network has {count:,} parameters; the limit is {MAX_PARAMETERS:,}"


def _verdicts() -> Sequence[str]:
    from stepgrad.diagnosis import names  # noqa: PLC0415 - few scenarios promise verdicts

    return names()


Positive: TypeAlias = Annotated[Finite, Limits(exclusiveMinimum=0)]
Fraction: TypeAlias = Annotated[Finite, Limits(minimum=0, exclusiveMaximum=1)]
Natural: TypeAlias = Annotated[int, Limits(minimum=0)]
Step: TypeAlias = Annotated[int, Limits(minimum=0, maximum=MAX_STEPS)]
Size: TypeAlias = Annotated[int, Limits(minimum=1, maximum=MAX_PARAMETERS)]
Sizes: TypeAlias = Annotated[tuple[Size, ...], Limits(minItems=2), _practical]
Vector: TypeAlias = tuple[float, ...]
Row: TypeAlias = Annotated[Vector, BARE, Limits(minItems=1)]
"""The numbers of one sample; a single number may be written without its brackets."""
Rows: TypeAlias = Annotated[tuple[Row, ...], Limits(minItems=1)]
Numbers: TypeAlias = Mapping[Name, float]
Losses: TypeAlias = Mapping[Annotated[Step, Called("a step (a whole number from 0)")], float]
Statement: TypeAlias = Annotated[
    str, Called("a statement such as `c = a + b`", "; write `=` instead of `: `")
]
Statements: TypeAlias = Annotated[
    tuple[Statement, ...],
    Called(
        "a list with a statement such as `c = a + b` after each `- `", "; write `=` instead of `: `"
    ),
    Limits(minItems=1, maxItems=MAX_STATEMENTS),
]
Activation: TypeAlias = Annotated[
    Literal["linear", "tanh", "relu", "sigmoid", "leaky_relu"], Also("identity", "linear")
]
Loss: TypeAlias = Literal[
    "sum_squared_error", "mean_squared_error", "binary_cross_entropy", "softmax_cross_entropy"
]
VerdictName: TypeAlias = Annotated[str, OneOf("verdict", _verdicts)]
Level: TypeAlias = Literal["beginner", "intermediate", "advanced", "debugging"]

NOTHING: Mapping[Any, Any] = MappingProxyType({})


class Train(Section):
    """How parameters are trained."""

    steps: Step
    """The number of updates."""
    optimizer: Literal["sgd", "momentum", "adam"] = "sgd"
    """The update rule."""
    learning_rate: Finite
    """The size of an update, relative to the gradient."""
    momentum: Fraction | None = None
    """The share of the velocity to keep, with `optimizer: momentum`; 0.9 by default."""
    betas: tuple[Fraction, Fraction] | None = None
    """The shares of both means to keep, with `optimizer: adam`; [0.9, 0.999] by default."""
    epsilon: Positive | None = None
    """Keeps Adam's quotient finite; 1e-8 by default."""
    clip_norm: Positive | None = None
    """Before each update, scale all gradients down until their norm is at most this."""
    batch_size: Annotated[int, Limits(minimum=1)] | None = None
    """The number of rows of a network's data in a step; by default, all.

    Batches go through the rows in turn; the last one of an epoch may be smaller. `loss` is that of
    the batch. After the last update there is a forward pass with all rows.
    """
    shuffle_seed: Natural | None = None
    """Shuffle the rows before each epoch, with Python's `random.Random(shuffle_seed).shuffle`.

    The same list is shuffled each time, starting from the order of the epoch before.
    """
    zero_grad: bool = True
    """Whether gradients are cleared before each backward pass, as they should be."""


class Expect(Section):
    """The numbers that a run of the scenario must reproduce, and the verdicts that it must get."""

    values: Numbers = NOTHING
    """By name, after the last forward pass."""
    grads: Numbers = NOTHING
    """By name, after the last backward pass and before any clipping."""
    loss: Losses = NOTHING
    """By training step, before that step's update."""
    tolerance: Annotated[Finite, Limits(minimum=0)] = 1e-9
    """How far off a number may be, absolutely or relatively, whichever is more lenient."""
    verdicts: Annotated[tuple[VerdictName, ...], BARE] | None = None
    """The verdicts of `stepgrad diagnose` that a run must get, and no others: `[]` for none."""


class GraphExpect(Expect):
    """The numbers that a run of a graph must reproduce."""

    tangents: Mapping[Name, Numbers] = NOTHING
    """In forward mode: by the name in `wrt`, then by the name of the node."""


class NetworkExpect(Expect):
    """The numbers that a run of a network must reproduce."""

    predictions: tuple[Row, ...] = ()
    """The outputs for each sample, after training."""


class Lesson(Section):
    """What a learner sees of a scenario: its title, its text, and its place among the others."""

    title: Annotated[str, Limits(minLength=1)]
    """What it is about, in a few words."""
    level: Level | None = None
    """Who it is for; the list of lessons is sorted by level."""
    order: Natural | None = None
    """Its place within the level: the smaller, the earlier."""
    after: tuple[str, ...] = ()
    """The names of the scenarios that it builds on."""
    lesson: str = ""
    """Text in Markdown, shown beside the replay."""

    @property
    def place(self) -> tuple[int, float]:
        """Its place among all lessons; without a level or an order, at the end."""
        levels = get_args(Level)
        level = len(levels) if self.level is None else levels.index(self.level)
        return level, inf if self.order is None else self.order


class ProgramHeader(Lesson):
    """What a program that is a lesson says of itself."""

    fails: bool = False
    """Whether `stepgrad check` finds a mistake in it."""
    verdicts: tuple[VerdictName, ...] = ()
    """What `stepgrad diagnose` finds in it."""
    needs: str | None = None
    """The package that it imports: it is listed only where that is installed."""


class GraphScenario(Lesson):
    """A graph, written as one statement for each name."""

    inputs: Numbers = NOTHING
    """Numbers by name, which training does not change."""
    params: Numbers = NOTHING
    """Numbers by name, which training changes."""
    graph: Statements
    """Statements such as `z = w*x + b`, in order: each defines a name and uses earlier ones."""
    mode: Literal["forward", "reverse"] = "reverse"
    """In forward mode, each name in `wrt` has a pass that computes tangents beside the values."""
    wrt: Annotated[tuple[str, ...], BARE, Limits(minItems=1)] = ()
    """The inputs or parameters to differentiate with respect to in forward mode: one or several."""
    backward: str | None = None
    """The node that the backward pass starts from; without it there is no backward pass.

    In forward mode, an ordinary forward and backward pass follows the others.
    """
    train: Train | None = None
    """Without it there is one forward and one backward pass, and no update."""
    expect: GraphExpect = GraphExpect()
    """The numbers that a run must reproduce, which `stepgrad check` compares."""
    exercises: tuple[Exercise, ...] = ()
    """Questions about the run, which `stepgrad quiz` asks and `stepgrad grade` marks."""


class Init(Section):
    """Random weights, drawn neuron by neuron, and one bias for all."""

    seed: Natural
    """The seed of Python's `random.Random`."""
    weights: Interval = (-1.0, 1.0)
    """The interval that weights are drawn from, uniformly."""
    bias: Finite = 0.0
    """The bias of every neuron."""


class Network(Section):
    """A fully connected network, whose parameters are drawn (`init`) or written out."""

    sizes: Sizes
    """The number of inputs, then of neurons in each layer."""
    activation: Annotated[tuple[Activation, ...], BARE, Limits(minItems=1)]
    """One for all layers, or one for each."""
    init: Init | None = None
    """How to draw the weights, instead of `weights` and `biases`."""
    weights: tuple[tuple[Vector, ...], ...] | None = None
    """For each layer, a matrix with a row for each input and a column for each neuron."""
    biases: tuple[Vector, ...] | None = None
    """For each layer, a number for each neuron."""

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The activation of each layer."""
        if len(self.activation) == 1:
            return self.activation * (len(self.sizes) - 1)
        return self.activation


class Samples(Section):
    """The inputs and targets of a network: a row for each sample."""

    inputs: Rows
    """A number for each input of the network."""
    targets: Rows
    """A number for each output: 0 or 1 for binary cross-entropy. For softmax cross-entropy, one
    number: the correct class, counted from 0."""


class NetworkScenario(Lesson):
    """A network and its data: each step uses all rows, or a batch of them."""

    network: Network
    """A fully connected network."""
    data: Samples
    """The inputs and targets, a row for each sample."""
    loss: Loss
    """The sum or the mean of squared errors, over all outputs of all rows, or a cross-entropy.

    `binary_cross_entropy` is the mean over all outputs, which are probabilities from a sigmoid;
    `softmax_cross_entropy` is the mean over all rows, whose outputs are logits, one for each class.
    """
    train: Train | None = None
    """Without it there is one forward and one backward pass, and no update."""
    expect: NetworkExpect = NetworkExpect()
    """The numbers that a run must reproduce, which `stepgrad check` compares."""
    exercises: tuple[Exercise, ...] = ()
    """Questions about the run, which `stepgrad quiz` asks and `stepgrad grade` marks."""


Scenario: TypeAlias = GraphScenario | NetworkScenario
