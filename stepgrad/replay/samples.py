"""What a network is shown and what it answers, read off the names of a training step.

A sample is a scope in which inputs are called `x1`, `x2`, … and outputs `y` (or `y1`, `y2`, …);
`t`, likewise, is what the output should be. Scenarios name theirs so; a program may do it too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from stepgrad.recording.blocks import Forward
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import Structure, ref_to_index
from stepgrad.replay.state import State

_NAME = re.compile(r"(?:(.*)/)?([xyt])(\d*)")


@dataclass(frozen=True, slots=True)
class Sample:
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
    return _samples(recording, bounds[ordinal], bounds[ordinal + 1], len(recording.blocks))


@lru_cache(maxsize=4)
def _samples(recording: Recording, begin: int, end: int, _blocks: int) -> tuple[Sample, ...]:
    return tuple(
        Sample(scope, *(tuple(block.base + offset for offset in named[kind]) for kind in "xyt"))
        for block in recording.blocks_between(begin, end)
        if isinstance(block, Forward)
        for scope, named in _named(block.structure).items()
    )


@lru_cache(maxsize=16)
def _named(structure: Structure) -> Mapping[str, Mapping[str, Sequence[int]]]:
    """Return the offsets of inputs, outputs and targets, by scope; only of whole samples."""
    scopes: dict[str, dict[str, dict[int, int]]] = {}
    for offset, name in structure.names.items():
        if match := _NAME.fullmatch(name):
            scope, kind, number = match.groups("")
            kinds = scopes.setdefault(scope, {"x": {}, "y": {}, "t": {}})
            kinds[kind][int(number or 1)] = offset
    return {
        scope: {kind: [kinds[kind][n] for n in sorted(kinds[kind])] for kind in kinds}
        for scope, kinds in scopes.items()
        if kinds["x"] and kinds["y"] and len(kinds["t"]) in (0, len(kinds["y"]))
    }


def response(state: State, sample: Sample, output: int) -> Callable[..., float]:
    """Return an output of the network as a function of its inputs, as the parameters are now."""
    history = state.recording.history
    forward = history.forward_of(output)
    own = {node - forward.base: place for place, node in enumerate(sample.inputs)}
    structure, result = forward.structure, output - forward.base
    order = _ancestors(structure, result, frozenset(own))

    def now(ref: int) -> float:
        node = ref_to_index(ref, forward.base)
        value = history.value(node, state.position)
        return history.first_value(node) if value is None else value  # a leaf still to come

    given = {ref: now(ref) for offset in order for ref in structure.operands(offset)}
    program = [(o, structure.op(o).value, tuple(structure.operands(o))) for o in order]

    def respond(*inputs: float) -> float:
        values = dict(given)
        for offset, place in own.items():
            values[offset] = inputs[place]
        for offset, function, refs in program:
            values[offset] = function(*[values[ref] for ref in refs])
        return values[result]

    return respond


@lru_cache(maxsize=16)
def _ancestors(structure: Structure, result: int, inputs: frozenset[int]) -> Sequence[int]:
    """Return the computed nodes that a result depends on, itself included, the oldest first."""
    found: set[int] = set()
    stack = [result]
    while stack:
        offset = stack.pop()
        if offset >= 0 and offset not in found and offset not in inputs:
            operands = structure.operands(offset)
            if operands:
                found.add(offset)
                stack.extend(operands)
    return sorted(found)
