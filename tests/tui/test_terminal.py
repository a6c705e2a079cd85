"""The debugger in a real terminal: a pty, without Textual's own pilot."""

from __future__ import annotations

import os
import re
import select
import signal
import struct
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from forks import SCREEN, Fork, forked
from processes import python
from stepgrad.recording.recording import Recording

pty = pytest.importorskip("pty")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

PATIENCE = 30.0
ALTERNATE, ORDINARY = b"\x1b[?1049h", b"\x1b[?1049l"
HIDDEN, SHOWN = b"\x1b[?25l", b"\x1b[?25h"
MOUSE_OFF = b"\x1b[?1000l"

PROGRAM = "import sys; sys.argv[1:] = ['run', 'two_layer']; import stepgrad.__main__"
FAREWELL = f"import sys; sys.stderr = open({{!r}}, 'w'); {PROGRAM}"
"""What is said at the end goes to a file; the screen itself is drawn on `sys.__stderr__`."""


class Terminal:
    """A terminal of 80×24 with stepgrad in it; `seen` is everything that came out.

    A `program` is started as Python starts it, and perhaps the terminal does not control it, so
    that it gets no signal from it; a command of ours is forked.
    """

    def __init__(self, *command: str | Path, program: str = "", controls: bool = True) -> None:
        self.fd, self.other = pty.openpty()
        self.ends = [self.fd, self.other]
        self.resize(80, 24)
        self.modes = termios.tcgetattr(self.other)
        self.seen = b""
        self.process = self._started(program, controls) if program else self._forked(command)

    def _started(self, program: str, controls: bool) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            python("-c", program, terminal=controls),
            stdin=self.other,
            stdout=self.other,
            stderr=self.other,
            start_new_session=True,
            env=os.environ | {"TERM": "xterm-256color"},
        )

    def _forked(self, command: Sequence[str | Path]) -> Fork:
        streams = [os.ttyname(self.other)] * 3
        return forked(*command, cwd=Path.cwd(), streams=streams, imported=SCREEN)

    def close(self) -> None:
        """End what still runs, and let go of the terminal."""
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the terminal, as its window does."""
        while self.ends:
            os.close(self.ends.pop())

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, key: str) -> int:
        """Press a key; return how much had come out before."""
        os.write(self.fd, key.encode())
        return len(self.seen)

    def read(self, patience: float) -> bytes:
        if not select.select([self.fd], [], [], patience)[0]:
            return b""
        more = os.read(self.fd, 1 << 16)
        self.seen += more
        return more

    def wait_for(self, text: str, since: int = 0) -> None:
        """Read until a text has come out after `since`, whatever colours it has."""
        end = time.monotonic() + PATIENCE
        while text not in plain(self.seen[since:]):
            assert time.monotonic() < end, f"{text!r} is not in {plain(self.seen[since:])!r}"
            self.read(0.2)

    def drain(self) -> None:
        while self.read(0.3):
            pass

    def status(self) -> int:
        """Read until the program ends: it could not end while its output is not read."""
        end = time.monotonic() + PATIENCE
        while (status := self.process.poll()) is None:
            assert time.monotonic() < end, f"it does not end: {plain(self.seen)[-500:]!r}"
            self.read(0.1)
        return status


def plain(output: bytes) -> str:
    text = re.sub(rb"\x1b\[[0-9;:<=>?]*[ -/]*[@-~]|\x1b[=>78]", b"", output)
    return text.decode(errors="replace")


@contextmanager
def showing(*command: str | Path, program: str = "", controls: bool = True) -> Iterator[Terminal]:
    """A terminal with a command, or with a program, in it."""
    terminal = Terminal(*command, program=program, controls=controls)
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with showing("run", "two_layer") as terminal:
        yield terminal


def test_start_step_resize_quit() -> None:
    with showing(program=PROGRAM) as terminal:
        terminal.wait_for("chain rule")
        terminal.wait_for("0/26")
        assert ALTERNATE in terminal.seen
        terminal.drain()

        since = terminal.press("s")
        terminal.wait_for("x = 3", since)

        since = len(terminal.seen)
        terminal.resize(140, 45)
        os.kill(terminal.process.pid, signal.SIGWINCH)
        terminal.wait_for("two_layer.yaml", since)  # the header is painted again
        terminal.wait_for("1/26", since)
        terminal.drain()
        assert f"{'':─<60}" in plain(terminal.seen[since:])

        terminal.press("q")
        assert terminal.status() == 0
        terminal.drain()
        assert_restored(terminal)


@pytest.mark.parametrize(("name", "status"), [("SIGTERM", -15), ("SIGHUP", -1), ("SIGINT", 130)])
@pytest.mark.parametrize("where", ["26", "gallery"])
def test_a_signal_ends_it_with_the_terminal_restored(name: str, status: int, where: str) -> None:
    gallery = where == "gallery"
    with showing("run", *([] if gallery else ["two_layer"])) as terminal:
        terminal.wait_for("Gears" if gallery else "0/26")
        terminal.drain()
        os.kill(terminal.process.pid, getattr(signal, name))
        assert terminal.status() == status
        terminal.drain()
        assert_restored(terminal)


def assert_restored(terminal: Terminal) -> None:
    assert "Traceback" not in plain(terminal.seen)
    for on, off in ((ALTERNATE, ORDINARY), (HIDDEN, SHOWN)):
        assert terminal.seen.rfind(off) > terminal.seen.rfind(on)
    assert MOUSE_OFF in terminal.seen
    assert termios.tcgetattr(terminal.other) == terminal.modes


def test_keys_that_come_in_one_read(terminal: Terminal) -> None:
    terminal.wait_for("0/26")
    terminal.drain()
    since = terminal.press(":5\r\r")
    terminal.wait_for("5/26", since)
    since = terminal.press("p12\r\rs")
    terminal.wait_for("8/26", since)
    terminal.press("q")
    assert terminal.status() == 0
    terminal.drain()
    assert "Traceback" not in plain(terminal.seen)


def test_a_terminal_that_closes_ends_the_debugger(tmp_path: Path) -> None:
    words = tmp_path / "stderr"
    with showing(program=FAREWELL.format(str(words))) as terminal:
        terminal.wait_for("chain rule")
        terminal.hang_up()
        terminal.process.wait(10)
        assert words.read_text() == ""


DEAF = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
"""As nohup starts a program."""


@pytest.mark.parametrize("plays", [False, True])
@pytest.mark.parametrize(("deaf", "status"), [("", -1), (DEAF, 0)])
def test_a_terminal_that_goes_without_a_signal_ends_the_debugger(
    deaf: str, status: int, plays: bool
) -> None:
    with showing(program=deaf + PROGRAM, controls=bool(deaf)) as terminal:
        terminal.wait_for("chain rule")
        if plays:  # then much is written to what is no longer there
            since = terminal.press("+++ ")
            terminal.wait_for("playing, 16 events", since)
        terminal.hang_up()
        assert terminal.process.wait(10) == status


OUTLIVES = """
import os, sys, time
import stepgrad
x = stepgrad.Value(3.0, label="x")
y = x * x
{}
while os.isatty(0):
    time.sleep(0.01)
