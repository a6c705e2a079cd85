"""How long the graph takes, and keys on a large one; without the terminal.

Run `python tests/benchmarks/layout.py`. It prints medians, of the time that the process has had the
processor, and the targets: a step of a [2, 4, 3, 1] network on four rows (some 250 nodes), laid out
and painted anew; what is near a node in a step of a small transformer, found, laid out and painted,
at a different node each time; and then, for each key in the debugger on that transformer, what its
command and all panels take: the worst that was seen.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise

from transformer import transformer

from stepgrad import MLP, Recording, record
from stepgrad.replay.commands.searching import SearchError, search
from stepgrad.replay.commands.table import BY_KEY
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.graph.folding import FoldedGraph
from stepgrad.replay.session import Session
from stepgrad.replay.state import State
from stepgrad.tui.app import DebuggerApp
from stepgrad.tui.render.graph import FRAMED, draw
from stepgrad.tui.screen.debugger import DebuggerScreen
from stepgrad.tui.widgets.panel import Panel

ROUNDS = 21
FRAMES = 33
"""Milliseconds of two frames."""

KEYS = "s s s n n N S f s n n S N s z d d u u z v j i i i o v down up G W A A F a a T t # # b c C"


def network() -> Recording:
    sizes = [2, 4, 3, 1]
    draw = random.Random(1)
    with record() as recording:
        model = MLP(
            [[[draw.gauss(0, 1) for _ in range(m)] for _ in range(n)] for m, n in pairwise(sizes)],
            [[0.0] * n for n in sizes[1:]],
            ["tanh"] * 3,
        )
        rows = [([a, b], a * b) for a in (-1.0, 1.0) for b in (-1.0, 1.0)]
        losses = [(model(inputs)[0] - target) ** 2 for inputs, target in rows]
        total = losses[0]
        for loss in losses[1:]:
            total = total + loss
        total.backward()
    return recording


def picture(state: State, nodes: Sequence[int]) -> None:
    """Lay some nodes out and paint them, with nothing kept from before."""
    graph = FoldedGraph(state.scene, frozenset())  # what is kept is kept on the graph
    draw(graph, tuple(nodes), FRAMED).paint(state, None)


def median(work: Callable[[int], object]) -> float:
    """Return the milliseconds of a piece of work, which takes the number of the round."""
    taken = []
    for number in range(ROUNDS):
        start = time.process_time()
        work(number)
        taken.append(time.process_time() - start)
    return statistics.median(taken) * 1e3


def report(what: str, taken: float, target: float) -> None:
    verdict = "" if taken <= target else "  MISSED"
    print(f"{what:<56}{taken:7.1f} ms (target: {target:.0f} or less){verdict}", flush=True)


def small() -> None:
    recording = network()
    state = State(recording, recording.length)
    taken = median(lambda _: picture(state, state.scene))
    report(f"{len(state.scene)} nodes laid out and painted", taken, 50)


def near(recording: Recording, nodes: int = 120) -> None:
    state = State(recording, recording.length * 3 // 4)
    scene = state.scene
    scene.consumers(scene[0])  # what is worked out once for a recording
    graph = FoldedGraph(scene, frozenset())

    def work(number: int) -> None:
        middle = scene[len(scene) * (number + 1) // (ROUNDS + 1)]
        found = graph.near(middle, nodes, nodes)
        assert len(found) == nodes
        picture(state, found)

    report(f"a neighbourhood of {nodes} nodes of {len(scene):,}", median(work), 20)


async def keys(recording: Recording) -> None:
    """Press keys; a key's time is that of its command, of its panels and of the lines they draw."""
    spent: dict[str, list[float]] = defaultdict(list)
    app = DebuggerApp(recording)
    async with app.run_test(size=(140, 45)) as pilot:
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, DebuggerScreen)
        for key in KEYS.split():
            command = BY_KEY[key]
            start = time.process_time()
            assert command.act
            screen.session = command.act(screen.now)
            for panel in screen.query(Panel):
                if panel.display:
                    panel.render_lines(panel.region.at_offset((0, 0)))
            spent[key].append((time.process_time() - start) * 1e3)
            await pilot.pause()
        for word in ("pos3", "loss", "nowhere"):
            start = time.process_time()
            with suppress(SearchError):
                screen.session = search(screen.now, word)
            spent[f"/{word}"].append((time.process_time() - start) * 1e3)
            await pilot.pause()
    for key, taken in spent.items():
        report(f"key {key}, {len(taken)} times, the slowest", max(taken), FRAMES)


def main() -> None:
    small()
    recording = transformer()
    assert Session.open(Cursor(recording)).folded
    near(recording)
    asyncio.run(keys(recording))


if __name__ == "__main__":
    main()
