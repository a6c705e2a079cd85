"""What becomes of output that cannot be written, and of commands that are interrupted."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from processes import PATIENCE, ROOT, environment, run, started, stepgrad
from stepgrad.cli import COMMANDS, main
from stepgrad.course.answers import Answers, save_answers

ALL = [
    ["run", "two_layer"],
    ["record", "two_layer"],
    ["replay", "two_layer"],
    ["replay", "two_layer", "--json"],
    ["export", "two_layer", "--to", "svg"],
    ["check", "two_layer"],
    ["check", "two_layer", "--json"],
    ["diagnose", "two_layer"],
    ["torch-zoom", "--help"],
    ["serve", "--help"],
    ["export", "two_layer", "--to", "html", "--replay"],
    ["diagnose", "two_layer", "--json"],
    ["diff", "two_layer", "two_layer"],
    ["quiz", "two_layer"],
    ["quiz", "two_layer", "--answers", "1.5"],
    ["grade", "ann.json"],
    ["why", "dead_relu", "w"],
    ["why", "dead_relu", "w", "--json"],
    ["list"],
    ["glossary"],
    ["new", "new.yaml"],
    ["schema"],
    ["help"],
    ["help", "scenario"],
]
FORMAT = ["help", "scenario"]
CLICKS = [["--help"], ["--version"], ["check", "-h"], ["record", "--help"]]
"""What click itself prints."""

PRINTING = [command for command in ALL if command[0] != "record"]
"""Those that print on stdout; `record` says what it has to say on stderr."""


IN_A_PROCESS = [["check", "two_layer"], ["--version"]]
"""What also runs with real descriptors."""

FULL = Path("/dev/full")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The commands of a test write into a folder of its own, which has answers to mark."""
    monkeypatch.chdir(tmp_path)
    save_answers("ann.json", Answers("relu_gate", "Ann", (("3",),)))
    return tmp_path


def called(command: Sequence[str], **streams: Any) -> tuple[int, str, str]:
    """Run a command in this process, with these standard streams instead of the usual ones.

    Returns the status, and what went to stdout and stderr, if these are the usual ones.
    """
    usual = {"stdin": StringIO(), "stdout": StringIO(), "stderr": StringIO()}
    with pytest.MonkeyPatch.context() as patch:
        for name, stream in (usual | streams).items():
            patch.setattr(sys, name, stream)
        with pytest.raises(SystemExit) as ended:
            main.main(command, prog_name="stepgrad")
    return int(ended.value.code or 0), usual["stdout"].getvalue(), usual["stderr"].getvalue()


def test_all_commands_are_here() -> None:
    assert {command for command, *_ in ALL} == {*COMMANDS}


@contextmanager
def full_disk(unbuffered: bool) -> Iterator[TextIOWrapper]:
    with FULL.open("wb", buffering=0 if unbuffered else -1) as raw:
        yield TextIOWrapper(raw, encoding="utf-8", write_through=unbuffered)


@pytest.mark.skipif(not FULL.exists(), reason="no disk that is always full")
@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.parametrize("command", [*PRINTING, *CLICKS], ids=" ".join)
def test_a_full_disk(command: list[str], unbuffered: bool) -> None:
    with full_disk(unbuffered) as full:
        status, _, err = called(command, stdout=full)
    assert (status, err) == (2, "standard output: No space left on device\n")


@pytest.mark.skipif(not FULL.exists(), reason="no disk that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", IN_A_PROCESS, ids=" ".join)
def test_a_full_disk_under_a_process(command: list[str], unbuffered: str) -> None:
    variables = environment(PYTHONUNBUFFERED=unbuffered)
    with (
        FULL.open("w") as full,
        started(stepgrad(*command), stdout=full, env=variables) as process,
    ):
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (2, "standard output: No space left on device\n")


CLOSED = (2, "", "standard output: it is closed\n")


@pytest.mark.parametrize("command", [*PRINTING, *CLICKS], ids=" ".join)
def test_no_output_at_all(command: list[str]) -> None:
    assert called(command, stdout=None) == CLOSED


@pytest.mark.parametrize("command", IN_A_PROCESS, ids=" ".join)
def test_no_output_of_a_process(command: list[str]) -> None:
    ended = run(stepgrad(*command, closed=[1]))
    assert (ended.returncode, ended.stdout, ended.stderr) == CLOSED


NOTHING_GIVEN: list[dict[str, None]] = [
    {"stdin": None, "stderr": None}, {"stdin": None}, {"stderr": None}
]  # fmt: skip


@pytest.mark.parametrize("streams", NOTHING_GIVEN, ids=" ".join)
@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_no_input_and_no_errors(command: list[str], streams: dict[str, None]) -> None:
    status, out, _ = called(command, **streams)
    assert status == ("--answers" in command)
    assert bool(out) is (command in PRINTING)


