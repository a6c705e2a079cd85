"""Running a program once, or training it: batches, optimizer, step after step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, repeat
from math import ceil
from random import Random

from stepgrad.engine.optim import SGD, Adam, clip_norm
from stepgrad.engine.tape import mark
from stepgrad.engine.value import Value
from stepgrad.recording.traced import Root, Traced
from stepgrad.scenario.form.sections import Train
from stepgrad.scenario.program import Program, Rows

WORTH_COMPILING = 20
"""After this many passes, compiling has saved more time than it takes."""


def run(program: Program, train: Train | None) -> Iterator[None]:
    """Run a program, or train it; yield after each pass."""
    if train is None:
        root: Root | None = program.forward(program.rows)
        if root is not None:
            root.backward()
        yield
        return
    optimizer = _optimizer(program.parameters, train)
    forward: Callable[[Rows], Root | None] = program.forward
    if train.steps >= WORTH_COMPILING:
        forward = Traced(program.forward)
    for step, rows in enumerate(islice(_batches(program.rows, train), train.steps)):
        mark("step", step)
        root = forward(rows)
        if train.zero_grad:
            optimizer.zero_grad()
        if root is not None:
            root.backward()
        if train.clip_norm is not None:
            clip_norm(program.parameters, train.clip_norm)
        optimizer.step()
        yield
    mark("step", train.steps)
    forward(program.rows)
    yield


def _optimizer(parameters: list[Value], train: Train) -> SGD | Adam:
    match train.optimizer:
        case "sgd":
            return SGD(parameters, train.learning_rate)
        case "momentum":
            momentum = 0.9 if train.momentum is None else train.momentum
            return SGD(parameters, train.learning_rate, momentum)
        case "adam":
            betas, epsilon = train.betas or (0.9, 0.999), train.epsilon or 1e-8
            return Adam(parameters, train.learning_rate, betas, epsilon)


def _batches(rows: Rows, train: Train) -> Iterator[Rows]:
    """Yield the rows of each training step, epoch after epoch, without end."""
    size, seed = train.batch_size, train.shuffle_seed
    if size is None:
        yield from repeat(rows)
        return
    order, draw = list(rows), Random(seed)
    while True:
        if seed is not None:
            draw.shuffle(order)
        yield from (tuple(order[at : at + size]) for at in range(0, len(order), size))


def epoch(program: Program, train: Train | None) -> int:
    """Return the number of passes until every row has been used."""
    size = train.batch_size if train else None
    return 1 if size is None else ceil(len(program.rows) / size)
