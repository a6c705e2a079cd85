"""`--memory`, and what is said where memory ends."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from processes import run
from processes import stepgrad as in_a_process
from stepgrad import Recording
from stepgrad.errors import NotEnoughMemoryError
from test_cli import stepgrad

PROGRAM = """\
from stepgrad import Value
w = Value(0.5, label="w")
for _ in range(1_000):
    (w * w).backward()
"""
SCENARIO = """\
title: t
params: {w: 1.0}
graph: [L = w*w]
backward: L
train: {steps: 1000000, learning_rate: 0.25}
expect: {loss: {0: 1, 900000: 0}}
"""
SPENT = "recorded up to event {}: the memory budget is spent"


@pytest.fixture(params=["program.py", "scenario.yaml"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    path.write_text(PROGRAM if path.suffix == ".py" else SCENARIO)
    return path


def test_every_command_that_records_can_be_given_less(file: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.stepgrad"
    told = stepgrad("record", "--memory", "100kB", "-o", saved, file).stderr
    length = json.loads(stepgrad("replay", "--json", saved).stdout)["length"]
    spent = SPENT.format(f"{length:,}")
    assert spent in told
    for command in ("run", "replay", "check", "quiz"):
        answers = ["--answers", "?"] if command == "quiz" else []
        failed = int(command == "quiz" or (command == "check" and file.suffix == ".yaml"))
        told = stepgrad(command, "--memory", "100 kB", *answers, file, code=failed).stderr
        assert told.count(spent) >= 1
    assert spent in stepgrad("export", "--to", "markdown", "--memory", "100kB", file).stdout


def test_whoever_asks_is_told_why_there_is_no_more(file: Path) -> None:
    shown = stepgrad("replay", "--memory", "100kB", "--to", "3", file).stdout
    [why] = [line for line in shown.splitlines() if line.endswith("the memory budget is spent")]
    for to in ("markdown", "html"):
        assert why in stepgrad("export", "--to", to, "--memory", "100kB", file).stdout
    exported = stepgrad("export", "--to", "json", "--memory", "100kB", file).stdout
    assert json.loads(exported)["incomplete"] == why
    assert json.loads(stepgrad("replay", "two_layer", "--json").stdout)["incomplete"] == ""


def test_a_promise_that_was_not_reached_says_why(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(SCENARIO)
    told = stepgrad("check", "--memory", "100kB", tmp_path / "s.yaml", code=1).stdout
    assert "loss at step 900000 has no value (recorded up to event " in told
    assert "matches 1 of 2 expected" in told


def test_what_is_no_size() -> None:
    said = stepgrad("run", "--memory", "much", "two_layer", code=2).stderr
    assert "'much' is not an amount of memory; write 500MB or 2GB" in said


def test_too_little_memory_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def huge(*_: object, **__: object) -> None:
        raise MemoryError

    for command, room in {
        "replay": "replay",
        "check": "examining",
        "diagnose": "examining",
    }.items():
        monkeypatch.setattr(import_module(f"stepgrad.cli.{room}"), "open_typed", huge)
        said = stepgrad(command, "two_layer", code=2).stderr
        assert said.endswith(f"{NotEnoughMemoryError()}\n")
        assert "Traceback" not in said


def test_a_recording_that_ends_before_its_first_pass_is_not_checked(tmp_path: Path) -> None:
    program = tmp_path / "deep.py"
    program.write_text(
        "from stepgrad import Value\nx = Value(1.0)\n"
        "for _ in range(1000): x = x * 1.5\nx.backward()\n"
    )
    result = stepgrad("check", "--memory", "20kB", program, code=2)
    assert "not checked" in result.stdout
    assert "before there is anything to check; allow more with --memory" in result.stderr


BRIM = """\
from stepgrad import Value
x = Value(1.5)
for _ in range(20_000):
    x = x * 1.0
hoard = [None] * 1_000_000
free = iter(range(len(hoard)))
for size in (1 << 22, 1 << 16, 1 << 12, *range(460, 0, -16)):
    try:
        for place in free:
            hoard[place] = bytes(size)
    except MemoryError:
        pass
while True:
    for place in free:
        hoard[place] = place + 0.5  # until there is no more
"""


def test_a_program_that_has_used_up_all_memory_is_recorded_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "brim.py").write_text(BRIM)
    ended = run(in_a_process("record", "brim.py", limits={"AS": 300 << 20}), cwd=tmp_path)
    assert ended.returncode == 1
    *_, line, error, told = ended.stderr.splitlines()
    assert "hoard[place] = place + 0.5" in ended.stderr, line
    assert error == "MemoryError"
    assert told.startswith("brim.py: 20,001 events, 40,001 nodes, 0 backward passes; ")
    assert Recording.load(tmp_path / "brim.stepgrad").length == 20_001
