"""The decision boundary: what a network with two inputs answers all over the plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from textual.content import Content

from stepgrad.numbers import number
from stepgrad.replay.samples import Sample, response
from stepgrad.replay.state import State
from stepgrad.tui.render import ink

MARGIN = 0.25
"""How far the view reaches beyond the samples, as a share of their spread."""

_TARGETS = {True: "●", False: "○"}
_BLOCKS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
"""Whether the answer is above the middle in the upper and in the lower half of a cell."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """An interval divided into `places`; each place stands for the number in its middle."""

    low: float
    high: float
    places: int

    @classmethod
    def around(cls, numbers: Sequence[float], places: int) -> _Axis:
        low, high = min(numbers), max(numbers)
        margin = (high - low) * MARGIN or 1.0
        return cls(low - margin, high + margin, places)

    def __getitem__(self, place: int) -> float:
        return self.low + (place + 0.5) * (self.high - self.low) / self.places

    def place(self, number: float) -> int:
        share = (number - self.low) / (self.high - self.low)
        return min(int(share * self.places), self.places - 1)


def boundary(state: State, samples: Sequence[Sample], width: int, height: int) -> list[Content]:
    """Draw the answer over the plane of two inputs in `height` lines of cells, below a legend.

    The area is filled where the first output is above the middle of the targets (above 0 without
    targets). The samples are circles, filled where the target is above; one that is answered
    wrongly is a cross in reverse video. Empty unless the network has two inputs, and all of its
    functions are known.
    """
    if not samples or any(len(sample.inputs) != 2 for sample in samples) or height < 2:
        return []
    first = state.recording.history.first_value
    points = [(first(sample.inputs[0]), first(sample.inputs[1])) for sample in samples]
    targets = [first(sample.targets[0]) for sample in samples if sample.targets]
    low, high = (min(targets), max(targets)) if targets else (-1.0, 1.0)
    middle, reach = (low + high) / 2, (high - low) / 2 or 1.0
    across = _Axis.around([x for x, _ in points], width)
    up = _Axis.around([y for _, y in points], 2 * height)
    respond = response(state, samples[0], samples[0].outputs[0])
    if respond is None:
        return []

    def answer(x1: float, x2: float) -> float:
        """How far the answer is from the middle; the targets are at −1 and 1."""
        return (respond(x1, x2) - middle) / reach

    cells = [
        [
            _cell(*(answer(across[x], up[2 * (height - y) - half]) for half in (1, 2)))
            for x in range(width)
        ]
        for y in range(height)
    ]
    mistakes = False
    for (x1, x2), sample in zip(points, samples, strict=True):
        x, y = across.place(x1), height - 1 - up.place(x2) // 2
        above = bool(sample.targets) and first(sample.targets[0]) > middle
        answered = answer(x1, x2)
        known = isfinite(answered)
        wrong = known and bool(sample.targets) and (answered > 0) is not above
        style = f"{ink.NAME} on {ink.shade(answered)}" if known else ink.NAME
        cells[y][x] = (ink.MISTAKE, f"reverse {style}") if wrong else (_TARGETS[above], style)
        mistakes |= wrong
    legend = _legend(number(middle), width, targets=bool(targets), mistakes=mistakes)
    return [legend, *(ink.line(*row) for row in cells)]


def _legend(middle: str, width: int, *, targets: bool, mistakes: bool) -> Content:
    """Say what areas, circles and crosses are; and, where there is room, the axes."""
    cross: list[ink.Span] = [(ink.MISTAKE, "reverse"), (" wrong", ink.QUIET)] if mistakes else []
    airy, dense = (_signs(middle, gap, targets=targets) for gap in (" ", ""))
    ways: Sequence[Sequence[ink.Span]] = (
        [*airy, *_after("  ", cross), ("  x1 →  x2 ↑", ink.QUIET)],
        [*airy, *_after("  ", cross)],
        [*dense, *_after(" ", cross)],
        [*_sides(middle), *_after(" ", cross)],
        [*cross, *_after(" ", dense)],
    )
    lines = [ink.line(*way) for way in ways]
    return next((line for line in lines if line.cell_length <= width), lines[-1]).truncate(
        width, ellipsis=True
    )


def _signs(middle: str, gap: str, *, targets: bool) -> list[ink.Span]:
    above, below = (f"{gap}{_TARGETS[side]}t{gap}" if targets else gap for side in (True, False))
    return [
        ("█", ink.shade(1.0)), (f"y{above}>{middle}{gap} ", ink.QUIET),
        ("█", ink.shade(-1.0)), (f"y{below}<{middle}", ink.QUIET),
    ]  # fmt: skip


def _sides(middle: str) -> list[ink.Span]:
    """The two sides in the fewest cells: their colours and circles."""
    return [
        ("█", ink.shade(1.0)), (f"{_TARGETS[True]}>{middle} ", ink.QUIET),
        ("█", ink.shade(-1.0)), (f"{_TARGETS[False]}<{middle}", ink.QUIET),
    ]  # fmt: skip


def _after(gap: str, spans: Sequence[ink.Span]) -> list[ink.Span]:
    return [(gap, ""), *spans] if spans else []


def _cell(upper: float, lower: float) -> ink.Span:
    """Draw a cell: two answers, one above the other."""
    if not (isfinite(upper) and isfinite(lower)):
        return "!", ink.BROKEN
    match _BLOCKS[upper > 0, lower > 0]:
        case "▄":
            return "▄", f"{ink.shade(lower)} on {ink.shade(upper)}"
        case "█":
            return "█", ink.shade(upper)
        case block:
            return block, f"{ink.shade(upper)} on {ink.shade(lower)}"
