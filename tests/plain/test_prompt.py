"""The prompt of `stepgrad run --plain`: lines on stdin, a terminal, Ctrl+C, exit statuses."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gates import PATIENCE
from processes import environment, run, stepgrad
from stepgrad import record_scenario
from stepgrad.cli import prompt
from stepgrad.cli.prompt import Interrupts, Typed, converse
from stepgrad.course.state import read_progress
from stepgrad.opening import open_typed
from stepgrad.plain.reader import Reader
from stepgrad.plain.talk import Answer, Talk
from stepgrad.progress import advance
from stepgrad.replay.commands.table import BY_NAME
from stepgrad.replay.lesson.following import Lesson
from stepgrad.replay.lesson.steps import Step
from stepgrad.replay.telling.sentences import say
from stepgrad.scenario import gallery, open_scenario

pty = pytest.importorskip("pty")

PROGRAM = """
import sys
from stepgrad import Value
x = Value(float(input()), label="x")
y = x * x
y.backward()
sys.exit(3)
"""


def answers(*arguments: str | Path, stdin: str, status: int = 0) -> list[str]:
    result = run(stepgrad("run", "--plain", *arguments), stdin)
    assert result.returncode == status, result.stderr
    return result.stdout.splitlines()


def test_a_line_on_stdin_is_a_command() -> None:
    told = answers("two_layer", stdin="5n\nnonsense\ne\n\nw1 = 1\nq\ns\n")
    begun = told.index("s goes to the next event, question mark helps, q leaves.")
    assert told[begun + 1] == "Event 5 of 26, forward: w2 is 2."
    assert told[begun + 2] == "Lesson, step 2 of 5."
    assert told[begun + 5].startswith("There is no command nonsense.")
    assert told[begun + 6] == "w2 equals 2. What value instead?"
    assert told[begun + 8].startswith("w2 is 2, and only 0 and 1 flip")
    assert told[begun + 10].startswith("w1 0.5 to 1: loss ")


def test_without_a_line_every_event_is_told() -> None:
    recording = record_scenario("two_layer")
    told = answers("two_layer", stdin="")
    assert told[-recording.length :] == [say(recording, at) for at in range(recording.length)]


def test_it_opens_where_it_is_asked_to() -> None:
    assert "Event 9 of 26, forward: h is relu" in "\n".join(
        answers("two_layer", "--at", "h", stdin="q")
    )


def test_a_program_reads_its_own_lines_first_and_keeps_its_status(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    for rest in ("2\n", "2\nq\n"):
        told = answers(tmp_path / "program.py", stdin=f"7\n{rest}", status=3)
        assert "It is 7, and its gradient is 14." in told


def test_without_a_file_a_number_or_a_name_opens_a_lesson() -> None:
    told = answers(stdin="square\ns\nq\n1\nq\nno such lesson\nquit\n")
    assert "Event 1 of 4, forward: x is 3." in told
    assert told.count("Back in the list of lessons. An empty line reads it, q leaves.") == 2
    assert told[-2] == "No lesson matches no such lesson."


def test_bytes_that_are_no_text_are_no_command() -> None:
    command = stepgrad("run", "--plain", "two_layer")
    result = subprocess.run(command, input=b"s\n\xff\xfe\nG\n", capture_output=True, check=True,
                            env=environment(), timeout=PATIENCE)  # fmt: skip
    assert b"Event 26 of 26" in result.stdout


class Terminal:
    """A dumb terminal with the prompt in it; `seen` is everything that came out."""

    def __init__(self, *arguments: str | Path) -> None:
        self.fd, other = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            stepgrad("run", "--plain", *arguments, terminal=True),
            stdin=other, stdout=other, stderr=other, start_new_session=True,
            env=environment(TERM="dumb"),
        )  # fmt: skip
        os.close(other)

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def wait_for(self, text: str) -> None:
        """Read until a text has come out that has not been waited for before."""
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            assert time.monotonic() < end, f"{text!r} is not in {self.seen!r}"
            self._read()
        self.seen = self.seen.partition(text)[2]

    def press_ctrl_c(self) -> None:
        """Press it once the prompt waits: while it is printed, Python's readline is deaf."""
        self.wait_for("> ")
        while select.select([self.fd], [], [], 0.3)[0]:
            self._read()
        self.type("\x03")

    def status(self) -> int:
        end = time.monotonic() + PATIENCE
        while (status := self.process.poll()) is None:
            assert time.monotonic() < end, f"it does not end: {self.seen!r}"
            self._read()
        return status

    def _read(self) -> None:
        if select.select([self.fd], [], [], 0.1)[0]:
            try:
                self.seen += os.read(self.fd, 1 << 16).decode(errors="replace")
            except OSError:  # the other side is closed
                time.sleep(0.01)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.fd)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal("two_layer")
    yield terminal
    terminal.close()


