"""A training scenario, compiled, against a lean Value class that records nothing; in turns.

Run `python tests/benchmarks/compiled.py`. The network is that of `step.py`: [2, 4, 4, 1], tanh, on
the four XOR rows. Our side is a scenario of 1000 steps, everything recorded, tracing included; the
code is compiled in the first round and found in the others, as when a person edits a scenario. The
other side is the loop that a learner writes. It prints the medians over interleaved rounds, the
time of the first one, and how much memory an event of the recording takes.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

from lean import LeanValue
from step import training

from stepgrad.engine.ops import FUNCTIONS
from stepgrad.recording.recording import Recording
from stepgrad.scenario.build import record_file
from stepgrad.scenario.load import parse_scenario
from stepgrad.scenario.text import Source

STEPS, ROUNDS = 1000, 15
SCENARIO = f"""
title: XOR
network: {{sizes: [2, 4, 4, 1], activation: tanh, init: {{seed: 1}}}}
data: {{inputs: [[0, 0], [0, 1], [1, 0], [1, 1]], targets: [-1, 1, 1, -1]}}
loss: sum_squared_error
train: {{steps: {STEPS}, learning_rate: 0.05}}
"""
FILE = parse_scenario(Source(Path("xor.yaml"), SCENARIO), FUNCTIONS)


def compiled() -> Recording:
    return record_file(FILE)


def lean() -> None:
    step = training(LeanValue, by_hand=True)
    for _ in range(STEPS):
        step()


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    result = run()  # kept until the clock has stopped: to throw it away is not part of the work
    seconds = time.perf_counter() - start
    del result
    return seconds


def main() -> None:
    first = timed(compiled)
    rounds = [(timed(compiled), timed(lean)) for _ in range(ROUNDS)]
    for name, times in zip(("compiled, recorded", "lean"), zip(*rounds, strict=True), strict=True):
        print(f"{name:<20}{statistics.median(times) / STEPS * 1e6:8.1f} µs a step")
    print(f"{'the first time':<20}{first / STEPS * 1e6:8.1f} µs a step")
    ratio = statistics.median(ours / other for ours, other in rounds)
    print(f"compiled, recorded / lean: {ratio:.3f} (target: 0.10 or less)")

    tracemalloc.start()
    recording = compiled()
    used = tracemalloc.get_traced_memory()[0]
    print(f"memory: {used / recording.length:.1f} bytes an event (target: 8 or less)")


if __name__ == "__main__":
    main()
