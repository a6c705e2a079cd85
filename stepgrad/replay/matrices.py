"""The parameters of a program as it keeps them: those of a matrix, a list or a layer in one line.

Names tell: `wte[3][5]` and `net.0.weight[1,2]` are elements of `wte` and `net.0.weight`, and
`layer1/neuron2/w3` is one of `layer1`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.writes import Writes
from stepgrad.replay.graph.outline import FITTING, Line, ScopeLine
from stepgrad.replay.graph.summary import KEPT, Summary
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.replay.telling.titles import title
from stepgrad.replay.training import parameters, updating

_ELEMENT = re.compile(r"(.+?)((?:\[\d+(?:, ?\d+)*\])+)", re.ASCII)
_MEMBER = re.compile(r"(.+?)/((?:neuron_?\d+/)?[^/]+)", re.ASCII)


def parameter_lines(session: Session) -> Sequence[Line]:
    """Return the parameters, or where there are many, matrices of them, as folded scopes.

    Only the matrix with the selected node may be open: its elements follow its heading.
    """
    return _lines(session.recording, None if session.in_closed else session.selected)


@kept(2)
def _lines(recording: Recording, selected: int | None) -> Sequence[Line]:
    lines: list[Line] = []
    for line in _grouped(recording).lines:
        lines.append(line)
        if isinstance(line, ScopeLine) and line.holds(selected):
            lines[-1:] = [ScopeLine(line.scope), *line.nodes]
    return lines


def matrix_of(recording: Recording, node: int | None) -> ScopeLine | None:
    """Return the matrix that a node is an element of, as a folded scope; None if it is in none."""
    lines = _grouped(recording).lines
    return next((each for each in lines if isinstance(each, ScopeLine) and each.holds(node)), None)


def values(state: State, line: ScopeLine) -> Summary:
    """Sum up the magnitudes of the elements of a matrix."""
    recording, position = state.recording, state.position
    changed = min(position, recording.history.made_at(line.nodes[-1]))
    if block := updating(recording, position):
        writes = _writes(block.writes, line)
        done = bisect_left(writes, position - block.start)
        changed = max(changed, block.start + (writes[done - 1] + 1 if done else 0))
    return _values(recording, line, changed)


@kept(KEPT)
def _values(recording: Recording, line: ScopeLine, position: int) -> Summary:
    return Summary.of(_elements(recording, line.nodes, position))


@kept(KEPT)
def _writes(writes: Writes, line: ScopeLine) -> Sequence[int]:
    """Which of some writes change an element of a matrix."""
    return sorted(write for node in line.nodes for write in writes.updates.get(node, ()))


def _elements(recording: Recording, nodes: Sequence[int], position: int) -> list[float]:
    """Return the values of those nodes that are made.

    Most are written in the last update, or in the one before; only the others are looked up node by
    node.
    """
    found: list[float] = []
    at = position
    for _ in range(2):
        block = updating(recording, at)
        if block is None:
            return [*found, *_first(recording, nodes, position)]
        left, done = [], position - block.start
        for node in nodes:
            writes = block.writes.updates.get(node, ())
            if before := bisect_left(writes, done):
                found.append(block.after[writes[before - 1]])
            else:
                left.append(node)
        nodes, at = left, block.start
    values = (recording.history.value(node, position) for node in nodes)
    return [*found, *(value for value in values if value is not None)]


def _first(recording: Recording, nodes: Sequence[int], position: int) -> Iterator[float]:
    """Yield the values with which those nodes were made that are, by a position."""
    forward = None
    for node in nodes:
        if forward is None or node >= forward.end:
            forward = recording.history.forward_of(node)
        if forward.start + forward.length <= position or forward.made_at(node) <= position:
            yield forward.values[node - forward.base]


def row_names(recording: Recording) -> Mapping[int, str]:
    """Return what each parameter is called in its line: below its matrix ` [3][5]`."""
    return _grouped(recording).names


def folded_matrices(recording: Recording) -> Sequence[ScopeLine]:
    """Return the line of each matrix that is folded unless a node in it is selected."""
    return [line for line in _grouped(recording).lines if isinstance(line, ScopeLine)]


class _Grouped(NamedTuple):
    lines: Sequence[Line]
    names: Mapping[int, str]


@kept(1)
def _grouped(recording: Recording) -> _Grouped:
    """The parameters in the order of creation; where there are many, one line for a matrix."""
    names = {node: title(recording, node) for node in parameters(recording)}
    if len(names) <= FITTING:
        return _Grouped([*names], names)
    matrices: dict[str, dict[int, str]] = {}
    for node, name in names.items():
        if element := _ELEMENT.fullmatch(name) or _MEMBER.fullmatch(name):
            matrices.setdefault(element[1], {})[node] = element[2]
    lines: dict[Line, None] = {}  # each once, in order
    folded = {
        node: line
        for matrix, elements in matrices.items()
        if len(elements) > 1
        for line in [_line(matrix, elements)]
        for node in elements
    }
    for node in names:
        lines[folded.get(node, node)] = None
    indices = {node: index for elements in matrices.values() for node, index in elements.items()}
    return _Grouped([*lines], names | {node: f" {indices[node]}" for node in folded})


def _line(matrix: str, elements: Mapping[int, str]) -> ScopeLine:
    """A folded matrix, named with its shape, `wte (27×16)`; a layer with its size."""
    indices = [re.findall(r"\d+", index) for index in elements.values() if index.startswith("[")]
    axes = zip_longest(*(map(int, index) for index in indices), fillvalue=0)
    sizes = [max(at) + 1 for at in axes] if len(indices) == len(elements) else [len(elements)]
    return ScopeLine(f"{matrix} ({'×'.join(map(str, sizes))})", sorted(elements))
