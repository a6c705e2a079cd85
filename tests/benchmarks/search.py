"""Searches through a million events: for a condition that never holds, and for who wrote last.

Run `python tests/benchmarks/search.py`. One recording is a long training, one a single pass through
a network of 100,000 nodes. Each condition is also asked in the naive way, by a loop over
`recording.events`, on a part of the recording; both sides take turns. What is printed are seconds
for a million events, as medians, and the ratio; and those of the first search, which finds nothing
worked out yet. It is the processor's time: what else the machine does is not ours.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any

from recordings import one_pass, training

from stepgrad import Cursor, Recording
from stepgrad.recording.events import Accumulate, Mark, Seed, SetGrad, Update, ZeroGrad
from stepgrad.replay.commands import moving
from stepgrad.replay.session import Session
from stepgrad.replay.stops.language import Condition
from stepgrad.replay.stops.stop import find
from stepgrad.replay.telling.titles import short_title

EVENTS, PART, ROUNDS = 1_000_000, 5_000, 5
SEARCH_TARGET, WRITE_TARGET = 2.0, 50.0

Naive = Callable[[Recording, int, Any], bool]
_TO_GRADIENTS = Seed | Accumulate | ZeroGrad | SetGrad


def op_name(recording: Recording, event: Any) -> str:
    acting = event.out if isinstance(event, Accumulate) else event.node
    return recording.node(acting).op.name


NEVER: dict[str, Naive] = {
    "isnan(grad)": lambda _r, _i, e: isinstance(e, _TO_GRADIENTS) and math.isnan(e.after),
    "abs(grad) > 1e3": lambda _r, _i, e: isinstance(e, _TO_GRADIENTS) and abs(e.after) > 1e3,
    "before > 1e3": lambda _r, _i, e: (
        isinstance(e, _TO_GRADIENTS | Update) and e.before is not None and e.before > 1e3
    ),
    "abs(contribution) > 1e6": lambda _r, _i, e: (
        isinstance(e, Accumulate) and abs(e.contribution) > 1e6
    ),
    'op == "relu" and local == 0': lambda r, _i, e: (
        isinstance(e, Accumulate) and op_name(r, e) == "relu" and e.local == 0
    ),
    'op == "tanh" and local == 2': lambda r, _i, e: (
        isinstance(e, Accumulate) and op_name(r, e) == "tanh" and e.local == 2
    ),
    "value < -1e3": lambda r, i, e: (
        not isinstance(e, Mark) and (r.history.value(e.node, i + 1) or 0.0) < -1e3
    ),
    'node == "w1000"': lambda r, _i, e: (
        not isinstance(e, Mark) and short_title(r, e.node) == "w1000"
    ),
    'node == "w1 + w1"': lambda r, _i, e: (
        not isinstance(e, Mark) and short_title(r, e.node) == "w1 + w1"
    ),
    "position < 0": lambda _r, i, _e: i < 0,
}


def searched(recording: Recording, condition: str) -> float:
    """Return the seconds that a search takes, for a million events."""
    stop = Condition(condition)
    start = time.process_time()
    assert find(recording, [stop], 0, forward=True) is None
    return (time.process_time() - start) / recording.length * 1e6


def looped(recording: Recording, holds: Naive, part: range) -> float:
    """Return the seconds that a loop over events takes, for a million of them."""
    events = recording.events
    start = time.process_time()
    assert not any(holds(recording, index, events[index]) for index in part)
    return (time.process_time() - start) / len(part) * 1e6


def who_wrote(make: Callable[[], Recording]) -> float:
    """Return the milliseconds for the slowest answer to who wrote a gradient last.

    Nodes all over a new log are asked about from its end; what opening it takes is done before.
    """
    slowest = 0.0
    recording = make()
    recording.history.index.contexts()
    for node in range(0, recording.size, recording.size // 50):
        session = Session(Cursor(recording).seek(recording.length), selected=node)
        start = time.process_time()
        moving.previous_write(session)
        slowest = max(slowest, time.process_time() - start)
    return slowest * 1e3


def main() -> None:
    sides = {"training": lambda: training(EVENTS), "one pass": one_pass}
    for name, make in sides.items():
        recording = make()
        print(f"{name}: {recording.length:,} events in {len(recording.blocks):,} blocks")
        begin = recording.length * 2 // 3
        part = range(begin, begin + PART)
        for condition, holds in NEVER.items():
            rounds = [
                (searched(recording, condition), looped(recording, holds, part))
                for _ in range(ROUNDS)
            ]
            ours, theirs = (statistics.median(side) for side in zip(*rounds, strict=True))
            ratio = statistics.median(a / b for a, b in rounds)
            first = rounds[0][0]
            print(
                f"  {condition:<30}{ours:6.2f} s (first {first:.2f}), loop {theirs:7.2f} s: "
                f"{ratio:.3f} (target: {SEARCH_TARGET:.1f} s or less)",
                flush=True,
            )
        print(
            f"  who wrote last{'':<16}{who_wrote(make):6.2f} ms "
            f"(target: {WRITE_TARGET:.0f} ms or less)",
            flush=True,
        )


if __name__ == "__main__":
    main()
