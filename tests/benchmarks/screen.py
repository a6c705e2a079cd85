"""A key in the debugger, and its start, against a plain Textual app; on a pty of 120×40.

Run `python tests/benchmarks/screen.py`. It measures from a key to the last byte that comes of it,
and from the start of the process to the first paint; on the way there, to when all is loaded and
the terminal taken over, and after it, to when nothing is painted any more. The other side is an app
of eight `Static` panels that all change their text on every key. Both sides run at once and are
asked in turns, so that a busy machine slows both; what is printed are medians, and the median
ratio. Both run from compiled bytecode, as what is installed does, whatever the environment says.

`python tests/benchmarks/screen.py SIDE` is one side, for the benchmark itself.
"""

from __future__ import annotations

import fcntl
import os
import pty
import resource
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

STARTS = 15
ROWS, COLUMNS = 40, 120
FIRST_PAINT, KEY = 1.6, 1.5
"""The most that ours may take, as a multiple."""

SILENCE = 0.06
"""Seconds without output after which the answer to a key is taken to be complete."""

TAKEN = b"\x1b[?1049h"
"""What a terminal receives first: the switch to the alternate screen."""

STAGES = ("loaded", "first paint", "at rest")

MOST = 120
"""Seconds of the processor that a side may take."""

SIDES = ("two_layer", "xor_tanh", "50,000 nodes")
SCRIPT = "s" * 20 + "S" * 15 + "n" * 5 + "N" * 4 + "s" * 10 + "S" * 6
"""Keys of which each moves, in every recording: one that changes nothing has no answer."""


ENVIRONMENT = {
    "TERM": "xterm-256color",
    "COLORTERM": "truecolor",
    "PYTHONDONTWRITEBYTECODE": "",
}


def _limit() -> None:
    """End with the terminal, if a benchmark that is killed cannot see to it, and at any rate."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (MOST, MOST))


class Terminal:
    """A process on its own pty: one side of a benchmark, which may be another script."""

    def __init__(self, side: str, script: str = __file__) -> None:
        self.side = side
        self.fd, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, script, side],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=_limit,  # noqa: PLW1509 - a command in between would have to start as well
            env=os.environ | ENVIRONMENT,
        )
        os.close(theirs)
        self.seen = b""
        self.last = 0.0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.fd)

    def read(self, wait: float) -> bool:
        """Read what comes within this many seconds; return whether anything did."""
        if not select.select([self.fd], [], [], wait)[0]:
            return False
        self.seen += os.read(self.fd, 1 << 16)
        self.last = time.perf_counter()
        return True

    def until_silent(self, since: float, patience: float = 60.0, silence: float = SILENCE) -> float:
        """Read until nothing comes any more; return how long after `since` the last byte came."""
        if not self.read(patience):
            raise TimeoutError(f"{self.side} does not answer")
        while self.read(silence):
            pass
        return self.last - since

    def until(self, mark: bytes, since: float) -> float:
        """Read until a text comes; return how long after `since` that was."""
        while mark not in self.seen:
            if not self.read(60):
                raise TimeoutError(f"{self.side} does not paint")
        return self.last - since

    def press(self, key: str) -> float:
        """Press a key; return the seconds to the last byte of the answer."""
        start = time.perf_counter()
        os.write(self.fd, key.encode())
        return self.until_silent(start)


def keys(side: str) -> None:
    """Press keys on both sides in turns."""
    with Terminal("statics") as other, Terminal(side) as ours:
        for terminal in (other, ours):
            terminal.until_silent(time.perf_counter(), silence=1.5)
        theirs, own = [], []
        for key in SCRIPT:
            theirs.append(other.press(key))
            own.append(ours.press(key))
    _print(f"key, {side}", own, theirs, KEY)


def starts() -> None:
    """Start both sides in turns."""
    marks = {"two_layer": b"chain rule", "statics": b"panel 8"}
    taken: dict[str, list[list[float]]] = {side: [] for side in marks}
    for _ in range(STARTS + 1):
        for side, mark in marks.items():
            start = time.perf_counter()
            with Terminal(side) as terminal:
                loaded, painted = terminal.until(TAKEN, start), terminal.until(mark, start)
                while terminal.read(5 * SILENCE):
                    pass
                taken[side].append([loaded, painted, terminal.last - start])
    # The first start of each may have had to compile it.
    ours, theirs = (zip(*taken[side][1:], strict=True) for side in marks)
    for stage, own, others in zip(STAGES, ours, theirs, strict=True):
        _print(f"start, {stage}", own, others, FIRST_PAINT if stage == "first paint" else None)


def _print(what: str, ours: Sequence[float], theirs: Sequence[float], target: float | None) -> None:
    ratio = statistics.median(own / other for own, other in zip(ours, theirs, strict=True))
    print(
        f"{what:<20}{statistics.median(ours) * 1e3:8.1f} ms, statics "
        f"{statistics.median(theirs) * 1e3:8.1f} ms: {ratio:.2f}"
        + (f" (target: {target} or less)" if target else ""),
        flush=True,
    )


def statics() -> None:
    """The other side."""
    from textual.app import App, ComposeResult  # noqa: PLC0415 - the process is the benchmark
    from textual.containers import Grid  # noqa: PLC0415
    from textual.events import Key  # noqa: PLC0415
    from textual.widgets import Static  # noqa: PLC0415

    class Statics(App[None]):
        CSS = "Grid { grid-size: 2 4; } Static { border: solid green; }"

        def compose(self) -> ComposeResult:
            with Grid():
                for number in range(1, 9):
                    yield Static(f"panel {number}")

        def on_key(self, event: Key) -> None:
            self.pressed = getattr(self, "pressed", 0) + 1
            for number, panel in enumerate(self.query(Static), 1):
                line = f"panel {number}: {event.key}, key {self.pressed} "
                panel.update("\n".join(f"{line}{row}" for row in range(8)))

    Statics().run()


def debugger(side: str) -> None:
    """Our side."""
    if side != SIDES[2]:
        from stepgrad.cli import main as stepgrad  # noqa: PLC0415

        stepgrad(["run", side])
        return
    from stepgrad import Value, record  # noqa: PLC0415
    from stepgrad.tui.app import DebuggerApp  # noqa: PLC0415

    with record() as recording:
        weights = [Value(0.01 * i, label=f"w{i}") for i in range(100)]
        total = Value(0.0, label="total")
        for i in range(25_000):
            total = (total + weights[i % 100]) * weights[i % 7]
        total.backward()
    DebuggerApp(recording).run()


def main() -> None:
    starts()
    for side in SIDES:
        keys(side)


if __name__ == "__main__":
    if sys.argv[1:] == ["statics"]:
        statics()
    elif sys.argv[1:]:
        debugger(sys.argv[1])
    else:
        main()
