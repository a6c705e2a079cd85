"""How programs train, beyond the plain loop: what each way costs to record, keep, save and read.

Run `python tests/benchmarks/patterns.py`, or with the names of some patterns. The network is that
of `step.py` wherever one is needed; the model code is the same for ours and for the lean class,
which has neither marks nor labels. For each pattern it prints a row:

- the time of a recorded step against that of the lean class, as the median over rounds in turns;
- the structures, sweeps and runs of writes there are after 300 steps;
- for 2.6 million events: bytes an event on disk, the seconds to save and to load, and the 99th
  percentile of a seek (see `seek.py`).

All times are the processor's.
"""

from __future__ import annotations

import gc
import random
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import count, cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lean import LeanValue
from seek import milliseconds, show
from step import ROWS, Number, Step, clear, forward, network, update

from stepgrad import Cursor, Recording, Value, mark, record
from stepgrad.recording.blocks import Backward, Forward, Write

STEPS, ROUNDS, EVENTS, SEEKS = 300, 7, 2_600_000, 300


def plain(number: Number) -> Step:
    return _training(number, lambda _: None)


def marks(number: Number) -> Step:
    """Each sample is marked."""
    return _training(number, partial(mark, "sample") if number is Value else lambda _: None)


def _training(number: Number, begin: Callable[[int], None]) -> Step:
    layers, parameters = network(number)

    def step() -> None:
        loss: Any = None
        for i, (row, target) in enumerate(ROWS):
            begin(i)
            error = (forward(layers, [number(x) for x in row]) - target) ** 2
            loss = error if loss is None else loss + error
        loss.backward()
        update(parameters)

    return step


def in_place(number: Number) -> Step:
    """The inputs are made once, and written for each sample."""
    layers, parameters = network(number)
    inputs = [number(0.0), number(0.0)]

    def step() -> None:
        loss: Any = None
        for row, target in ROWS:
            for value, x in zip(inputs, row, strict=True):
                value.data = x
            error = (forward(layers, inputs) - target) ** 2
            loss = error if loss is None else loss + error
        loss.backward()
        update(parameters)

    return step


def shared(number: Number) -> Step:
    """A result is computed once, and used in every step."""
    layers, parameters = network(number)
    scale = number(0.5).tanh() * 2.0 + 0.1
    if number is Value:
        mark("ready")

    def step() -> None:
        loss: Any = None
        for row, target in ROWS:
            error = (scale * forward(layers, [number(x) for x in row]) - target) ** 2
            loss = error if loss is None else loss + error
        loss.backward()
        update(parameters)

    return step


def accumulation(number: Number) -> Step:
    """Each row is a micro-batch with a backward pass of its own; one update follows."""
    layers, parameters = network(number)

    def step() -> None:
        for row, target in ROWS:
            error = (forward(layers, [number(x) for x in row]) - target) ** 2
            error.backward()
        update(parameters)

    return step


def rnn(number: Number) -> Step:
    """A recurrent network that learns sequences, some longer than others, in turns."""
    draw = random.Random(1)
    w, u, b, h0 = (
        [[number(draw.uniform(-1, 1)) for _ in range(4)] for _ in range(rows)]
        for rows in (1, 4, 1, 1)
    )
    out = [number(draw.uniform(-1, 1)) for _ in range(4)]
    parameters = [p for rows in (w, u, b, h0, [out]) for row in rows for p in row]
    lengths = (7, 3, 11, 5, 9, 4, 8)
    turns = cycle([[draw.choice((-1.0, 1.0)) for _ in range(length)] for length in lengths])

    def step() -> None:
        hidden = h0[0]
        for element in next(turns):
            x = number(element)
            following = []
            for i in range(4):
                total = b[0][i] + w[0][i] * x
                for j in range(4):
                    total = total + u[i][j] * hidden[j]
                following.append(total.tanh())
            hidden = following
        total = number(0.0)
        for weight, h in zip(out, hidden, strict=True):
            total = total + weight * h
        ((total - 1.0) ** 2).backward()
        update(parameters)

    return step


def gan(number: Number) -> Step:
    """Two models and two losses: the fakes, made once, take part in both backward passes."""
    generator, its = network(number)
    critic, hers = network(number)

    def step() -> None:
        fakes = [[forward(generator, [number(x) for x in row]) for _ in row] for row, _ in ROWS]
        loss: Any = None
        for fake, (row, _) in zip(fakes, ROWS, strict=True):
            real = (forward(critic, [number(x) for x in row]) - 1.0) ** 2
            error = real + (forward(critic, fake) + 1.0) ** 2
            loss = error if loss is None else loss + error
        loss.backward()
        update(hers, 0.01)
        clear(its)
        loss = None
        for fake in fakes:
            error = (forward(critic, fake) - 1.0) ** 2
            loss = error if loss is None else loss + error
        loss.backward()
        update(its, 0.01)
        clear(hers)

    return step


