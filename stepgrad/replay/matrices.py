"""The parameters of a program as it keeps them: those of a matrix, a list or a layer in one line.

Names tell: `wte[3][5]` and `net.0.weight[1,2]` are elements of `wte` and `net.0.weight`, and
`layer1/neuron2/w3` is one of `layer1`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.replay.graph.outline import FITTING, Line, ScopeLine
from stepgrad.replay.graph.summary import KEPT, Summary
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.replay.telling.titles import title
from stepgrad.replay.training import last_update, parameters

_ELEMENT = re.compile(r"(.+?)((?:\[\d+(?:, ?\d+)*\])+)", re.ASCII)
_MEMBER = re.compile(r"(.+?)/((?:neuron_?\d+/)?[^/]+)", re.ASCII)


def parameter_lines(session: Session) -> Sequence[Line]:
    """Return the parameters, or where there are many, matrices of them, as folded scopes.

    Only the matrix with the selected node is open: its elements follow its heading.
    """
    return _lines(session.recording, session.selected)


@kept(2)
def _lines(recording: Recording, selected: int | None) -> Sequence[Line]:
    lines: list[Line] = []
    for line in _grouped(recording).lines:
        lines.append(line)
        if isinstance(line, ScopeLine) and line.holds(selected):
            lines[-1:] = [ScopeLine(line.scope), *line.nodes]
    return lines


def values(state: State, line: ScopeLine) -> Summary:
    """Sum up the magnitudes of the elements of a matrix."""
    since = last_update(state.recording, state.position)
    return _values(state.recording, line, since or state.position)


@kept(KEPT)
def _values(recording: Recording, line: ScopeLine, position: int) -> Summary:
    found = (recording.history.value(node, position) for node in line.nodes)
    return Summary.of(value for value in found if value is not None)


def row_names(recording: Recording) -> Mapping[int, str]:
    """Return what each parameter is called in its line: below its matrix ` [3][5]`."""
    return _grouped(recording).names


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
