"""One training step of `scenarios/tiny_gpt.py`, about 50,000 nodes, in turns.

Run `python tests/benchmarks/gpt.py`. It prints the time of a step with everything recorded, with
recording off, and in a lean Value class that cannot record, as medians over interleaved rounds of a
few steps, and how much memory a recorded event takes. In one case all steps read the same name; in
the other each reads a new one, so that no step has the shape of an earlier one. The model code is
the same for all; garbage collection is as Python sets it. The first rounds, which warm up, do not
count. All times are the processor's.
"""

from __future__ import annotations

import gc
import importlib.util
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import reduce
from operator import add
from pathlib import Path
from random import Random
from typing import Any

from lean import LeanValue

from stepgrad import Adam, Recording, record
from stepgrad.engine.tape import recording_on
from stepgrad.recording.recorder import Recorder

SCRIPT = Path(__file__).parents[2] / "scenarios" / "tiny_gpt.py"
ROUNDS, STEPS, WARM_UP = 12, 5, 2


def script(**replaced: Any) -> Any:
    """Load the script as its own module, with some of its names replaced."""
    spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module).update(replaced)
    return module


class LeanAdam:
    """The loop that a learner writes."""

    def __init__(self, parameters: list[LeanValue], learning_rate: float) -> None:
        self.parameters, self.learning_rate = parameters, learning_rate
        self.means, self.squares = [0.0] * len(parameters), [0.0] * len(parameters)
        self.steps = 0

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = 0.0

    def step(self) -> None:
        self.steps += 1
        means, squares = self.means, self.squares
        unbias, unbias_square = 1 - 0.9**self.steps, 1 - 0.999**self.steps
        for i, parameter in enumerate(self.parameters):
            grad = parameter.grad
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad * grad
            root = (squares[i] / unbias_square) ** 0.5
            parameter.data -= self.learning_rate * (means[i] / unbias) / (root + 1e-8)


def lean_softmax(logits: Sequence[LeanValue]) -> list[LeanValue]:
    greatest = reduce(LeanValue.max, logits)
    exponentials = [(logit - greatest).exp() for logit in logits]
    total = reduce(add, exponentials)
    return [each / total for each in exponentials]


def lean_script() -> Any:
    return script(
        Value=lambda data, _label: LeanValue(data),
        softmax=lean_softmax,
        scope=lambda _name: nullcontext(),
        named=lambda _letter, values, _endings=(): values,
    )


def training(module: Any, optimizer: Callable[..., Any]) -> Callable[[str], None]:
    """Return a function that does one step on a name."""
    gpt = module.GPT(Random(1))
    adam = optimizer(gpt.parameters(), 0.001)

    def step(name: str) -> None:
        loss = gpt.loss(name)
        adam.zero_grad()
        loss.backward()
        adam.step()

    return step


def seconds(
    step: Callable[[str], None], names: Sequence[str], recorder: Recorder | None = None
) -> float:
    gc.collect()  # what another side has left behind
    with nullcontext() if recorder is None else recording_on(recorder):
        start = time.process_time()
        for name in names:
            step(name)
        return (time.process_time() - start) / len(names)


def bytes_per_event(step: Callable[[str], None], names: Sequence[str]) -> float:
    """Return the memory that a recording keeps."""
    with record() as recording:
        step("ada")  # what comes once: the parameters
        tracemalloc.start()
        before = recording.length
        for name in names:
            step(name)
        events = recording.length - before
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return kept / events


def main() -> None:
    sys.setrecursionlimit(100_000)  # the lean class visits its graph recursively
    module = script()
    ours, lean = training(module, Adam), training(lean_script(), LeanAdam)
    new = [name for name in module.NAMES if len(name) < 7][: ROUNDS * STEPS]
    for case, names in (("the same name", ["clara"] * ROUNDS * STEPS), ("new names", new)):
        recorder = Recorder(Recording())
        turns = [names[start : start + STEPS] for start in range(0, len(names), STEPS)]
        rounds = [
            {
                "recorded": seconds(ours, turn, recorder),
                "unrecorded": seconds(ours, turn),
                "lean": seconds(lean, turn),
            }
            for turn in turns
        ][WARM_UP:]
        print(f"{case}:")
        for side in rounds[0]:
            print(f"  {side:<12}{statistics.median(r[side] for r in rounds) * 1e3:8.1f} ms a step")
        for other, target in (("unrecorded", 1.25), ("lean", 0.65)):
            ratio = statistics.median(r["recorded"] / r[other] for r in rounds)
            print(f"  recorded / {other}: {ratio:.2f} (target: {target:.2f} or less)")
        size = bytes_per_event(ours, names[:STEPS])
        print(f"  {size:.1f} bytes an event (target: 13 or less)")


if __name__ == "__main__":
    main()
