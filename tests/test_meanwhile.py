"""How far a program is, on a terminal: shown in silence, and never among what it prints."""

from __future__ import annotations

import os
import re
import select
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from forks import forked
from stepgrad.recording.recording import Recording

pty = pytest.importorskip("pty")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

PATIENCE = 30.0
COLUMNS = 100
SAID = re.compile(r"train\.py: [\d,]+ backward pass(es)?, [\d,]+ nodes?, \d+ s \(Ctrl\+C [^)]*\)")

BEGIN = """
import os, sys, time
from stepgrad import Value
x = Value(2.0, label="x")
def work(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        (x * x).backward()
        time.sleep(0.02)
"""


class Screen:
    """A terminal with a command of ours in it, which runs `train.py`."""

    def __init__(self, folder: Path, text: str, *command: str, err: str = "") -> None:
        (folder / "train.py").write_text(f"{BEGIN}{text}\n", encoding="utf-8")
        self.fd, self.other = pty.openpty()
        fcntl.ioctl(self.other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        self.seen = ""
        tty = os.ttyname(self.other)
        streams = [tty, tty, err or tty]
        self.process = forked(*command, "train.py", cwd=folder, streams=streams)

    def read(self) -> None:
        if select.select([self.fd], [], [], 0.1)[0]:
            self.seen += os.read(self.fd, 1 << 16).decode()

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            self.read()

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def status(self) -> int:
        end = time.monotonic() + PATIENCE
        while (status := self.process.poll()) is None:
            assert time.monotonic() < end, self.seen
            self.read()
        while select.select([self.fd], [], [], 0.1)[0]:
            self.read()
        return status

    @property
    def rows(self) -> Sequence[str]:
        """What a person sees in the end: `\\r` goes back, and what follows paints over."""
        rows = []
        for row in self.seen.replace("\r\n", "\n").split("\n"):
            cells: list[str] = []
            for part in row.split("\r"):
                cells[: len(part)] = part
            rows.append("".join(cells).rstrip())
        return rows

    def close(self) -> None:
        self.process.kill()
        os.close(self.fd)
        os.close(self.other)


@contextmanager
def showing(folder: Path, text: str, *command: str, err: str = "") -> Iterator[Screen]:
    screen = Screen(folder, text, *command, err=err)
    try:
        yield screen
    finally:
        screen.close()


def test_a_line_comes_in_silence_and_is_gone_before_the_program_prints(tmp_path: Path) -> None:
    text = "print('one')\nwork(2)\nprint('two')\nwork(0.1)\nprint('three', file=sys.stderr)"
    with showing(tmp_path, text, "record") as screen:
        assert screen.status() == 0
    shown = SAID.search(screen.seen)
    assert shown
    assert len(shown[0]) < COLUMNS
    assert "Ctrl+C saves what there is" in screen.seen
    assert screen.rows[:3] == ["one", "two", "three"]
    assert screen.rows[3].endswith(" bytes in train.stepgrad")
    assert screen.rows[4:] == [""]


@pytest.mark.parametrize("command", [["check"], ["diagnose"], ["run", "--at", "1"]])
def test_every_command_shows_it(command: Sequence[str], tmp_path: Path) -> None:
    with showing(tmp_path, "work(2)\nprint('end')", *command, err="") as screen:
        if command[0] == "run":
            screen.wait_for("Ctrl+C shows what there is")
            return
        assert screen.status() == 0
    assert "Ctrl+C examines what there is" in screen.seen
    assert screen.rows[0] == "end"


@pytest.mark.parametrize(
    "text",
    [
        "print('loss: ', end='', flush=True)\nwork(2)\nprint('1')",
        "for i in range(20):\n    work(0.1)\n    print(i)",
        "work(0.1)\nprint('asleep')\ntime.sleep(2)",
    ],
    ids=["a line is not whole", "it prints", "nothing is recorded"],
)
def test_there_is_no_line_where(text: str, tmp_path: Path) -> None:
    with showing(tmp_path, text, "record") as screen:
        assert screen.status() == 0
    assert not SAID.search(screen.seen)


def test_a_question_of_the_program_stands_alone(tmp_path: Path) -> None:
    text = "work(2)\nname = input('name? ')\nprint('hello', name)"
    with showing(tmp_path, text, "record") as screen:
        screen.wait_for("name? ")
        assert SAID.search(screen.seen)
        time.sleep(1.5)
        screen.type("Ada\n")
        assert screen.status() == 0
    assert screen.rows[:2] == ["name? Ada", "hello Ada"]


def test_there_is_none_where_stderr_is_no_terminal_or_for_the_ear(tmp_path: Path) -> None:
    err = tmp_path / "err"
    err.write_text("")
    with showing(tmp_path, "work(2)", "record", err=str(err)) as screen:
        assert screen.status() == 0
    assert screen.seen == ""
    assert not SAID.search(err.read_text(encoding="utf-8"))
    with showing(tmp_path, "work(2)\nprint('end')", "run", "--plain") as screen:
        screen.wait_for("end")
    assert not SAID.search(screen.seen)


def test_the_program_sees_nothing_of_it(tmp_path: Path) -> None:
    text = (
        "import threading\nprint(threading.active_count())\nwork(1.5)\n"
        "print(sys.stdout is sys.__stdout__, type(sys.stdout).__name__)\n"
        "child = os.fork()\n"
        "print('child' if not child else os.waitpid(child, 0)[1])\n"
        "if not child: sys.exit()\n"
        "sys.stdout.write(1)\n"
    )
    with showing(tmp_path, text, "record") as screen:
        assert screen.status() == 1
    assert screen.rows[:4] == ["1", "True TextIOWrapper", "child", "0"]
    assert "TypeError: write() argument" in screen.seen
    assert "meanwhile" not in screen.seen


@pytest.mark.parametrize("command", ["check", "diagnose", "record"])
def test_ctrl_c_keeps_what_was_recorded(command: str, tmp_path: Path) -> None:
    with showing(tmp_path, "work(60)", command) as screen:
        screen.wait_for("Ctrl+C")
        screen.type("\x03")
        assert screen.status() == 130
    assert "KeyboardInterrupt" in screen.seen
    if command == "record":
        assert Recording.load(tmp_path / "train.stepgrad").length > 0
    else:
        *_, last = (row for row in screen.rows if row.startswith("train.py"))
        assert "ok" in last or "pass" in last
        assert "nothing was recorded" not in screen.seen
