"""What becomes of output that cannot be written, and of commands that are interrupted."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stepgrad.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]
TRAIN = str(ROOT / "tests" / "programs" / "train.py")
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
ALL = [
    ["run", "two_layer"],
    ["record", "two_layer"],
    ["replay", "two_layer"],
    ["replay", "two_layer", "--json"],
    ["export", "two_layer", "--to", "svg"],
    ["check", "two_layer"],
    ["check", "two_layer", "--json"],
    ["quiz", "two_layer"],
    ["quiz", "two_layer", "--answers", "1.5"],
    ["list"],
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


def begin(folder: Path, *arguments: str, close: Sequence[int] = (), **options: Any) -> Any:
    """Run a command as a user does, with the usual signals, and within bounds."""

    def own() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32))
        for descriptor in close:
            os.close(descriptor)

    pipes: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "stepgrad", *arguments],
        **pipes | {"env": ENVIRONMENT, "encoding": "utf-8", "cwd": folder} | options,
        preexec_fn=own,  # noqa: PLW1509 - there are no threads here
    )


def end(process: Any, stdin: str | None = None) -> tuple[int, str, str]:
    """Wait for the end; return the status and what was printed."""
    with process:
        try:
            out, err = process.communicate(stdin, timeout=60)
        finally:
            process.kill()
    return process.returncode, out or "", err or ""


def test_all_commands_are_here() -> None:
    assert {command for command, *_ in ALL} == {*COMMANDS}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full")
@pytest.mark.parametrize("command", [*PRINTING, *CLICKS], ids=" ".join)
def test_a_full_disk(command: list[str], tmp_path: Path) -> None:
    unbuffered = "1" * (len(command) % 2)
    with Path("/dev/full").open("w") as full:
        environment = ENVIRONMENT | {"PYTHONUNBUFFERED": unbuffered}
        status, _, err = end(begin(tmp_path, *command, stdout=full, env=environment))
    assert (status, err) == (2, "stepgrad: No space left on device\n")


@pytest.mark.parametrize("command", [*PRINTING, *CLICKS], ids=" ".join)
def test_no_output_at_all(command: list[str], tmp_path: Path) -> None:
    status, _, err = end(begin(tmp_path, *command, close=[1]))
    assert (status, err) == (2, "stepgrad: standard output is closed\n")


@pytest.mark.parametrize("command", ALL, ids=" ".join)
def test_no_input_and_no_errors(command: list[str], tmp_path: Path) -> None:
    for closed in ([0, 2],) if command[0] != "quiz" else ([0], [2], [0, 2]):
        status, out, _ = end(begin(tmp_path, *command, close=closed))
        assert status == ("--answers" in command)
        assert bool(out) is (command in PRINTING)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_export_is_written_whole_or_fails(unbuffered: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stepgrad", "export", "xor_tanh", "--to", "html"]
    environment = ENVIRONMENT | {"PYTHONUNBUFFERED": unbuffered}
    with (tmp_path / "page.html").open("wb") as file:
        ran = subprocess.run(
            command, stdout=file, stderr=subprocess.PIPE, env=environment, timeout=60, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)),
        )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (2, b"stepgrad: File too large\n")


def test_a_document_is_utf_8_wherever_it_goes(tmp_path: Path) -> None:
    environment = ENVIRONMENT | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    for command in (["export", "two_layer", "--to", "svg"], ["replay", "two_layer", "--json"]):
        _, printed, _ = end(begin(tmp_path, *command, env=environment))
        assert printed == CliRunner().invoke(main, command).stdout
        assert "−" in printed


@pytest.mark.parametrize(
    "command", [["check", "two_layer"], ["help"], FORMAT, ["schema"], *CLICKS], ids=" ".join
)
def test_nobody_reads(command: list[str], tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = begin(tmp_path, *command, stdout=writer)
    os.close(writer)
    assert end(process) == (141, "", "")


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
    name, *options = command.split()
    # The folder of a person's modules is on the path: this one says that the command is at work.
    (tmp_path / "sitecustomize.py").write_text(BEGAN)
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    process = begin(tmp_path, name, *options, "slow.yaml", env=ENVIRONMENT | {"PYTHONPATH": path})
    (tmp_path / "began").read_text()
    process.send_signal(signal.SIGINT)
    status, out, err = end(process)
    assert (status, out, err.strip()) == (130, "", "Aborted!")


BEGAN = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "stepgrad.scenario.yaml.compose":  # the last import before the work
            open("began", "w").close()

sys.meta_path.insert(0, Finder())
"""


def test_ctrl_c_at_a_question(tmp_path: Path) -> None:
    process = begin(tmp_path, "quiz", "square", stdin=subprocess.PIPE)
    asked = ""
    while not asked.endswith("> "):
        asked += process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    status, out, err = end(process)
    assert (status, err) == (130, "")
    assert out.strip().startswith("0 of ")


def test_an_answer_that_is_not_text_is_no_number(tmp_path: Path) -> None:
    process = begin(tmp_path, "quiz", "square", stdin=subprocess.PIPE, errors="surrogateescape")
    status, out, err = end(process, "\udcff\n9\n")
    assert (status, err) == (0, "")
    assert "a number; write" in out
    assert "right: 9" in out


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    loop = tmp_path / "loop.svg"
    loop.symlink_to(loop)
    status, _, err = end(begin(tmp_path, "export", "square", "--to", "svg", "-o", "loop.svg"))
    assert status == 2
    assert err.startswith(f"{loop}: ")
