"""Gradients that shrink or grow with depth: `vanishing`, `exploding`.

Depth is counted in factors: the longest path from the root to a node, without sums, because a sum
passes on what it receives. So the rows of a batch are equally deep, however long the sum over them
is. At each depth the largest gradient counts: a residual connection carries it past the factors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log10
from statistics import fmean, linear_regression

from stepgrad.diagnosis.survey import Pass, Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.engine.ops import DIV, LEAF, MUL, OPS, OWN
from stepgrad.numbers import number
from stepgrad.printable import counted
from stepgrad.recording.kept import kept
from stepgrad.recording.sweep import Sweep
from stepgrad.replay.telling.titles import title

_VANISHED, _EXPLODED = 4, 2
"""By how many decades: a step a hundred times too long breaks a training at once."""

_LASTING = 0.5
"""Which part of the slope has to be there in the last pass, too."""

_FEWEST = 8  # depths: fewer do not compound
_HEAD = 3  # depths, at most, that are the loss itself
_STRAIGHT = 0.9
_SHOWN = 8
_SHAPES = 2  # of passes, the most frequent: a generator and its critic

_FACTORS = bytes(
    code == OWN or (code < len(OPS) and any(map(OPS[code].varies, range(len(OPS[code].partials)))))
    for code in range(256)
)
"""For `bytes.translate`: 1 for the codes of operations that multiply a gradient by something."""


def vanishing(survey: Survey) -> Iterator[Verdict]:
    """The gradient shrinks along the way, and parameters at its end receive what is left."""
    for passes in survey.shapes[:_SHAPES]:
        line, last = _line(passes[0]), _line(passes[-1])
        if line is None or last is None or line.decades > -_VANISHED:
            continue
        if last.slope > _LASTING * line.slope:
            continue
        received = _received(survey, passes[0])
        nearest, far = _nearest(survey, passes[0], received), line.first - _VANISHED / line.slope
        others = [abs(grad) for leaf, grad in received.items() if nearest[leaf] < far]
        small = max(others, default=line.start) / 10**_VANISHED
        if all(abs(grad) <= line.start / 10**_VANISHED for grad in received.values()):
            small = line.start / 10**_VANISHED
        left = [leaf for leaf in received if nearest[leaf] >= far and abs(received[leaf]) <= small]
        if left:
            left.sort(key=nearest.__getitem__, reverse=True)
            yield _verdict(survey, passes[0], line, left)
            return


def exploding(survey: Survey) -> Iterator[Verdict]:
    """The gradient grows along the way, and a parameter receives all of it."""
    for passes in survey.shapes[:_SHAPES]:
        line = _line(passes[0])
        if line is None or line.decades < _EXPLODED:
            continue
        received = _received(survey, passes[0])
        large = max(line.start, 1.0) * 10**_EXPLODED
        hit = [leaf for leaf, grad in received.items() if abs(grad) >= large]
        if hit:
            hit.sort(key=_nearest(survey, passes[0], received).__getitem__, reverse=True)
            yield _verdict(survey, passes[0], line, hit)
            return


@dataclass(frozen=True, slots=True)
class _Line:
    """The largest gradient at each depth, in decades, on a straight line.

    Args:
        first: the smallest depth.
        last: the largest.
        start: the gradient at the smallest depth.
        slope: decades for each factor.
        square: R², the part of the variance that the line explains.
    """

    first: int
    last: int
    start: float
    slope: float
    square: float

    @property
    def decades(self) -> float:
        """By how much the gradient grows from the smallest depth to the largest; or shrinks."""
        return self.slope * (self.last - self.first)


def _line(which: Pass) -> _Line | None:
    """Fit a line to the largest gradient at each depth; None if it is not straight.

    What a loss itself does to the gradient at the smallest depths may be something else, such as
    2 · error where the error is huge: the line may begin below it.
    """
    block, levels = which.block, _levels(which.block.sweep)
    largest = [0.0] * (max(levels) + 1)
    if len(largest) <= _FEWEST:
        return None
    computed = block.sweep.computed
    for level, grad in zip(levels[:computed], map(abs, block.grads[:computed]), strict=True):
        if grad > largest[level]:  # noqa: PLR1730 - half of the time of `max`
            largest[level] = grad
    points = [(level, grad) for level, grad in enumerate(largest) if grad]
    fits = (_fit(points[begin:]) for begin in range(_HEAD + 1))
    return max(filter(None, fits), key=lambda line: abs(line.decades), default=None)


def _fit(points: Sequence[tuple[int, float]]) -> _Line | None:
    """Fit a line to the logarithms of some gradients; None if they are few or not straight."""
    if len(points) < _FEWEST:
        return None
    depths, decades = [depth for depth, _ in points], [log10(grad) for _, grad in points]
    slope, start = linear_regression(depths, decades)
    middle = fmean(decades)
    off = sum((y - start - slope * x) ** 2 for x, y in zip(depths, decades, strict=True))
    whole = sum((y - middle) ** 2 for y in decades)
    if not whole or off > (1 - _STRAIGHT) * whole:
        return None
    return _Line(depths[0], depths[-1], points[0][1], slope, 1 - off / whole)


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


def _nearest(survey: Survey, which: Pass, leaves: Mapping[int, float]) -> Mapping[int, int]:
    """The depth at which each leaf receives something nearest to the root.

    A shared weight learns there; but where it is multiplied by 0, it receives nothing.
    """
    block, sweep, history = which.block, which.block.sweep, survey.recording.history
    levels, factors = _levels(sweep), sweep.codes.translate(_FACTORS)
    found: dict[int, int] = {}
    for leaf in leaves:
        place = block.column(leaf)
        edges = () if place is None else sweep.incoming[place]
        bring = (sweep.outs[edge] for edge in edges if history.edge(block, edge)[2])
        found[leaf] = min((levels[out] + factors[out] for out in bring), default=0)
    return found


def _verdict(survey: Survey, which: Pass, line: _Line, leaves: Sequence[int]) -> Verdict:
    """`leaves` are the parameters that it hits, the deepest first."""
    name = "vanishing" if line.slope < 0 else "exploding"
    recording, block, leaf = survey.recording, which.block, leaves[0]
    path = _path(survey, which, line)
    sweep, grads = block.sweep, block.grads
    near, far = sweep.outs[path[-1]], sweep.receivers[path[0]]
    arrivals = [edge for edge, to in enumerate(sweep.receivers) if to == block.column(leaf)]
    received, others = survey.received(which), ""
    if line.slope < 0 < len(leaves) - 1:
        most = max(abs(received[each]) for each in leaves[1:])
        others = f" ({counted(len(leaves) - 1, 'other')} at most {number(most)})"
    text = (
        f"{title(recording, leaf)} receives {number(received[leaf])}{others}: the gradient "
        f"{'shrinks' if name == 'vanishing' else 'grows'} from {number(abs(grads[near]))} at "
        f"{title(recording, block.node(near))} to {number(abs(grads[far]))} at "
        f"{title(recording, block.node(far))}, {counted(line.last - line.first, 'factor')} away, "
        f"×{number(10**line.slope, 3)} per factor (R² {number(line.square, 3)}), multiplied "
        f"{_compounded(survey, which, path)}"
    )
    positions = [block.arrival(edge) for edge in (arrivals[-1], path[0], path[-1])]
    return Verdict(name, text, _ADVICE[name], [*dict.fromkeys(positions)], leaves[:_SHOWN])


def _path(survey: Survey, which: Pass, line: _Line) -> list[int]:
    """The edges over which most arrives at the deepest node, up to where the line begins."""
    block = which.block
    sweep, grads, history = block.sweep, block.grads, survey.recording.history
    levels = _levels(sweep)
    deepest = (place for place in range(sweep.computed) if levels[place] == line.last)
    place = max(deepest, key=lambda place: abs(grads[place]))
    path: list[int] = []
    while levels[place] > line.first:
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
        if not node.op.varies(slot) or not local:
            continue
        other = node.operands[1 - slot] if node.op is MUL else None
        if node.op is DIV:
            sizes["a division"].append(local)
        elif other is None:
            sizes[f"the slope of {node.op.name}"].append(local)
        elif recording.node(other).op is LEAF:
            sizes["a weight"].append(local)
            weights.append(other)
        else:
            sizes["another factor"].append(local)
    decades = {kind: sum(map(log10, each)) for kind, each in sizes.items()}
    ordered = sorted(sizes, key=lambda kind: -abs(decades[kind]))
    told = []
    for kind in [each for each in ordered if each == ordered[0] or len(sizes[each]) > 1][:2]:
        names = f"{listed(recording, weights, 2)}; " if kind == "a weight" else ""
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