def test_a_terminal_has_a_prompt(terminal: Terminal) -> None:
    terminal.wait_for("> ")
    terminal.type("5s\n")
    terminal.wait_for("Event 5 of 26, forward: w2 is 2.")
    terminal.wait_for("> ")
    terminal.type("q\n")
    assert terminal.status() == 0


def test_the_end_of_input_leaves(terminal: Terminal) -> None:
    terminal.wait_for("> ")
    terminal.type("\x04")
    assert terminal.status() == 0


def test_ctrl_c_leaves_a_question_and_twice_it_leaves(terminal: Terminal) -> None:
    terminal.wait_for("> ")
    terminal.type("p\n")
    terminal.wait_for("question mark shows it.")
    terminal.press_ctrl_c()
    terminal.wait_for("Not answered.")
    terminal.press_ctrl_c()
    terminal.wait_for("Ctrl+C again leaves; so does q.")
    terminal.wait_for("> ")
    terminal.type("s\n")
    terminal.wait_for("Event 7 of 26")
    terminal.press_ctrl_c()
    terminal.wait_for("Ctrl+C again leaves; so does q.")
    terminal.press_ctrl_c()
    assert terminal.status() == 128 + signal.SIGINT


def test_a_program_that_opens_the_debugger_gets_the_prompt(tmp_path: Path) -> None:
    path = tmp_path / "stops.py"
    path.write_text(
        "import stepgrad\nx = stepgrad.Value(2.0, label='x')\nstepgrad.debug()\ny = x * 3\n"
    )
    terminal = Terminal(path)
    try:
        terminal.wait_for("q continues the program.")
        terminal.wait_for("Event 1 of 1, forward: x is 2")
        terminal.wait_for("> ")
        terminal.type("q\n")
        terminal.wait_for("2 events.")
        terminal.wait_for("> ")
        terminal.type("q\n")
        assert terminal.status() == 0
    finally:
        terminal.close()


class Lines(Typed):
    """Lines that are typed without a terminal."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self._lines = iter([*lines, ""])

    def line(self) -> str:
        return next(self._lines)


def test_ctrl_c_interrupts_what_takes_long_and_twice_it_leaves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def respond(_: Talk, line: str) -> Answer:
        for _press in line.strip():
            signal.raise_signal(signal.SIGINT)
        advance(1, 2)
        raise AssertionError("it goes on")

    monkeypatch.setattr(prompt, "respond", respond)
    opened = open_typed("two_layer")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert converse(opened, 0, Lines("1\n", "1\n")) == "end"
        assert capsys.readouterr().out.count("Interrupted: nothing has changed.") == 2
        with pytest.raises(KeyboardInterrupt):
            converse(opened, 0, Lines("12\n"))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def replay_all(count: int) -> None:
    for done in range(count):
        advance(done, count)


def test_long_work_breaks_its_silence_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prompt, "PATIENCE", -1.0)
    with Interrupts() as interrupts:
        interrupts.work(lambda: replay_all(9))
    assert capsys.readouterr().out == "Working. Ctrl+C interrupts it.\n"


def test_what_is_done_of_a_lesson_by_ear_is_kept_and_the_next_one_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPGRAD_STATE", str(tmp_path))
    first, second, *_ = gallery()
    scenario = open_scenario(first)
    reader = Reader(Lesson.of(scenario.lesson, record_scenario(first)))
    keys = [line for step in reader.lesson.steps for line in keys_of(step) or ["enter"]]
    told = answers(first, stdin="\n".join([*keys, "enter", "q"]) + "\n")
    assert any(text.startswith("The lesson is done: enter opens the next lesson") for text in told)
    assert read_progress().mark(first).done
    assert read_progress().last == second
    told = answers(stdin="continue\nq\nq\n")
    assert any(text.endswith("; done.") for text in told)


def keys_of(step: Step) -> list[str]:
    """What to type for a step: a key that is kept pressed is pressed often enough."""
    typed = []
    for demand in step.demands:
        key = BY_NAME[demand.command].keys[0]
        typed += [key] * (30 if demand.keeps else demand.times)
        typed += ["?"] * (demand.command == "predict")
    return typed
