"""Gradients that shrink or grow with depth: `vanishing`, `exploding`.

Depth is counted in factors: the longest path from the root to a node, without sums, because a sum
passes on what it receives. So the rows of a batch are equally deep, however long the sum over them
is. At each depth the largest gradient counts: a residual connection carries it past the factors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from math import inf, log10
from statistics import fmean, linear_regression

from stepgrad.diagnosis.survey import Pass, Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.engine.ops import LEAF, MUL, OPS
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.recording.kept import kept
from stepgrad.recording.sweep import Sweep
from stepgrad.replay.telling.titles import title

_VANISHED, _EXPLODED = 4, 2
"""By how many decades: a step a hundred times too long breaks a training at once."""

_LASTING = 0.5
"""Which part of that there still is in the last pass."""

_FEWEST = 8  # factors: fewer do not compound
_STRAIGHT = 0.9
_SHAPES = 2  # of passes, the most frequent: a generator and its critic

_FACTORS = bytes(
    code < len(OPS) and any(partial.constant is None for partial in OPS[code].partials)
    for code in range(256)
)
"""For `bytes.translate`: 1 for the codes of operations that multiply a gradient by something."""


def vanishing(survey: Survey) -> Iterator[Verdict]:
    """The gradient shrinks along the way, and parameters at its end receive what is left."""
    for which, line in _lines(survey):
        received = _received(survey, which)
        most = max(1.0, *map(abs, received.values()))
        far = line.first - _VANISHED / line.slope if line.decades <= -_VANISHED else inf
        nearest = _nearest(which, received)
        left = [
            leaf for leaf, grad in received.items()
            if abs(grad) <= most / 10**_VANISHED and nearest[leaf] >= far
        ]  # fmt: skip
        if left:
            left.sort(key=nearest.__getitem__, reverse=True)
            yield _verdict(survey, which, line, left)
            return


def exploding(survey: Survey) -> Iterator[Verdict]:
    """The gradient grows along the way, and a parameter receives all of it."""
    for which, line in _lines(survey):
        if line.decades < _EXPLODED:
            continue
        received = _received(survey, which)
        least = min(1.0, *map(abs, received.values()))
        hit = [leaf for leaf, grad in received.items() if abs(grad) >= least * 10**_EXPLODED]
        if hit:
            hit.sort(key=lambda leaf: abs(received[leaf]), reverse=True)
            yield _verdict(survey, which, line, hit)
            return


@dataclass(frozen=True, slots=True)
class _Line:
    """The largest gradient at each depth, in decades, on a straight line.

    Args:
        first: the smallest depth.
        last: the largest.
        slope: decades for each factor.
        square: R², the part of the variance that the line explains.
    """

    first: int
    last: int
    slope: float
    square: float

    @property
    def decades(self) -> float:
        """By how much the gradient grows from the smallest depth to the largest; or shrinks."""
        return self.slope * (self.last - self.first)


def _lines(survey: Survey) -> Iterator[tuple[Pass, _Line]]:
    """Yield the first pass of each shape whose gradients are on a line, as in its last pass."""
    for passes in survey.shapes[:_SHAPES]:
        first, last = _line(passes[0]), _line(passes[-1])
        if first and last and last.decades / first.decades >= _LASTING:
            yield passes[0], first


def _line(which: Pass) -> _Line | None:
    """Fit a line to the largest gradient at each depth; None if it is not straight."""
    block, levels = which.block, _levels(which.block.sweep)
    deepest = max(levels)
    if deepest < _FEWEST:
        return None
    largest = [0.0] * (deepest + 1)
    computed = block.sweep.computed
    for level, grad in zip(levels[:computed], map(abs, block.grads[:computed]), strict=True):
        if grad > largest[level]:  # noqa: PLR1730 - half of the time of `max`
            largest[level] = grad
    depths = [level for level, grad in enumerate(largest) if grad]
    if len(depths) < _FEWEST:
        return None
    decades = [log10(largest[level]) for level in depths]
    slope, start = linear_regression(depths, decades)
    middle = fmean(decades)
    off = sum((y - start - slope * x) ** 2 for x, y in zip(depths, decades, strict=True))
    whole = sum((y - middle) ** 2 for y in decades)
    if not whole or off > (1 - _STRAIGHT) * whole:
        return None
    return _Line(depths[0], depths[-1], slope, 1 - off / whole)


@kept(1)
def _levels(sweep: Sweep) -> list[int]:
    """For each place of the column, how many factors are on the longest path from the root."""
    levels = [0] * sweep.width
    factors = sweep.codes.translate(_FACTORS)
    for out, receiver in zip(sweep.outs, sweep.receivers, strict=True):
        level = levels[out] + factors[out]
        if level > levels[receiver]:  # noqa: PLR1730
            levels[receiver] = level
    return levels


def _received(survey: Survey, which: Pass) -> Mapping[int, float]:
    """What each parameter received, but for 0; where nothing is trained, each leaf."""
    parameters = survey.parameters
    return {
        leaf: grad for leaf, grad in survey.received(which).items()
        if grad and (not parameters or leaf in parameters)
    }  # fmt: skip


def _nearest(which: Pass, leaves: Mapping[int, float]) -> Mapping[int, int]:
    """The depth at which each leaf is used nearest to the root: a shared weight learns there."""
    sweep = which.block.sweep
    levels, factors = _levels(sweep), sweep.codes.translate(_FACTORS)
    places = {which.block.column(leaf): leaf for leaf in leaves}
    found: dict[int, int] = {}
    wanted = [receiver in places for receiver in sweep.receivers]
    edges = zip(compress(sweep.outs, wanted), compress(sweep.receivers, wanted), strict=True)
    for out, receiver in edges:
        leaf, level = places[receiver], levels[out] + factors[out]
        found[leaf] = min(found.get(leaf, level), level)
    return {leaf: found.get(leaf, 0) for leaf in leaves}


def _verdict(survey: Survey, which: Pass, line: _Line, leaves: Sequence[int]) -> Verdict:
    """`leaves` are the parameters that it hits, the hardest hit first."""
    name = "vanishing" if line.slope < 0 else "exploding"
    recording, block, leaf = survey.recording, which.block, leaves[0]
    path = _path(survey, which, line)
    far, grads = block.sweep.receivers[path[0]], block.grads
    arrivals = [edge for edge, to in enumerate(block.sweep.receivers) if to == block.column(leaf)]
    text = (
        f"{title(recording, leaf)} receives {number(survey.received(which)[leaf])}: from "
        f"{title(recording, which.root)} to {title(recording, block.node(far))}, "
        f"{counted(line.last - line.first, 'factor')} away, the gradient "
        f"{'shrinks' if name == 'vanishing' else 'grows'} from 1 to {number(abs(grads[far]))}, "
        f"{number(10**line.slope, 3)} times a factor (R² {number(line.square, 3)}), as it is "
        f"multiplied {_compounded(survey, which, path)}"
    )
    positions = [block.start + edge + 2 for edge in (arrivals[-1], path[0], path[-1])]
    return Verdict(name, text, _ADVICE[name], [*dict.fromkeys(positions)], leaves)


def _path(survey: Survey, which: Pass, line: _Line) -> list[int]:
    """The edges over which most arrives at the deepest node, from there to the root."""
    block = which.block
    sweep, grads, history = block.sweep, block.grads, survey.recording.history
    levels = _levels(sweep)
    deepest = (place for place in range(sweep.computed) if levels[place] == line.last)
    place = max(deepest, key=lambda place: abs(grads[place]))
    path: list[int] = []
    while sweep.incoming[place]:
        edge = max(sweep.incoming[place], key=lambda edge: abs(history.edge(block, edge)[2]))
        path.append(edge)
        place = sweep.outs[edge]
    return path


def _compounded(survey: Survey, which: Pass, path: Sequence[int]) -> str:
    """Say which factors are on a path: how many of each kind, and their geometric mean."""
    recording, block = survey.recording, which.block
    sizes: dict[str, list[float]] = defaultdict(list)
    weights: list[int] = []
    for edge in path:
        out, slot = block.edge(edge)
        node = recording.node(out)
        local = abs(recording.history.edge(block, edge)[1])
        if node.op.partials[slot].constant is not None or not local:
            continue
        other = node.operands[1 - slot] if node.op is MUL else None
        if other is None:
            sizes[f"the slope of {node.op.name}"].append(local)
        elif recording.node(other).op is LEAF:
            sizes["a weight"].append(local)
            weights.append(other)
        else:
            sizes["a computed factor"].append(local)
    decades = {kind: sum(map(log10, each)) for kind, each in sizes.items()}
    ordered = sorted(sizes, key=lambda kind: -abs(decades[kind]))
    told = []
    for kind in [each for each in ordered if each == ordered[0] or len(sizes[each]) > 1][:2]:
        names = f"{listed(recording, weights)}; " if kind == "a weight" else ""
        mean = number(10 ** (decades[kind] / len(sizes[kind])), 3)
        told.append(f"{counted(len(sizes[kind]), 'time')} by {kind} ({names}{mean} on average)")
    return " and ".join(told)


_ADVICE = {
    "vanishing": (
        "Make each factor (weight × slope) about 1: relu in place of sigmoid, weights scaled to "
        "the number of inputs (Xavier, He), residual connections, or normalised layers."
    ),
    "exploding": (
        "Make each factor (weight × slope) about 1: smaller weights (Xavier, He, orthogonal), "
        "normalised layers, or a shorter chain; clipping limits the step, not the cause."
    ),
}
