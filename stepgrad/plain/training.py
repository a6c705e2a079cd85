"""Training in words: the parameters, how the loss goes, and what the network answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest
from math import isfinite

from stepgrad.plain.words import MOST, listed, name_of, numbers_of, read_number, sentence, some
from stepgrad.printable import counted
from stepgrad.replay.graph.contents import Node
from stepgrad.replay.samples import Sample, samples
from stepgrad.replay.session import Session
from stepgrad.replay.state import State, step_number
from stepgrad.replay.training import Loss, losses, parameters, steps_trained, trains

POINTS = 1000
"""The most steps whose loss is looked at."""


def parameters_told(session: Session) -> Iterator[str]:
    """Say what training changes: each parameter as it is, and where it begins."""
    nodes, state = parameters(session.recording), session.state
    if not nodes:
        yield "No parameters are trained here."
        return

    def told(node: int) -> str:
        name, first = name_of(session.recording, node), session.recording.history.first_value(node)
        now = numbers_of(Node(state, node))
        return sentence(f"{name} is {now}; it begins as {read_number(first)}")

    yield from some(map(told, nodes), len(nodes), of="parameter")


def training_told(session: Session) -> Iterator[str]:
    """Say how the loss goes over all of training, where it is, and what the network answers."""
    state, recording = session.state, session.recording
    if not trains(recording):
        yield "There is no training in this lesson."
        return
    steps = counted(steps_trained(recording), "step")
    yield sentence(f"Training has {steps}; this is "
                   f"{'before it' if state.step is None else f'step {state.step}'}")  # fmt: skip
    if state.output is not None:
        yield f"The loss is {read_number(state.output[1])} here."
    if points := losses(recording, POINTS):
        yield _course(state, points)
    yield from _answers(state)


def _course(state: State, points: Sequence[Loss]) -> str:
    """Say how the loss goes: where it begins and ends, and how often it rises in between."""
    first, last = points[0].value, points[-1].value
    told = f"Over all of training it goes from {read_number(first)} to {read_number(last)}"
    bad = next((each for each in points if not isfinite(each.value)), None)
    if bad is not None:
        number = step_number(state.recording, bad.ordinal)
        return sentence(f"{told}; from step {number} on it is not a finite number")
    rises = sum(after.value > before.value for before, after in pairwise(points))
    low = min(points, key=lambda each: each.value)
    how = "it never rises" if not rises else f"it rises {counted(rises, 'time')} on the way"
    if not any(after.value != before.value for before, after in pairwise(points)):
        how = "it never changes"
    elif low.value < last:
        at = step_number(state.recording, low.ordinal)
        how += f", and is smallest, {read_number(low.value)}, in step {at}"
    return sentence(f"{told}; {how}")


def _answers(state: State) -> Iterator[str]:
    """Say what the network answers to each sample, and the target."""
    shown = samples(state)
    first = state.recording.history.first_value

    def told(sample: Sample) -> str:
        inputs = [read_number(first(node)) for node in sample.inputs[:MOST]]
        pairs = []
        for output, target in zip_longest(sample.outputs, sample.targets):
            answer = state.value(output)
            said = "not computed yet" if answer is None else read_number(answer)
            wanted = "" if target is None else f"; the target is {read_number(first(target))}"
            pairs.append(f"{said}{wanted}")
        return sentence(f"For {listed(inputs)} the answer is {', '.join(pairs)}")

    yield from some(map(told, shown), len(shown), of="row")
