"""A terminal for tests: a pty with stepgrad in it, without Textual's own pilot."""

from __future__ import annotations

import os
import re
import select
import struct
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from forks import SCREEN, Fork, forked
from processes import python

pty = pytest.importorskip("pty")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

PATIENCE = 30.0

PROGRAM = "import sys; sys.argv[1:] = ['run', 'two_layer']; import stepgrad.__main__"


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