@pytest.mark.parametrize("command", [["check", "two_layer"], ["quiz", "two_layer"]], ids=" ".join)
def test_no_input_and_no_errors_of_a_process(command: list[str]) -> None:
    ended = run(stepgrad(*command, closed=[0, 2]))
    assert ended.returncode == 0
    assert ended.stdout


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_export_is_written_whole_or_fails(unbuffered: str, tmp_path: Path) -> None:
    command = stepgrad("export", "two_layer", "--to", "html", limits={"FSIZE": 5000})
    with (
        (tmp_path / "page.html").open("wb") as file,
        started(command, stdout=file, env=environment(PYTHONUNBUFFERED=unbuffered)) as process,
    ):
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (2, "standard output: File too large\n")


def test_a_document_is_utf_8_wherever_it_goes() -> None:
    variables = environment(PYTHONIOENCODING="ascii", LC_ALL="C")
    for command in (["export", "two_layer", "--to", "svg"], ["replay", "two_layer", "--json"]):
        printed = run(stepgrad(*command), env=variables).stdout
        assert printed == CliRunner().invoke(main, command).stdout
        assert "−" in printed


@pytest.mark.parametrize("command", [["check", "two_layer"], FORMAT, ["--help"]], ids=" ".join)
def test_nobody_reads(command: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with started(stepgrad(*command), stdout=writer) as process:
        os.close(writer)
        assert process.communicate(timeout=PATIENCE)[1] == ""
    assert process.returncode == 141


@pytest.mark.parametrize("command", [*PRINTING, *CLICKS], ids=" ".join)
def test_nobody_reads_what_is_written_here(command: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:  # Python ignores SIGPIPE, so it is an error
        status, _, err = called(command, stdout=stream)
    assert (status, err) == (141, "")


SLOW = """
title: slow
network: {sizes: [8, 16, 8, 1], activation: tanh, init: {seed: 1}}
data: {inputs: [[1, 2, 3, 4, 5, 6, 7, 8]], targets: [1]}
loss: sum_squared_error
train: {steps: 20000, optimizer: sgd, learning_rate: 0.001}
"""


@pytest.mark.parametrize(
    "command",
    ["check", "replay", "export --to svg", "quiz", "record", "run --plain"],
)
def test_ctrl_c(command: str, tmp_path: Path) -> None:
    (tmp_path / "slow.yaml").write_text(SLOW)
    os.mkfifo(tmp_path / "began")
    # The folder of a person's modules is on the path: this one says that the command is at work.
    (tmp_path / "sitecustomize.py").write_text(BEGAN)
    variables = environment(PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    with started(stepgrad(*command.split(), "slow.yaml"), env=variables) as process:
        wait_for(process, tmp_path / "began")
        out, err = interrupted(process)
    assert (process.returncode, out, err.strip()) == (130, "", "Aborted!")


def wait_for(process: subprocess.Popen[str], fifo: Path) -> None:
    """Wait until a process opens a named pipe."""
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(reader, selectors.EVENT_READ)
            assert selector.select(timeout=PATIENCE), f"exit status {process.poll()}"
    finally:
        os.close(reader)


def interrupted(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Press Ctrl+C, and again if nothing comes of it: within an import, Python may swallow it."""
    for _ in range(int(PATIENCE // 5)):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=5)
    raise TimeoutError("it goes on")


BEGAN = """
import sys, threading, time

def tell():
    # The last import before the work; within an import, Python may swallow the interrupt.
    while True:
        module = sys.modules.get("stepgrad.scenario.yaml.compose")
        if module and not getattr(module.__spec__, "_initializing", False):
            break
        time.sleep(0.005)
    open("began", "w").close()

threading.Thread(target=tell, daemon=True).start()
"""


def test_ctrl_c_at_a_question() -> None:
    with started(stepgrad("quiz", "square"), stdin=-1) as process:  # a pipe
        assert process.stdout
        asked = ""
        while not asked.endswith("> "):
            asked += process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, "")
    assert out.strip().startswith("0 of ")


def test_an_answer_that_is_not_text_is_no_number() -> None:
    ended = run(stepgrad("quiz", "square"), "\udcff\n9\n", errors="surrogateescape")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "a number; write" in ended.stdout
    assert "right: 9" in ended.stdout


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    loop = tmp_path / "loop.svg"
    loop.symlink_to(loop)
    status, _, err = called(["export", "square", "--to", "svg", "-o", "loop.svg"])
    assert status == 2
    assert err.startswith("loop.svg: ")


FILES = [["export", "square", "--to", "svg", "-o", "square.svg"], ["record", "square"],
         ["check", "square", "--junit", "report.xml"]]  # fmt: skip


@pytest.mark.parametrize("command", FILES, ids=" ".join)
def test_a_file_that_does_not_fit_is_named(command: list[str], tmp_path: Path) -> None:
    ended = run(stepgrad(*command, limits={"FSIZE": 100}))
    assert ended.returncode == 2
    name = command[-1] if command[-1] != "square" else "square.stepgrad"
    assert ended.stderr.endswith("File too large\n")
    assert ended.stderr.splitlines()[-1].startswith(f"{name}: ")
    assert [each.name for each in tmp_path.iterdir()] == ["ann.json"]
