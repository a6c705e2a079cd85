"""A nudge of a knob: the time to run the scenario again, and from the key to the last byte.

Run `python tests/benchmarks/knob.py`; the screen is a pty of 120×40. What is nudged is the first
parameter or input. The target, for scenarios of up to 10,000 events, is that a nudge takes 50 ms.
`python tests/benchmarks/knob.py SIDE` is one side, for the benchmark itself.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from screen import Terminal

from stepgrad.replay.commands.turning import COARSE, nudge
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.session import Session
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from stepgrad.scenario.load import ScenarioFile
from stepgrad.scenario.rerun import rerun

TARGET = 50.0
SIDES = ("chain_rule", "diagonal_flip", "network_stops", "a graph", "xor_tanh")
NUDGES = 20
STATEMENTS = 3_300


def scenario(side: str) -> ScenarioFile:
    """Return a lesson, or a graph of about 10,000 events, which is never compiled."""
    if side != "a graph":
        return open_scenario(side)
    statements = "".join(f"  - z{i} = tanh(z{i - 1} * w)\n" for i in range(1, STATEMENTS // 2 + 1))
    text = f"title: long\ninputs: {{z0: 0.5}}\nparams: {{w: 0.9}}\ngraph:\n{statements}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.yaml"
        path.write_text(f"{text}backward: z{STATEMENTS // 2}\n")
        return open_scenario(path)


def opened(file: ScenarioFile) -> Session:
    """Return a session at the end, with the first leaf selected."""
    recording = record_file(file)
    session = Session.open(Cursor(recording, recording.length), rerun(file))
    return session.select(0)


def alone(side: str) -> None:
    """Nudge without a screen."""
    session, taken = opened(scenario(side)), []
    events = session.recording.length
    for _ in range(NUDGES):
        start = time.perf_counter()
        session = nudge(session, step=COARSE)
        taken.append(time.perf_counter() - start)
    _print(f"run again, {side}", taken, events)


def keys(side: str) -> None:
    """Press the key on a screen."""
    name = record_file(scenario(side)).node(0).name or ""
    with Terminal(side, __file__) as terminal:
        terminal.until_silent(time.perf_counter(), silence=1.5)
        for key in ("G", "/", *name, "\r"):
            terminal.press(key)
        _print(f"key, {side}", [terminal.press("]") for _ in range(NUDGES)])


def _print(what: str, taken: list[float], events: int = 0) -> None:
    size = f"{events:,} events, " if events else ""
    told = f"{statistics.median(taken) * 1e3:8.1f} ms"
    print(f"{what:<32}{told} ({size}target: {TARGET:.0f})", flush=True)


def debugger(side: str) -> None:
    """One side."""
    from stepgrad.tui.app import DebuggerApp  # noqa: PLC0415 - the process is the benchmark

    file = scenario(side)
    DebuggerApp(record_file(file), file).run()


def main() -> None:
    """Measure everything, or be a side."""
    if len(sys.argv) > 1:
        debugger(sys.argv[1])
        return
    for side in SIDES:
        alone(side)
    for side in SIDES:
        keys(side)


if __name__ == "__main__":
    main()
