"""The debugger in a real terminal: a pty, without Textual's own pilot."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from terminals import PROGRAM, Terminal, plain, showing, termios

ALTERNATE, ORDINARY = b"\x1b[?1049h", b"\x1b[?1049l"
HIDDEN, SHOWN = b"\x1b[?25l", b"\x1b[?25h"
MOUSE_OFF = b"\x1b[?1000l"


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
