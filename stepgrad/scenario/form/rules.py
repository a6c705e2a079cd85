"""What one section of a scenario demands of another: counts that must agree, keys that need others.

Each rule looks only at sections that are valid by themselves, so that a mistake in one does not
hide a mistake in another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import TypeAlias

from stepgrad.printable import counted
from stepgrad.scenario.form.exercise import Exercise, check_exercise
from stepgrad.scenario.form.reading import Reading
from stepgrad.scenario.form.sections import (
    Expect,
    GraphScenario,
    Network,
    NetworkExpect,
    Samples,
    Scenario,
    Train,
    Vector,
)
from stepgrad.scenario.text import Problems
from stepgrad.scenario.yaml.document import Data, Path

Findings: TypeAlias = Iterator[tuple[Path, str]]
"""The place and the message of each finding."""


def check_rules(reading: Reading, kind: type[Scenario], problems: Problems) -> None:
    """Note every rule between sections that a document breaks."""
    document = reading.document
    for path, message in _graph(reading) if kind is GraphScenario else _network(reading):
        problems.add(document.index(path), message)
    for path, message in chain(_training(reading), _exercises(reading)):
        problems.add(document.key_index(path), message)


_GRAPH_NEEDS = (
    (("train",), "backward", "training needs `backward`, the name of the loss"),
    (("train",), "params", "there are no `params` to train"),
    (("expect", "grads"), "backward", "`grads` cannot be expected without `backward`"),
    (("expect", "loss"), "backward", "`loss` cannot be expected without `backward`"),
)


def _graph(reading: Reading) -> Findings:
    """Training and gradients need something to start from."""
    given = reading.document.places
    for path, needed, message in _GRAPH_NEEDS:
        if path in given and reading.lacks(needed):
            yield path, message
    for key in ("batch_size", "shuffle_seed"):
        if ("train", key) in given:
            yield ("train", key), f"`{key}` is for the data of a network; a graph has no rows"
    if reading.data.get("mode") == "forward":
        yield from _forward_mode(reading)
    elif ("mode",) in given or reading.lacks("mode"):
        if ("wrt",) in given:
            yield ("wrt",), "`wrt` is for forward mode: add `mode: forward`"
        if ("expect", "tangents") in given:
            message = "`tangents` cannot be expected without `mode: forward`"
            yield ("expect", "tangents"), message


def _forward_mode(reading: Reading) -> Findings:
    """Forward mode needs `wrt`, and cannot train."""
    if reading.lacks("wrt"):
        yield ("mode",), "forward mode needs `wrt`: the inputs to differentiate with respect to"
    if "train" in reading.data:
        message = "training needs gradients, but forward mode computes tangents"
        yield ("train",), f"{message}: remove one of the two"
    if "wrt" not in reading.data:
        return
    wrt = reading.data["wrt"]
    names = wrt if isinstance(wrt, tuple) else (wrt,)
    for i, name in enumerate(names):
        if name in names[:i]:
            yield ("wrt", i), f"`{name}` is listed already: one pass is enough"
    for path in reading.document.places:
        match path:
            case ("expect", "tangents", str(name)) if name not in names:
                yield path, f"`{name}` is not listed in `wrt`"


_SETTINGS = {"momentum": "momentum", "betas": "adam", "epsilon": "adam"}
"""The optimizer that a setting of `train` belongs to."""


def _training(reading: Reading) -> Findings:
    """Settings belong to the optimizer that is used; nothing is expected that no step reaches."""
    train, expect = reading.section(Train, "train"), reading.section(Expect, "expect")
    for key, optimizer in _SETTINGS.items():
        if train and getattr(train, key) is not None and train.optimizer != optimizer:
            message = f"`{key}` is for `optimizer: {optimizer}`, not for `{train.optimizer}`"
            yield ("train", key), message
    if expect is None or (train is None and "train" in reading.data):
        return
    if train and train.steps == 0 and expect.grads:
        message = "0 steps have no backward pass: without `train` there is one"
        yield ("expect", "grads"), message
    last = train.steps if train else 0
    for step in expect.loss:
        if step > last:
            yield ("expect", "loss", step), f"there is no step {step}: the last is {last}"


def _exercises(reading: Reading) -> Findings:
    """An exercise has the names and the goal that its kind takes; gradients need a pass."""
    given = reading.data.get("exercises")
    for place in range(len(given) if isinstance(given, tuple) else 0):
        exercise = reading.section(Exercise, "exercises", place)
        if exercise is None:
            continue
        for field, message in check_exercise(exercise):
            yield ("exercises", place, field), message
        if "network" in reading.data:
            if exercise.vary:
                message = "the numbers of a network cannot vary: write a graph"
                yield ("exercises", place, "vary"), message
            if exercise.asks == "program":
                message = "a program is held against a graph: write a graph"
                yield ("exercises", place, "asks"), message
        elif exercise.asks in ("gradient", "program") and reading.lacks("backward"):
            message = f"a {exercise.asks} cannot be asked for without `backward`"
            yield ("exercises", place, "asks"), message


def _network(reading: Reading) -> Findings:
    """The rows of the data fit each other, the network, and what is expected."""
    loss = reading.data.get("loss")
    network = reading.section(Network, "network")
    samples = reading.section(Samples, "data")
    expect = reading.section(NetworkExpect, "expect")
    if train := reading.section(Train, "train"):
        yield from _batches(train, samples)
    if network:
        yield from _origin(network, reading)
        yield from _parameters(network)
        yield from _last_layer(loss, network)
    if samples:
        inputs, targets = len(samples.inputs), len(samples.targets)
        if inputs != targets:
            message = f"{counted(targets, 'row')} of targets for {counted(inputs, 'row')} of inputs"
            yield ("data", "targets"), message
        if network:
            takes, gives = network.sizes[0], network.sizes[-1]
            yield from _widths(("data", "inputs"), samples.inputs, takes)
            yield from _targets(loss, samples, gives)
    if expect and expect.predictions:
        predictions = len(expect.predictions)
        if samples and predictions != len(samples.inputs):
            message = f"{predictions} predictions for {len(samples.inputs)} inputs"
            yield ("expect", "predictions"), message
        if network:
            yield from _widths(("expect", "predictions"), expect.predictions, network.sizes[-1])


def _batches(train: Train, samples: Samples | None) -> Findings:
    """A batch is not larger than the data, and only batches can be shuffled."""
    if train.batch_size is None:
        if train.shuffle_seed is not None:
            message = "without `batch_size`, every step uses all rows: there is nothing to shuffle"
            yield ("train", "shuffle_seed"), message
    elif samples is not None and train.batch_size > len(samples.inputs):
        rows = counted(len(samples.inputs), "row")
        yield ("train", "batch_size"), f"a batch of {train.batch_size:,}, but only {rows} of data"


def _last_layer(loss: Data, network: Network) -> Findings:
    """Each cross-entropy needs its kind of output."""
    last = network.activation[-1]
    path: Path = ("network", "activation")
    if len(network.activation) > 1:
        path = (*path, len(network.activation) - 1)
    if loss == "binary_cross_entropy" and last != "sigmoid":
        message = "`binary_cross_entropy` takes probabilities: the last layer must be `sigmoid`"
        yield path, f"{message}, not `{last}`"
    if loss == "softmax_cross_entropy":
        if network.sizes[-1] < 2:
            message = "`softmax_cross_entropy` needs an output for each class, so 2 or more"
            yield ("network", "sizes", len(network.sizes) - 1), message
        if last != "linear":
            message = "`softmax_cross_entropy` takes logits, not probabilities"
            yield path, f"{message}: the last layer must be `linear`, not `{last}`"


def _targets(loss: Data, samples: Samples, outputs: int) -> Findings:
    """A target is a number for each output, or the number of a class."""
    path: Path = ("data", "targets")
    if loss != "softmax_cross_entropy":
        yield from _widths(path, samples.targets, outputs)
        if loss == "binary_cross_entropy":
            wrong = [row for row, each in enumerate(samples.targets) if not {*each} <= {0, 1}]
            yield from _once(path, wrong, "the targets of `binary_cross_entropy` are 0 or 1")
        return
    wrong = [row for row, numbers in enumerate(samples.targets) if len(numbers) != 1]
    if wrong:
        found = counted(len(samples.targets[wrong[0]]), "number")
        message = f"{found}, but a row has one class: its number, from 0"
        yield from _once(path, wrong, message)
    classes = [numbers[0] if len(numbers) == 1 else 0 for numbers in samples.targets]
    wrong = [row for row, number in enumerate(classes) if number not in range(outputs)]
    if wrong and outputs > 1:  # else the single output is the mistake
        message = f"there is no class {classes[wrong[0]]:g}: the {outputs} outputs are"
        yield from _once(path, wrong, f"{message} classes 0 to {outputs - 1}")


def _once(path: Path, rows: Sequence[int], message: str) -> Findings:
    """Report at the first of several rows what is wrong with all of them."""
    if rows:
        others = f" (and {counted(len(rows) - 1, 'other row')} like it)" if len(rows) > 1 else ""
        yield (*path, rows[0]), message + others


def _widths(path: Path, rows: Sequence[Vector], width: int) -> Findings:
    """Each row has a number for each input or output of the network."""
    wanted = f"the network has {counted(width, 'input' if path[-1] == 'inputs' else 'output')}"
    wrong = [number for number, row in enumerate(rows) if len(row) != width]
    if len(wrong) > 1 and len({len(row) for row in rows}) == 1:
        yield path, f"every row has {counted(len(rows[0]), 'number')}, but {wanted}"
        return
    for number in wrong:
        yield (*path, number), f"{counted(len(rows[number]), 'number')}, but {wanted}"


def _origin(network: Network, reading: Reading) -> Findings:
    """Parameters are either drawn or written out."""
    written = ("weights", "biases")
    if network.init is not None:
        if any(getattr(network, key) is not None for key in written):
            yield ("network", "init"), "give either `init` or `weights` and `biases`, not both"
    elif reading.lacks("network", "init") and any(reading.lacks("network", key) for key in written):
        yield ("network",), "a network needs `init`, or `weights` and `biases`"


def _parameters(network: Network) -> Findings:
    """Activations, weights and biases fit the sizes of the layers."""
    layers = len(network.sizes) - 1
    if len(network.activation) not in (1, layers):
        found = counted(len(network.activation), "activation")
        message = f"{found} for {counted(layers, 'layer')}: give one for all, or one for each"
        yield ("network", "activation"), message
    if network.weights is not None:
        yield from _layers(("network", "weights"), len(network.weights), layers)
        shapes = zip(network.weights, pairwise(network.sizes), strict=False)
        for layer, (matrix, shape) in enumerate(shapes, 1):
            yield from _matrix(layer, matrix, shape)
    if network.biases is not None:
        yield from _layers(("network", "biases"), len(network.biases), layers)
        pairs = zip(network.biases, network.sizes[1:], strict=False)
        for layer, (biases, neurons) in enumerate(pairs, 1):
            if len(biases) != neurons:
                message = f"{counted(len(biases), 'number')} for the {counted(neurons, 'neuron')}"
                yield ("network", "biases", layer - 1), f"{message} of layer {layer}"


def _layers(path: Path, found: int, layers: int) -> Findings:
    if found != layers:
        yield path, f"`{path[-1]}` for {counted(found, 'layer')}, but the network has {layers}"


def _matrix(layer: int, rows: Sequence[Vector], shape: tuple[int, int]) -> Findings:
    """A matrix has a row for each input of the layer, and a column for each of its neurons."""
    inputs, neurons = shape
    path: Path = ("network", "weights", layer - 1)
    wanted = f"layer {layer} takes a row for each of {counted(inputs, 'input')}"
    wanted += f", with a number for each of {counted(neurons, 'neuron')}"
    if inputs != neurons == len(rows) and all(len(row) == inputs for row in rows):
        yield path, f"{wanted}: this matrix is transposed"
        return
    if len(rows) != inputs:
        yield path, f"{counted(len(rows), 'row')} of weights: {wanted}"
    wrong = [number for number, row in enumerate(rows) if len(row) != neurons]
    if wrong:
        found = counted(len(rows[wrong[0]]), "number")
        yield from _once(path, wrong, f"{found} in a row of weights: {wanted}")
