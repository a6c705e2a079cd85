"""A terminal that goes away: the debugger ends with it, and loses nothing."""

from __future__ import annotations

import signal
from contextlib import suppress
from pathlib import Path

import pytest

from stepgrad.recording.recording import Recording
from terminals import PATIENCE, PROGRAM, showing

FAREWELL = f"import sys; sys.stderr = open({{!r}}, 'w'); {PROGRAM}"
"""What is said at the end goes to a file; the screen itself is drawn on `sys.__stderr__`."""


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
