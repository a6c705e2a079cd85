"""Training at a glance: the loss, what the network answers, and what it should."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from textual.content import Content

from stepgrad.numbers import fitting, number
from stepgrad.printable import counted
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.replay.samples import Sample, samples
from stepgrad.replay.state import State
from stepgrad.replay.training import last_update, losses, steps_trained, trains
from stepgrad.tui.render import ink
from stepgrad.tui.render.plot import loss_curve, ordinal_at

NUMBER = 9
"""Cells for a number in the table of answers."""

GAP = 2


def training(state: State, width: int, height: int) -> Content:
    """Draw the loss curve, and below it the decision boundary beside the answers."""
    steps = len(state.recording.steps)
    if not trains(state.recording):
        return Content.styled("no training in this lesson", ink.QUIET)
    below = _height_of_answers(state, height)
    points = losses(state.recording, 2 * width)
    curve = loss_curve(points, steps, state.step_ordinal, width, height - below - 1)
    lines = [_where(state, width), *curve]
    if below:
        lines += [Content(), *_answers(state, width, below - 1)]
    return Content("\n").join(line.truncate(width) for line in lines[:height])


def step_at(state: State, width: int, height: int, x: int, y: int) -> int | None:
    """Return the position of the training step that is drawn at a cell of the curve."""
    steps = state.recording.steps
    if not trains(state.recording) or not 0 < y < height - _height_of_answers(state, height):
        return None
    ordinal = ordinal_at(x, len(steps), width)
    return None if ordinal is None else steps[ordinal] + 1


def _height_of_answers(state: State, height: int) -> int:
    """The number of lines below the curve, including a blank one."""
    shown = samples(state)
    if not shown or height < 8:
        return 0
    return height // 2 if height >= 24 else min(height // 2, 2 + max(len(shown), 6))


def _where(state: State, width: int) -> Content:
    """Say where in training this is, and what the loss is there."""
    ordinal = state.step_ordinal
    at = "before training" if ordinal is None else f"step {state.step}"
    steps = steps_trained(state.recording)
    spans: list[ink.Span] = [(f"loss over {counted(steps, 'step')}", ink.QUIET)]
    said: list[ink.Span] = [(f"{at}  ", ink.CURRENT)]
    if state.output is not None:
        said.append((number(state.output[1]), ink.NAME))
    left, right = ink.line(*spans), ink.line(*said)
    gap = width - left.cell_length - right.cell_length
    return left + " " * gap + right if gap > 1 else right


def _answers(state: State, width: int, height: int) -> list[Content]:
    """Draw the decision boundary, if there is one, with the table of answers to its right."""
    shown = samples(state)
    inputs = len(shown[0].inputs)
    columns = inputs if inputs == 2 else 0  # with more of them, the sample's name says which
    outputs = max(len(sample.outputs) for sample in shown)
    table_width = (columns or 1) * (NUMBER - 3) + 2 * outputs * (NUMBER + 1)
    room = min(width - table_width - GAP, 4 * height)
    plane = _plane(state, shown, room, height - 1) if room >= 12 else []
    beside = room + GAP if plane else 0
    return [
        picture + " " * (beside - picture.cell_length) + row
        for picture, row in zip_longest(
            plane, _table(state, shown, columns, height), fillvalue=Content()
        )
    ]


def _table(state: State, shown: Sequence[Sample], columns: int, height: int) -> list[Content]:
    """List the samples: inputs, answers, targets."""
    first = shown[0]
    several = len(first.outputs) > 1
    numbers = [str(i) if several else "" for i in range(1, len(first.outputs) + 1)]
    heads = [f"{f'x{i}':>{NUMBER - 3}}" for i in range(1, columns + 1)] or [" " * (NUMBER - 3)]
    heads += [
        f"{f'y{n}':>{NUMBER + 1}}{f't{n}' if first.targets else '':>{NUMBER + 1}}" for n in numbers
    ]
    rows = [ink.line(("".join(heads), ink.QUIET))]
    fits = height - 1 if len(shown) <= height - 1 else height - 2
    rows += [_row(state, sample, columns) for sample in shown[:fits]]
    if fits < len(shown):
        rows.append(ink.line((f"  and {len(shown) - fits} more", ink.QUIET)))
    return rows


def _row(state: State, sample: Sample, columns: int) -> Content:
    first = state.recording.history.first_value
    if columns:
        spans: list[ink.Span] = [
            (f"{_fitted(first(node), NUMBER - 3):>{NUMBER - 3}}", "") for node in sample.inputs
        ]
    else:
        spans = [(ink.fit_name(sample.scope, NUMBER - 3), "")]
    for output, target in zip_longest(sample.outputs, sample.targets):
        answer = state.value(output)
        shown = "–" if answer is None else _fitted(answer, NUMBER)
        spans.append((f"{shown:>{NUMBER + 1}}", ink.sign(answer)))
        if target is not None:
            spans.append((f"{_fitted(first(target), NUMBER):>{NUMBER + 1}}", ink.QUIET))
    return ink.line(*spans)


def _fitted(value: float, width: int) -> str:
    return fitting(number(value, 5), value, width)


def _plane(state: State, shown: Sequence[Sample], width: int, height: int) -> Sequence[Content]:
    """The decision boundary, drawn again only after an update has moved it."""
    updated = last_update(state.recording, state.position)
    return _drawn(state.recording, updated, tuple(shown), width, height)


@kept(4)
def _drawn(
    recording: Recording, position: int, shown: tuple[Sample, ...], width: int, height: int
) -> Sequence[Content]:
    from stepgrad.tui.render.boundary import boundary  # noqa: PLC0415 - for two inputs only

    return boundary(State(recording, position), shown, width, height)