def labels(number: Number) -> Step:
    """Every step gives its results new labels."""
    layers, parameters = network(number)
    steps = count()

    def named(value: Any, name: str) -> Any:
        if number is Value:
            value.label = name
        return value

    def step() -> None:
        now = next(steps)
        loss: Any = None
        for i, (row, target) in enumerate(ROWS):
            output = named(forward(layers, [number(x) for x in row]), f"y{i} of step {now}")
            error = (output - target) ** 2
            loss = error if loss is None else loss + error
        named(loss, f"loss{now}").backward()
        update(parameters)

    return step


def trees(number: Number) -> Step:
    """A graph that is another one each time: a random tree over some parameters."""
    draw = random.Random(1).random
    parameters = [number(2 * draw() - 1) for _ in range(37)]

    def step() -> None:
        nodes = [parameters[int(37 * draw())] for _ in range(160)]
        while len(nodes) > 1:
            for last in (-1, -2):
                i = int(len(nodes) * draw())
                nodes[i], nodes[last] = nodes[last], nodes[i]
            a, b, which = nodes.pop(), nodes.pop(), draw()
            nodes.append(a + b if which < 0.4 else (a * b).tanh() if which < 0.7 else a - b)
        ((nodes[0].tanh() - 0.5) ** 2).backward()
        update(parameters)

    return step


def evaluation(number: Number) -> Step:
    """Every tenth step, the network is measured on many rows, and nothing is kept of that."""
    layers, _ = network(number)
    train, steps = plain(number), count()

    def step() -> None:
        train()
        if next(steps) % 10 == 0:
            for i in range(200):
                forward(layers, [number(i / 200), number(1 - i / 200)])

    return step


PATTERNS: dict[str, tuple[Callable[[Number], Step], float]] = {
    each.__name__: (each, {trees: 1.5, evaluation: 1.0}.get(each, 0.8))
    for each in (
        plain, marks, in_place, shared, accumulation, rnn, gan, labels, trees, evaluation
    )
}  # fmt: skip
"""Each with the target: how long a recorded step may take, against a lean one."""


def seconds(pattern: Callable[[Number], Step], number: Number) -> float:
    with ExitStack() as stack:
        if number is Value:
            stack.enter_context(record())
        step = pattern(number)
        gc.collect()  # what another side has left behind
        start = time.process_time()
        for _ in range(STEPS):
            step()
        return time.process_time() - start


def recorded(pattern: Callable[[Number], Step], steps: int, events: int) -> Recording:
    """Train for this many steps, and then until there are this many events."""
    with record() as recording:
        step = pattern(Value)
        for _ in range(steps):
            step()
        while recording.length < events and not recording.spent:
            step()
    return recording


def shapes(recording: Recording) -> tuple[int, int, int]:
    """How many structures, sweeps and runs of writes there are."""
    found: tuple[set[object], set[object], set[object]] = set(), set(), set()
    for block in recording.blocks:
        match block:
            case Forward():
                found[0].add(block.structure)
            case Backward():
                found[1].add(block.sweep)
            case Write():
                found[2].add(block.writes)
    return len(found[0]), len(found[1]), len(found[2])


def files(recording: Recording, path: Path) -> str:
    start = time.process_time()
    recording.save(path)
    saved = time.process_time() - start
    start = time.process_time()
    loaded = Recording.load(path)
    opened = time.process_time() - start
    assert loaded.length == recording.length
    return f"{path.stat().st_size / recording.length:9.2f}{saved:9.2f}{opened:8.2f}"


def _look(cursor: Cursor, position: int) -> None:
    show(cursor.seek(position))


def seeks(recording: Recording) -> float:
    draw = random.Random(1)
    cursor = Cursor(recording)
    show(cursor)
    positions = [draw.randrange(recording.length) for _ in range(SEEKS)]
    times = [milliseconds(partial(_look, cursor, at)) for at in positions]
    return statistics.quantiles(times, n=100)[98]


def main(names: list[str]) -> None:
    print(
        "pattern       × lean (target)  structures/sweeps/writes  B/event  save s  load s  seek ms"
    )
    for name in names or PATTERNS:
        pattern, target = PATTERNS[name]
        rounds = [(seconds(pattern, Value), seconds(pattern, LeanValue)) for _ in range(ROUNDS)]
        ratio = statistics.median(ours / other for ours, other in rounds)
        few = " / ".join(map(str, shapes(recorded(pattern, STEPS, 0))))
        print(f"{name:<13} {ratio:6.2f} ({target:.1f})    {few:>22}", end="", flush=True)
        with TemporaryDirectory() as folder:
            recording = recorded(pattern, 0, EVENTS)
            stored = files(recording, Path(folder, "recording.stepgrad"))
        print(f"{stored}{seeks(recording):9.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
