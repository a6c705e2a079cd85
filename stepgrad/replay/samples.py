"""What a network is shown and what it answers, found by the names in a training step.

A sample is a scope in which inputs are called `x1`, `x2`, … and outputs `y` (or `y1`, `y2`, …);
targets are called `t` likewise. Scenarios use these names; a program may do so, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from stepgrad.recording.blocks import Forward
from stepgrad.recording.compiled import Function, function
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import Context, Structure
from stepgrad.replay.state import State

_NAME = re.compile(r"(?:(.*)/)?([xyt])(\d*)")


class Sample(NamedTuple):
    """The nodes of one sample. There is a target for each output, or there are none."""

    scope: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    targets: tuple[int, ...]


def samples(state: State) -> Sequence[Sample]:
    """Return the samples of the training step at hand, in the order in which they are shown."""
    recording, ordinal = state.recording, state.step_ordinal or 0
    bounds = [*recording.steps, recording.length]
    if not recording.steps:
        return ()
    return _samples(recording, bounds[ordinal], bounds[ordinal + 1])


@kept(4)
def _samples(recording: Recording, begin: int, end: int) -> tuple[Sample, ...]:
    return tuple(
        Sample(scope, *(tuple(block.base + offset for offset in named[kind]) for kind in "xyt"))
        for block in recording.blocks_between(begin, end)
        if isinstance(block, Forward)
        for scope, named in _named(block.context).items()
    )


@kept(1)
def _named(context: Context) -> Mapping[str, Mapping[str, Sequence[int]]]:
    """Return the offsets of inputs, outputs and targets, by scope; only of whole samples."""
    scopes: dict[str, dict[str, dict[int, int]]] = {}
    for offset, name in context.names.items():
        if match := _NAME.fullmatch(name):
            scope, kind, number = match.groups("")
            kinds = scopes.setdefault(scope, {"x": {}, "y": {}, "t": {}})
            kinds[kind][int(number or 1)] = offset
    return {
        scope: {kind: [kinds[kind][n] for n in sorted(kinds[kind])] for kind in kinds}
        for scope, kinds in scopes.items()
        if kinds["x"] and kinds["y"] and len(kinds["t"]) in (0, len(kinds["y"]))
    }


def response(state: State, sample: Sample, output: int) -> Callable[..., float] | None:
    """Return an output of the network as a function of its inputs, as the parameters are now.

    None if that cannot be computed again, because a function of the program's own is not known.
    """
    history = state.recording.history
    forward = history.forward_of(output)
    if not forward.structure.known:
        return None
    own = tuple(node - forward.base for node in sample.inputs)
    given, respond = _compiled(forward.structure, output - forward.base, own)

    def now(ref: int) -> float:
        node = forward.node(ref)
        value = history.value(node, state.position)
        return history.first_value(node) if value is None else value  # a leaf still to come

    numbers = list(map(now, given))
    return lambda *inputs: respond(*numbers, *inputs)[0]


@kept(16)
def _compiled(
    structure: Structure, result: int, own: tuple[int, ...]
) -> tuple[Sequence[int], Function]:
    """Return a node as a function of other numbers and of the sample's own inputs, in order."""
    given = [ref for ref in structure.inputs if ref not in own]
    return given, function(structure, [*given, *own], [result])