open(sys.argv[1], "w").write("went on")
"""


@pytest.mark.parametrize("shown", [False, True])
def test_a_program_that_outlives_its_terminal_ends_without_a_screen(
    shown: bool, tmp_path: Path
) -> None:
    path, note = tmp_path / "outlives.py", tmp_path / "note"
    path.write_text(OUTLIVES.format("stepgrad.debug()" if shown else "print('ready')"))
    words = ["run", str(path), str(note)]
    program = f"{DEAF}import sys; sys.argv[1:] = {words!r}; import stepgrad.__main__"
    with showing(program=program) as terminal:
        terminal.wait_for("2/2" if shown else "ready\r\n")
        terminal.hang_up()
        assert terminal.process.wait(10) == 0
        assert note.read_text() == "went on"


KEPT = """
import stepgrad
x = stepgrad.Value(3.0, label="x")
(x * x).backward()
stepgrad.debug()
"""


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("closes", [True, False])
def test_what_was_recorded_is_saved_when_the_debugger_has_to_end(
    closes: bool, number: signal.Signals, tmp_path: Path
) -> None:
    path, saved = tmp_path / "kept.py", tmp_path / "kept.stepgrad"
    path.write_text(KEPT)
    with showing("record", "-o", saved, path) as terminal:
        terminal.wait_for("5/5")
        if closes:
            terminal.hang_up()  # it sends a signal of its own
        with suppress(ProcessLookupError):
            terminal.process.send_signal(number)
        status = terminal.process.wait(PATIENCE) if closes else terminal.status()
        assert status in ((129, 128 + number) if closes else (128 + number,))
        assert Recording.load(saved).length == 5


LONG = """
title: A long training
network: {sizes: [2, 4, 1], activation: tanh, init: {seed: 1, weights: [-1, 1], bias: 0.0}}
data: {inputs: [[0, 0], [0, 1], [1, 0], [1, 1]], targets: [-1, 1, 1, -1]}
loss: sum_squared_error
train: {steps: 1000000, optimizer: sgd, learning_rate: 0.05}
"""


def test_a_long_training_is_there_at_once_and_can_be_left_at_once(tmp_path: Path) -> None:
    path = tmp_path / "long.yaml"
    path.write_text(LONG, encoding="utf-8")
    with showing("run", path) as terminal:
        terminal.wait_for("R stops")
        since = terminal.press("s")
        terminal.wait_for("w1 = ", since)
        terminal.press("q")
        assert terminal.status() == 0
        terminal.drain()
        assert "Traceback" not in plain(terminal.seen)


def test_an_error_that_shows_in_the_first_pass_is_told_without_a_screen(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(LONG + "expect: {values: {nobody: 1.0}}\n", encoding="utf-8")
    with showing("run", path) as terminal:
        terminal.wait_for("wrong.yaml:7:19: unknown name `nobody`")
        assert terminal.status() == 2
        assert ALTERNATE not in terminal.seen


OWN = """
import stepgrad
x = stepgrad.Value(float(input("number? ")), label="x")
y = x * x
stepgrad.debug()
y.backward()
print("it is", x.grad)
raise SystemExit(3)
"""


def test_a_program_of_ones_own_and_the_debugger_in_the_midst_of_it(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    with showing("run", path) as terminal:
        terminal.wait_for("number? ")
        terminal.press("3\n")
        terminal.wait_for("2/2")  # debug() shows what happened last
        terminal.wait_for("own.py:4")
        terminal.drain()
        since = terminal.press("q")
        terminal.wait_for("it is 6.0", since)
        terminal.wait_for("5/5", since)  # it did not end well: this is where
        terminal.drain()
        terminal.press("q")
        assert terminal.status() == 3
        terminal.drain()
        assert "Traceback" not in plain(terminal.seen)
        assert terminal.seen.count(ALTERNATE) == terminal.seen.count(ORDINARY) == 2
        assert termios.tcgetattr(terminal.other) == terminal.modes
