"""One training step of a [2, 4, 4, 1] tanh network on the four XOR rows, in turns.

Run `python tests/benchmarks/step.py`. It prints the time of a step with everything recorded, with
the lines of the program besides, with recording off, and in a lean Value class that cannot record,
and the ratios, as medians over interleaved rounds. The model code is the same for all. Ours are
updated by stepgrad's SGD, and once more by the loop over parameters that the lean class needs,
where every write is a call.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

from lean import LeanValue

from stepgrad import SGD, Value, record

ROWS = [([0.0, 0.0], -1.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], -1.0)]
ROUNDS, STEPS = 31, 100


Number = Callable[[float], Any]
Step = Callable[[], None]
Layers = list[Any]


def network(number: Number) -> tuple[Layers, list[Any]]:
    """Make a network, and list its parameters."""
    draw = random.Random(1)
    layers, parameters = [], []
    for inputs, neurons in pairwise([2, 4, 4, 1]):
        layer = []
        for _ in range(neurons):
            weights = [number(draw.uniform(-1, 1)) for _ in range(inputs)]
            bias = number(0.0)
            layer.append((weights, bias))
            parameters += [*weights, bias]
        layers.append(layer)
    return layers, parameters


def forward(layers: Layers, values: list[Any]) -> Any:
    """The network's output."""
    for layer in layers:
        outputs = []
        for weights, bias in layer:
            total = bias
            for weight, x in zip(weights, values, strict=True):
                total = total + weight * x
            outputs.append(total.tanh())
        values = outputs
    return values[0]


def clear(parameters: list[Any]) -> None:
    for parameter in parameters:
        parameter.grad = 0.0


def update(parameters: list[Any], rate: float = 0.05) -> None:
    for parameter in parameters:
        parameter.data -= rate * parameter.grad
    clear(parameters)


def training(number: Number, *, by_hand: bool) -> Step:
    """Return a function that does one step: forward, backward, update, clear."""
    layers, parameters = network(number)
    optimizer = SGD([] if by_hand else parameters, learning_rate=0.05)

    def step() -> None:
        loss: Any = None
        for row, target in ROWS:
            error = (forward(layers, [number(x) for x in row]) - target) ** 2
            loss = error if loss is None else loss + error
        loss.backward()
        if by_hand:
            update(parameters)
        else:
            optimizer.step()
            optimizer.zero_grad()

    return step


def seconds(step: Callable[[], None], recorded: bool, lines: bool = False) -> float:
    with ExitStack() as stack:
        if recorded:
            stack.enter_context(record(lines=lines))
        start = time.perf_counter()
        for _ in range(STEPS):
            step()
        return (time.perf_counter() - start) / STEPS


def main() -> None:
    ours = training(Value, by_hand=False)
    looped, lean = training(Value, by_hand=True), training(LeanValue, by_hand=True)
    sides: dict[str, Callable[[], float]] = {
        "recorded": lambda: seconds(ours, recorded=True),
        "recorded, lines": lambda: seconds(ours, recorded=True, lines=True),
        "unrecorded": lambda: seconds(ours, recorded=False),
        "recorded, by hand": lambda: seconds(looped, recorded=True),
        "unrecorded, by hand": lambda: seconds(looped, recorded=False),
        "lean": lambda: seconds(lean, recorded=False),
    }
    rounds = [{name: side() for name, side in sides.items()} for _ in range(ROUNDS)]
    for name in sides:
        print(f"{name:<20}{statistics.median(r[name] for r in rounds) * 1e3:8.3f} ms a step")
    for recorded, other, target in (
        ("recorded", "unrecorded", 1.25),
        ("recorded", "lean", 0.70),
        ("recorded, lines", "unrecorded", 1.75),
        ("recorded, by hand", "unrecorded, by hand", 1.25),
        ("recorded, by hand", "lean", 0.70),
    ):
        ratio = statistics.median(r[recorded] / r[other] for r in rounds)
        print(f"{recorded} / {other}: {ratio:.2f} (target: {target:.2f} or less)")


if __name__ == "__main__":
    main()
