"""A recorded backward pass, held against other ways to the same derivatives.

Reverse mode is what was recorded. Forward mode comes to the same numbers with the same rules in
the other order; the complex step and the central difference need no rules at all; PyTorch, where
it is installed, has rules of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import isfinite, nan
from random import Random

from stepgrad.checking.passes import FAINTEST, GATE, Comparison, Pass, passes, relative
from stepgrad.checking.tangents import tangent_comparisons
from stepgrad.engine.dual import tangents
from stepgrad.engine.gradcheck import central_difference, complex_tangents
from stepgrad.engine.graph import Graph
from stepgrad.progress import advance
from stepgrad.recording.recording import Recording

TORCH_GATE = 1e-12
"""How far PyTorch may be off; it adds up the same terms, in about the same order."""

WORK = 500_000
"""Up to so many nodes times leaves, every leaf is checked by itself; beyond, in random sums."""

PROBES = 3
"""How many random sums."""


@dataclass(frozen=True, slots=True)
class _Difference:
    """How far a way is off at some leaves: at one, or in a random sum of several."""

    leaves: Sequence[int]
    relative: float
    own_error: float | None = None


def has_torch() -> bool:
    """Whether PyTorch is installed (`pip install 'stepgrad[torch]'`)."""
    return find_spec("torch") is not None


def verify(recording: Recording) -> list[Comparison]:
    """Hold a recording's gradients against every other way there is; says how far it is.

    Tangents are held against other ways to them. Nothing where there is neither. What is not finite
    cannot be compared, and is told.
    """
    checked = passes(recording)
    ways = [way for way in _WAYS if way.name != "PyTorch" or has_torch()]
    kinks = [each.title(place) for each in checked for place in each.kinks]
    comparisons = []
    for i, way in enumerate(ways if checked else ()):
        found: list[tuple[Pass, _Difference]] = []
        for j, each in enumerate(checked):
            advance(i * len(checked) + j, len(ways) * len(checked))
            found += [(each, difference) for difference in way.differences(each)]
        comparisons.append(_comparison(way, found, kinks))
    return [*comparisons, *tangent_comparisons(recording, GATE)]


@dataclass(frozen=True, slots=True)
class _Way:
    """Another way to the derivatives, and how far it may be off.

    `kinks` says what it makes of those, if it does not know our rules for them.
    """

    name: str
    limit: float | None
    differences: Callable[[Pass], Iterator[_Difference]]
    kinks: str = ""


def _comparison(
    way: _Way, found: Sequence[tuple[Pass, _Difference]], kinks: Sequence[str]
) -> Comparison:
    finite = [(each, difference) for each, difference in found if isfinite(difference.relative)]
    if not finite:
        return Comparison(way.name, 0, 0.0, way.limit, note="nothing finite to compare")
    at, worst = max(finite, key=lambda pair: pair[1].relative)
    leaf, *others = worst.leaves
    compared, skipped = _leaves(finite), _leaves(found) - _leaves(finite)
    notes = []
    if skipped:
        notes.append(f"{skipped} not finite, not compared")
    if kinks and way.kinks:
        named = list(dict.fromkeys(kinks))
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        notes.append(f"{way.kinks}: {', '.join(named[:3])}{more}")
    wrong = way.limit is not None and worst.relative > way.limit
    return Comparison(
        way.name,
        compared,
        worst.relative,
        way.limit,
        "a random sum of all" if others else at.title(leaf),
        "; ".join(notes),
        at.first_difference() if wrong else "",
        worst.own_error,
    )


def _leaves(found: Sequence[tuple[Pass, _Difference]]) -> int:
    """Count the gradients that differences are about."""
    return len({(id(each), leaf) for each, difference in found for leaf in difference.leaves})


def _by_tangents(
    tangents_of: Callable[[Graph, Mapping[int, float]], Sequence[float]],
) -> Callable[[Pass], Iterator[_Difference]]:
    """Compare leaf by leaf where that is not too much work, else in random sums."""

    def differences(each: Pass) -> Iterator[_Difference]:
        if len(each.leaves) * len(each.graph) <= WORK:
            for leaf in each.leaves:
                other = tangents_of(each.graph, {leaf: 1.0})[-1]
                yield _Difference([leaf], relative(each.gradients[leaf], other, each.sizes[leaf]))
        else:
            yield from _by_sums(each, tangents_of)

    return differences


def _by_sums(
    each: Pass, tangents_of: Callable[[Graph, Mapping[int, float]], Sequence[float]]
) -> Iterator[_Difference]:
    """Compare random sums, in which each gradient counts in units of its own terms.

    So a small one that is wrong is not lost among large ones.
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
        other = tangents_of(each.graph, seeds)[-1]
        yield _Difference(finite, abs(ours - other) / unit)


def _central(each: Pass) -> Iterator[_Difference]:
    graph, sizes, leaves = each.graph, each.sizes, each.leaves
    most = max(WORK // len(graph), 1)
    for leaf in leaves[:: -(-len(leaves) // most)] if leaves else ():
        slope = central_difference(graph, leaf)
        yield _Difference(
            [leaf],
            relative(each.gradients[leaf], slope.value, sizes[leaf]),
            slope.error / max(sizes[leaf], abs(slope.value), FAINTEST),
        )


def _pytorch(each: Pass) -> Iterator[_Difference]:
    from stepgrad.checking.pytorch import torch_gradients  # noqa: PLC0415 - an extra, and slow

    theirs = torch_gradients(each.graph)
    for leaf in each.leaves:
        yield _Difference([leaf], relative(each.gradients[leaf], theirs[leaf], each.sizes[leaf]))


_WAYS = (
    _Way("forward mode", GATE, _by_tangents(tangents)),
    _Way("complex step", GATE, _by_tangents(complex_tangents), "kinks, taken as the rules do"),
    _Way("central differences", None, _central, "kinks, where it takes the mean of both sides"),
    _Way("PyTorch", TORCH_GATE, _pytorch),
)
