"""Contributions that cancel: `cancels`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from math import fsum, log10

from stepgrad.diagnosis.survey import Pass, Survey
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.diagnosis.wording import listed
from stepgrad.engine.ops import DIV, LOG, LOG1P, POW, SQRT
from stepgrad.numbers import number
from stepgrad.recording.blocks import Backward
from stepgrad.recording.foreign.rounded import spacing
from stepgrad.replay.telling.titles import title

_LEFT = 2**-26
"""Half of the digits of a float."""

_UNIT = 2**-53  # the relative error of one rounding in our numbers
_ROUNDED = 16  # how often each contribution has been rounded, about
_SHAPES = 2  # of passes, the most frequent ones
_PASSES = 8  # of a shape
_SHOWN = 4
_DIGITS = 16

_STEEP = bytes(code in {op.code for op in (DIV, POW, LOG, LOG1P, SQRT)} for code in range(256))
"""For `bytes.translate`: 1 for operations with derivatives that may exceed all numbers around."""


@dataclass(frozen=True, slots=True)
class _Sum:
    """What a leaf receives in a pass.

    Args:
        edges: the edges that end there.
        parts: what comes over each.
    """

    leaf: int
    edges: Sequence[int]
    parts: Sequence[float]

    @property
    def size(self) -> float:
        """The size of all parts together."""
        return fsum(map(abs, self.parts))

    @property
    def left(self) -> float:
        """What is left of them, as the engine adds them up."""
        return sum(self.parts)

    @property
    def cancels(self) -> bool:
        """Whether at most half of the digits are left."""
        return len(self.parts) > 1 and abs(self.left) <= _LEFT * self.size > 0

    @property
    def exact(self) -> bool:
        """Whether they cancel without a rest: none was swallowed while they were added up."""
        return fsum(self.parts) == 0 == self.left


def cancels(survey: Survey) -> Iterator[Verdict]:
    """Contributions to a parameter cancel in every pass, and little is left."""
    found: dict[int, tuple[Pass, _Sum]] = {}
    for passes in survey.shapes[:_SHAPES]:
        for each in _cancelling(survey, passes[0]):
            if _again(survey, passes, each):
                found.setdefault(each.leaf, (passes[0], each))
    unit = max(_UNIT, spacing(survey.recording.remarks) / 2)
    notes = [each for each in found.values() if _harmless(*each, unit)]
    lost = [each for each in found.values() if not _harmless(*each, unit)]
    if lost:
        yield _verdict(survey, lost)
    if notes:
        yield _note(survey, notes)


def _again(survey: Survey, passes: Sequence[Pass], first: _Sum) -> bool:
    """Whether it cancels in later passes, too: at a minimum, gradients may."""
    step = max(1, len(passes) // _PASSES)
    return all(_sum(survey, each.block, first).cancels for each in (*passes[::step], passes[-1]))


def _harmless(which: Pass, each: _Sum, unit: float) -> bool:
    """Whether it is 0 by symmetry, or noise that is nothing beside what others receive.

    `unit` is the relative error of one rounding in the numbers of the program.
    """
    if each.exact:
        return True
    noise = unit * each.size * (len(each.parts) + _ROUNDED)
    others = (abs(grad) for leaf, grad in which.gradients.items() if leaf != each.leaf)
    left = max(abs(each.left), abs(fsum(each.parts)))
    return left <= min(noise, _LEFT * max(others, default=0.0))


def _sum(survey: Survey, block: Backward, like: _Sum) -> _Sum:
    history = survey.recording.history
    return _Sum(like.leaf, like.edges, [history.edge(block, edge)[2] for edge in like.edges])


def _cancelling(survey: Survey, which: Pass) -> Iterator[_Sum]:
    """Yield the sums of a pass that cancel, at parameters; where nothing is trained, at leaves."""
    block = which.block
    suspects = _suspects(survey, which)
    edges: dict[int, list[int]] = defaultdict(list)
    receivers = block.sweep.receivers
    for edge in compress(range(len(receivers)), map(suspects.__contains__, receivers)):
        edges[receivers[edge]].append(edge)
    for place, incoming in edges.items():
        each = _sum(survey, block, _Sum(suspects[place], incoming, ()))
        if each.cancels:
            yield each


def _suspects(survey: Survey, which: Pass) -> Mapping[int, int]:
    """The places of leaves whose contributions may cancel: a bound on their size allows it.

    The bound is cheap: the largest upstream gradient times the largest number around.
    """
    block, history = which.block, survey.recording.history
    sweep, computed, start = block.sweep, block.sweep.computed, block.start
    ends = [receiver >= computed for receiver in sweep.receivers]
    receivers = [*compress(sweep.receivers, ends)]
    count = Counter(receivers)
    outs = compress(sweep.outs, ends)
    steep = {*compress(receivers, map(sweep.codes.translate(_STEEP).__getitem__, outs))}
    written = (history.value(node, start) or 0.0 for node in history.index.updated())
    values = chain(written, *(forward.values for forward in block.over))
    largest = max(map(abs, block.grads[:computed]), default=0.0) * max(1.0, *map(abs, values))
    found = {}
    for leaf, grad in survey.received(which).items():
        place = block.column(leaf)
        assert place is not None, "the pass has reached it"
        if (
            count[place] > 1
            and (not survey.parameters or leaf in survey.parameters)
            and (place in steep or abs(grad) <= _LEFT * count[place] * largest)
        ):
            found[place] = leaf
    return found


def _verdict(survey: Survey, found: Sequence[tuple[Pass, _Sum]]) -> Verdict:
    which, worst = min(found, key=lambda each: abs(each[1].left) / each[1].size)
    recording = survey.recording
    rest = [each.leaf for _, each in found if each is not worst]
    also = f"; so do those of {listed(recording, rest)}" if rest else ""
    digits = max(0, round(_DIGITS + log10(abs(worst.left) / worst.size))) if worst.left else 0
    text = (
        f"the {len(worst.parts)} contributions to the gradient of {title(recording, worst.leaf)} "
        f"cancel: the largest is {number(max(map(abs, worst.parts)))}, and their sum is "
        f"{number(worst.left)}, of which {digits} of 16 digits are right{also}"
    )
    advice = (
        "Take the difference before the large factors come in, as (a − b)·x in place of a·x − b·x, "
        "or rewrite the formula so that the large terms never meet."
    )
    nodes = [worst.leaf, *rest]
    return Verdict("cancels", text, advice, _largest(which, worst), nodes)


def _note(survey: Survey, found: Sequence[tuple[Pass, _Sum]]) -> Verdict:
    leaves = [each.leaf for _, each in found]
    which, first = found[0]
    text = (
        f"contributions to the gradient of {listed(survey.recording, leaves)} cancel by symmetry: "
        f"the largest is {number(max(map(abs, first.parts)))}, and their sum is "
        f"{number(first.left)}"
    )
    return Verdict("cancels", text, "", _largest(which, first), leaves, note=True)


def _largest(which: Pass, each: _Sum) -> list[int]:
    """The positions just after the largest parts arrive."""
    ordered = sorted(zip(each.parts, each.edges, strict=True), key=lambda part: -abs(part[0]))
    return [which.block.arrival(edge) for _, edge in ordered[:_SHOWN]]
