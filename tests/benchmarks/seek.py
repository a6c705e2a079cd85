"""Going anywhere in a log of 10 million events, and what 100 nodes hold there.

Run `python tests/benchmarks/seek.py`. The log is a training of a [2, 4, 4, 1] tanh network on the
four XOR rows. It prints how long the first questions take, which come with opening it; then, for
random positions and for a step from each, the median and the 99th percentile of the time it takes
to find the scene and the values and gradients of 100 nodes in it: the parameters, and those around
the cursor in the tape. At last it looks into the middle of one big backward pass, for the first
time and once more. It is the processor's time: what else the machine does is not ours.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from random import Random

from recordings import one_pass, repeated, training

from stepgrad import Cursor

EVENTS, SEEKS = 10_000_000, 3000
PARAMETERS, NEARBY = 37, 63
TARGET = 1.0


def main() -> None:
    recording = repeated(training(10_000), EVENTS)
    print(f"{recording.length:,} events in {len(recording.blocks):,} blocks")
    print(f"first value: {milliseconds(lambda: recording.history.value(0, 10)):6.1f} ms")
    print(f"the steps:   {milliseconds(lambda: recording.steps):6.1f} ms")
    draw = Random(1)
    seeks, steps = [], []
    for _ in range(SEEKS):
        cursor = Cursor(recording).seek(draw.randrange(recording.length))
        seeks.append(milliseconds(partial(show, cursor)))
        steps.append(milliseconds(partial(show, cursor.step())))
    for what, times in (("seek", seeks), ("step", steps)):
        last = statistics.quantiles(times, n=100)[98]
        print(
            f"{what}: p50 {statistics.median(times):.3f} ms, p99 {last:.3f} ms "
            f"(target: p99 of {TARGET} ms or less)"
        )
    recording = one_pass()
    block = recording.blocks[-1]
    cursor = Cursor(recording).seek(block.start + block.length // 2)
    first, again = (milliseconds(partial(show, cursor)) for _ in range(2))
    print(f"half of a pass over {block.length - 1:,} edges: {first:.1f} ms, then {again:.3f} ms")


def show(cursor: Cursor) -> None:
    """Ask for what the screen shows at a position."""
    state = cursor.state
    scene = state.scene
    here = scene.after(state.focus or 0)
    first = max(PARAMETERS, min(here - NEARBY // 2, len(scene) - NEARBY))
    for node in (*scene[:PARAMETERS], *scene[first : first + NEARBY]):
        state.value(node)
        state.grad(node)


def milliseconds(question: Callable[[], object]) -> float:
    start = time.process_time()
    question()
    return (time.process_time() - start) * 1e3


if __name__ == "__main__":
    main()
