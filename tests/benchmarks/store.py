"""Files of recordings: how small, how quick to save, to open and to look into; and their memory.

Run `python tests/benchmarks/store.py`. The other side of size is a line of JSON for each event.
That of opening is the start of the debugger on `two_layer`, to the first painted frame, on a pty.
What is recorded is a [2, 4, 4, 1] tanh network that learns XOR, and `scenarios/tiny_gpt.py`: about
50,000 nodes a step, of a different structure in nearly every step.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from gpt import script
from gpt import training as gpt_training
from screen import Terminal
from step import training

from stepgrad import Adam, Recording, Value, mark, record, record_scenario
from stepgrad.engine.ops import Op
from stepgrad.engine.tape import Rule

SAMPLE, LOOKS, STARTS = 5000, 200, 9
OPENING = 1.5


class Side(NamedTuple):
    """What is recorded, and how many bytes an event may take: in the file, and in memory."""

    name: str
    make: Callable[[int], Recording]
    steps: int
    on_disk: float
    in_memory: float


def xor(steps: int) -> Recording:
    with record() as recording:
        step = training(Value, by_hand=False)
        for number in range(steps):
            mark("step", number)
            step()
    return recording


def tiny_gpt(steps: int) -> Recording:
    """Each step shows another name, so most have a structure of their own."""
    module = script()
    with record() as recording:
        step = gpt_training(module, Adam)
        for number, name in enumerate(module.NAMES[:steps]):
            mark("step", number)
            step(name)
    return recording


def json_line(recording: Recording, index: int) -> str:
    event = recording.events[index]
    names = [name for name in event.__match_args__ if isinstance(name, str)]
    entries = {name: getattr(event, name) for name in names}
    plain = {"event": type(event).__name__} | entries
    return json.dumps(plain, separators=(",", ":"), default=_plain)


def _plain(entry: Op | Rule) -> object:
    return entry.name if isinstance(entry, Op) else asdict(entry)


def sizes_and_times(side: Side, path: Path) -> None:
    recording = side.make(side.steps)
    events = recording.length
    start = time.perf_counter()
    recording.save(path)
    saved = time.perf_counter() - start
    start = time.perf_counter()
    loaded = Recording.load(path)
    opened = time.perf_counter() - start
    assert loaded.length == events
    draw = random.Random(1)
    sample = [draw.randrange(events) for _ in range(SAMPLE)]
    lines = sum(len(json_line(recording, index)) + 1 for index in sample) / SAMPLE
    size = path.stat().st_size / events
    print(
        f"{side.name}: {events:,} events, {size:.2f} bytes an event (target: {side.on_disk} or "
        f"less); as JSON lines {lines:.0f}, {lines / size:.0f} times as much"
    )
    looks: list[float] = []
    for index in sample[:LOOKS]:
        fresh = Recording.load(path) if len(looks) < 5 else loaded
        start = time.perf_counter()
        _ = fresh.events[index]
        looks.append(time.perf_counter() - start)
    print(
        f"  saved in {saved:.2f} s, opened in {opened * 1e3:.0f} ms; an event at random: in a "
        f"file just opened {statistics.median(looks[:5]) * 1e3:.1f} ms, later "
        f"{statistics.median(looks[5:]) * 1e3:.2f} ms, at worst {max(looks[5:]) * 1e3:.1f} ms"
    )


def memory(side: Side) -> None:
    tracemalloc.start()
    recording = side.make(side.steps)
    held = tracemalloc.get_traced_memory()[0] / recording.length
    tracemalloc.stop()
    print(f"  {held:.1f} bytes of memory an event (target: {side.in_memory} or less)")


def opening(path: Path) -> None:
    """Open both in turns."""
    taken: dict[str, list[float]] = {"two_layer": [], str(path): []}
    for _ in range(STARTS):
        for side, mark_ in (("two_layer", b"chain rule"), (str(path), b"chain rule")):
            start = time.perf_counter()
            with Terminal(side, __file__) as terminal:
                taken[side].append(terminal.until(mark_, start))
    theirs, ours = (statistics.median(times) for times in taken.values())
    print(
        f"first frame of {path.stat().st_size / 1e6:.1f} MB {ours * 1e3:.0f} ms, of two_layer "
        f"{theirs * 1e3:.0f} ms: {ours / theirs:.2f} (target: {OPENING} or less)"
    )


def debugger(side: str) -> None:
    """One side of opening, in its own process."""
    from stepgrad.tui.app import DebuggerApp  # noqa: PLC0415 - the process is the benchmark

    os.environ["STEPGRAD_STATE"] = "off"
    is_file = side.endswith(".stepgrad")
    DebuggerApp(Recording.load(side) if is_file else record_scenario(side)).run()


def main() -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "recording.stepgrad")
        for side in (
            Side("XOR × 1000 steps", xor, 1000, on_disk=1.6, in_memory=8.0),
            Side("tiny_gpt × 10 steps", tiny_gpt, 10, on_disk=3.2, in_memory=13.0),
        ):
            sizes_and_times(side, path)
            memory(side)
        recording = xor(11_720)
        start = time.perf_counter()
        recording.save(path)
        print(f"{recording.length:,} events saved in {time.perf_counter() - start:.1f} s")
        opening(path)


if __name__ == "__main__":
    if sys.argv[1:]:
        debugger(sys.argv[1])
    else:
        main()
