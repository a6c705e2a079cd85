"""One training step of `scenarios/tiny_gpt.py`, about 50,000 nodes, in turns.

Run `python tests/benchmarks/gpt.py`. It prints the time of a step with everything recorded, with
recording off, and in a lean Value class that cannot record, as medians over interleaved rounds, and
how much memory a recorded event takes. In one case every step reads another name, so that no step
has the shape of an earlier one; in the other, all read the same name. The model code is the same
for all; garbage collection is as Python sets it.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from functools import partial, reduce
from operator import add
from pathlib import Path
from random import Random
from typing import Any

from lean import LeanValue

from stepgrad import Adam, record

SCRIPT = Path(__file__).parents[2] / "scenarios" / "tiny_gpt.py"
NEW, SAME = ("clara", "viola", "boris", "edith", "jonas"), ("clara",) * 5
ROUNDS = 15


def script(**replaced: Any) -> Any:
    """Load the script as a module of its own, with other things under some of its names."""
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


def seconds(step: Callable[[str], None], names: Sequence[str], recorded: bool) -> float:
    with ExitStack() as stack:
        if recorded:
            stack.enter_context(record())
        start = time.perf_counter()
        for name in names:
            step(name)
        return (time.perf_counter() - start) / len(names)


def bytes_per_event(step: Callable[[str], None], names: Sequence[str]) -> tuple[float, int]:
    """Return the memory that a recording keeps, and how many events it has."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    with record() as recording:
        for name in names:
            step(name)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / recording.length, recording.length


def main() -> None:
    sys.setrecursionlimit(100_000)  # the lean class visits its graph recursively
    ours, lean = training(script(), Adam), training(lean_script(), LeanAdam)
    for case, names in (("another name each step", NEW), ("the same name each step", SAME)):
        sides: dict[str, Callable[[], float]] = {
            "recorded": partial(seconds, ours, names, recorded=True),
            "unrecorded": partial(seconds, ours, names, recorded=False),
            "lean": partial(seconds, lean, names, recorded=False),
        }
        rounds = [{name: side() for name, side in sides.items()} for _ in range(ROUNDS)]
        print(f"{case}:")
        for name in sides:
            print(f"  {name:<12}{statistics.median(r[name] for r in rounds) * 1e3:8.1f} ms a step")
        for other, target in (("unrecorded", 1.25), ("lean", 0.65)):
            ratio = statistics.median(r["recorded"] / r[other] for r in rounds)
            print(f"  recorded / {other}: {ratio:.2f} (target: {target:.2f} or less)")
        size, events = bytes_per_event(ours, names)
        print(f"  {size:.1f} bytes an event, of {events:,} (target: 13 or less)")


if __name__ == "__main__":
    main()
