"""One training step of a [2, 4, 4, 1] tanh network on the four XOR rows, three ways in turns.

Run `python tests/benchmarks/step.py`. It prints the time of a step with everything recorded, with
recording off, and in a lean Value class, and the ratios, as medians over interleaved rounds.
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

from stepgrad import Value, record

ROWS = [([0.0, 0.0], -1.0), ([0.0, 1.0], 1.0), ([1.0, 0.0], 1.0), ([1.0, 1.0], -1.0)]
ROUNDS, STEPS = 31, 100


def network(number: Callable[[float], Any]) -> tuple[list[Any], list[Any]]:
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


def training(number: Callable[[float], Any]) -> Callable[[], None]:
    """Return a function that does one step: forward, backward, update, clear."""
    layers, parameters = network(number)

    def step() -> None:
        loss = None
        for row, target in ROWS:
            values = [number(x) for x in row]
            for layer in layers:
                outputs = []
                for weights, bias in layer:
                    total = bias
                    for weight, x in zip(weights, values, strict=True):
                        total = total + weight * x
                    outputs.append(total.tanh())
                values = outputs
            error = (values[0] - target) ** 2
            loss = error if loss is None else loss + error
        loss.backward()
        for parameter in parameters:
            parameter.data -= 0.05 * parameter.grad
        for parameter in parameters:
            parameter.grad = 0.0

    return step


def seconds(step: Callable[[], None], recorded: bool) -> float:
    with ExitStack() as stack:
        if recorded:
            stack.enter_context(record())
        start = time.perf_counter()
        for _ in range(STEPS):
            step()
        return (time.perf_counter() - start) / STEPS


def main() -> None:
    ours, lean = training(Value), training(LeanValue)
    sides = {
        "recorded": lambda: seconds(ours, recorded=True),
        "unrecorded": lambda: seconds(ours, recorded=False),
        "lean": lambda: seconds(lean, recorded=False),
    }
    rounds = [{name: side() for name, side in sides.items()} for _ in range(ROUNDS)]
    for name in sides:
        print(f"{name:<12}{statistics.median(r[name] for r in rounds) * 1e3:8.3f} ms a step")
    for other, target in (("unrecorded", 1.25), ("lean", 0.70)):
        ratio = statistics.median(r["recorded"] / r[other] for r in rounds)
        print(f"recorded / {other:<12}{ratio:6.2f}   (target {target:.2f} or less)")


if __name__ == "__main__":
    main()
