"""A recorded backward pass, compared with other ways to compute the same derivatives.

Reverse mode is what was recorded. Run again on the values that the forward pass used, it must give
the same result; so must forward mode, with the same rules in the other order. Complex steps and
central differences need no derivative rules at all; PyTorch, if it is installed, has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from math import inf, isclose, isfinite, isnan, nan
from random import Random

from stepgrad.checking.by_hand import by_hand
from stepgrad.checking.by_rules import by_rules
from stepgrad.checking.chosen import passes
from stepgrad.checking.comparison import GATE, Comparison
from stepgrad.checking.passes import Pass
from stepgrad.checking.tangents import tangent_comparisons
from stepgrad.engine.closeness import FAINTEST, relative
from stepgrad.engine.dual import gradients, tangents
from stepgrad.engine.gradcheck import central_difference, rounding, slopes
from stepgrad.engine.graph import Edges
from stepgrad.numbers import number
from stepgrad.printable import few
from stepgrad.progress import advance
from stepgrad.recording.foreign.rounded import coarseness
from stepgrad.recording.recording import Recording

TORCH_GATE = 1e-12
"""How far PyTorch may differ; it adds up the same terms, in about the same order."""

WORK = 500_000
"""Check leaf by leaf up to this many nodes × leaves; beyond, in random sums."""

_GROSS = 0.01
"""How far a central difference may be off before it is held against a gradient: its own error is
far less, or it is not."""

_CHANGED = "skipped where values were changed in place: it only knows the current ones"

_UNKNOWN = "skipped: the program gives results of operations of its own, but no function"

_FIRMLY = 2
"""How many central differences, of different steps, it takes."""

PROBES = 3
"""The number of random sums."""

_TOLD = 3
"""The most remarks of a kind to show."""


@dataclass(frozen=True, slots=True)
class _Difference:
    """The relative difference at one leaf, or in a random sum of several.

    It is nan if there is nothing to compare. `odds` says how the way contradicts a gradient, and
    `note` what to know about one where numbers do not say it.
    """

    leaves: Sequence[int]
    relative: float
    own_error: float | None = None
    odds: str = ""
    note: str = ""


def has_torch() -> bool:
    """Whether PyTorch is installed (`pip install 'stepgrad[torch]'`)."""
    return find_spec("torch") is not None


def verify(recording: Recording) -> list[Comparison]:
    """Compare a recording's gradients and tangents with every other way; reports its progress.

    Empty if there are neither. Where the result of another way is not finite, there is nothing to
    compare with, and it is counted as skipped.
    """
    checked = passes(recording)
    ways = [way for way in _WAYS if way.name != "PyTorch" or has_torch()]
    comparisons = []
    for i, way in enumerate(ways if checked else ()):
        found: list[tuple[Pass, _Difference]] = []
        for j, each in enumerate(checked):
            advance(i * len(checked) + j, len(ways) * len(checked))
            found += [(each, difference) for difference in way.differences(each)]
        comparisons.append(_comparison(way.within(coarseness(recording.remarks)), checked, found))
    return [
        *comparisons,
        *tangent_comparisons(recording, GATE),
        *by_rules(recording),
        *by_hand(recording),
    ]


@dataclass(frozen=True, slots=True)
class _Way:
    """Another way to compute the derivatives, and how far it may differ.

    `special` are remarks on operations for which it has no answer of its own, each with what finds
    them. `recomputes` is whether it computes values again, and not as the program has rounded them.
    """

    name: str
    limit: float | None
    differences: Callable[[Pass], Iterator[_Difference]]
    special: Mapping[str, Callable[[Pass], Sequence[int]]] = field(default_factory=dict)
    recomputes: bool = False

    def within(self, rounding: float) -> _Way:
        """Return the same for a program whose own numbers are off by as much, relative to terms."""
        if self.limit is None or not self.recomputes:
            return self
        return replace(self, limit=max(self.limit, rounding))


def _comparison(
    way: _Way, checked: Sequence[Pass], found: Sequence[tuple[Pass, _Difference]]
) -> Comparison:
    notes = []
    for remark, places in way.special.items():
        special = dict.fromkeys(each.title(place) for each in checked for place in places(each))
        notes += [f"{remark}: {few([*special], _TOLD)}"] if special else []
    notes += dict.fromkeys(difference.note for _, difference in found if difference.note)
    note = few(notes, _TOLD, "; ")
    odds = few([difference.odds for _, difference in found if difference.odds], _TOLD, "; ")
    known = [(each, difference) for each, difference in found if not isnan(difference.relative)]
    compared = _leaves(known)
    skipped = _leaves(found) - compared
    if not known:
        return Comparison(way.name, len(checked), 0, skipped, 0.0, way.limit, note=note)
    at, worst = max(known, key=lambda pair: pair[1].relative)
    leaf, *others = worst.leaves
    where = "a random sum of all" if others else at.title(leaf)
    wrong = way.limit is not None and worst.relative > way.limit
    first = at.first_difference() if wrong else ""
    return Comparison(
        way.name, len(checked), compared, skipped,
        worst.relative, way.limit, where, note, first, worst.own_error, odds,
    )  # fmt: skip


def _leaves(found: Sequence[tuple[Pass, _Difference]]) -> int:
    """Count the gradients that were compared."""
    return len({(id(each), leaf) for each, difference in found for leaf in difference.leaves})


def _saved(each: Pass) -> Iterator[_Difference]:
    found = gradients(each.graph, each.as_computed)
    for leaf in each.leaves:
        yield _Difference([leaf], relative(each.gradients[leaf], found[leaf], each.sizes[leaf]))


def _ahead(edges: Callable[[Pass], Edges]) -> Callable[[Pass], Iterator[_Difference]]:
    """Compare leaf by leaf where that is not too much work, else in random sums."""

    def differences(each: Pass) -> Iterator[_Difference]:
        def derivative(seeds: Mapping[int, float]) -> float:
            return tangents(each.graph, seeds, edges(each))[-1]

        if len(each.leaves) * len(each.graph) <= WORK:
            for leaf in each.leaves:
                ours, other = each.gradients[leaf], derivative({leaf: 1.0})
                note = ""
                if isfinite(ours) and not isfinite(other):
                    note = f"{each.title(leaf)} is {number(ours)}, but {number(other)} this way"
                off = relative(ours, other, each.sizes[leaf])
                yield _Difference([leaf], off, note=note)
        else:
            yield from _by_sums(each, derivative)

    return differences


def _by_sums(
    each: Pass, derivative: Callable[[Mapping[int, float]], float]
) -> Iterator[_Difference]:
    """Compare random sums, in which each gradient is scaled by the size of its own terms.

    This way, a small wrong one is not lost among large ones.
    """
    sizes = {
        leaf: max(each.sizes[leaf], abs(each.gradients[leaf]), FAINTEST) for leaf in each.leaves
    }
    finite = [leaf for leaf, size in sizes.items() if isfinite(size)]
    for leaf in sizes.keys() - set(finite):
        yield _Difference([leaf], nan)
    unit, random = min(sizes[leaf] for leaf in finite) if finite else nan, Random(0)
    for _ in range(PROBES if finite else 0):
        seeds = {leaf: random.choice((-1, 1)) * unit / sizes[leaf] for leaf in finite}
        ours = sum(seed * each.gradients[leaf] for leaf, seed in seeds.items())
        other = derivative(seeds)
        off = abs(ours - other) / unit if isfinite(other) else nan  # on the way, it may overflow
        yield _Difference(finite, off)


def _central(each: Pass) -> Iterator[_Difference]:
    if each.unknown:
        yield _Difference([], nan, note=_UNKNOWN)
        return
    graph, sizes, leaves = each.graph, each.sizes, each.leaves
    root, again = graph.values[-1], graph.given({}).values[-1]
    if not (isclose(root, again, rel_tol=1e-9) or (isnan(root) and isnan(again))):
        yield _Difference([], nan, note=_CHANGED)
        return
    blurred = rounding(graph)
    most = max(WORK // len(graph), 1)
    for leaf in leaves[:: -(-len(leaves) // most)] if leaves else ():
        slope, ours = central_difference(graph, leaf, blurred), each.gradients[leaf]
        # Outside the domain there is no difference quotient.
        off = relative(ours, slope.value, sizes[leaf])
        own = slope.error / max(sizes[leaf], abs(slope.value), FAINTEST)
        told = "" if off <= _GROSS else _against(each, leaf)
        if isfinite(ours):
            yield _Difference([leaf], off, own, odds=told)
        else:  # it fails anyway, if it is not promised
            yield _Difference([leaf], off if told else nan, own, note=told)


def _against(each: Pass, leaf: int) -> str:
    """Say how central differences contradict a gradient; empty unless all with digits do."""
    ours, found = each.gradients[leaf], slopes(each.graph, leaf)
    if isfinite(ours):
        found = [slope for slope in found if slope.firm]
        near = (relative(ours, slope.value, each.sizes[leaf]) <= _GROSS for slope in found)
        if len(found) < _FIRMLY or any(near):
            return ""
    if not found:
        return ""
    best = min(found, key=lambda slope: slope.error)
    return f"{each.title(leaf)} has the slope {number(best.value)}, not {number(ours)}"


def _pytorch(each: Pass) -> Iterator[_Difference]:
    from stepgrad.checking.pytorch import torch_gradients  # noqa: PLC0415 - an extra, and slow

    if each.kept:  # it would get the current values
        yield _Difference([], nan, note=_CHANGED)
        return
    theirs = torch_gradients(each.graph)
    for leaf in each.leaves:
        ours, other = each.gradients[leaf], theirs[leaf]
        unlike = repr(ours) != repr(other) and not isfinite(other)
        off = inf if unlike else relative(ours, other, each.sizes[leaf])
        note = f"{each.title(leaf)} is {number(ours)} here, but {number(other)} there"
        yield _Difference([leaf], off, note=note if off == inf else "")


_WAYS = (
    _Way("saved values", GATE, _saved),
    _Way("forward mode", GATE, _ahead(lambda each: each.as_computed)),
    _Way(
        "complex steps",
        GATE,
        _ahead(lambda each: each.steps),
        {
            "at kinks and domain boundaries, by the rule": lambda each: each.unstepped,
            "by differences of its function": lambda each: each.differenced,
            "as given, because the function is not known": lambda each: each.unknown,
        },
        recomputes=True,
    ),
    _Way(
        "central differences",
        None,
        _central,
        {"at kinks, the mean of both sides": lambda each: each.kinks},
    ),
    _Way("PyTorch", TORCH_GATE, _pytorch, {"as stored": lambda each: each.own}, recomputes=True),
)
