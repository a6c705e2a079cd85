"""`stepgrad export`, as a user and as a script meet it."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepgrad import Cursor
from stepgrad.export import FORMATS, export
from stepgrad.scenario import open_scenario
from stepgrad.scenario.build import record_file
from test_cli import stepgrad

PROGRAM = (
    "from stepgrad import Value\nprint('run')\nx = Value(2.0, label='x')\n(x * x).backward()\n"
)


@pytest.mark.parametrize("to", FORMATS)
def test_to_a_file_and_to_the_terminal(to: str, tmp_path: Path) -> None:
    file = open_scenario("two_layer")
    wanted = export(file, Cursor(record_file(file), 21), to)
    goal = tmp_path / "goal"
    assert stepgrad("export", "two_layer", "--to", to, "--at", "21").stdout == wanted
    told = stepgrad("export", "two_layer", "--to", to, "--at", "21", "-o", goal)
    size = f"{goal.stat().st_size:,} bytes in {goal}"
    assert (told.stdout, told.stderr) == ("", f"event 21 of 26 · ◀ backward; {size}\n")
    assert goal.read_text(encoding="utf-8") == wanted
    assert [path.name for path in tmp_path.iterdir()] == ["goal"]


def test_without_a_position_it_is_the_end() -> None:
    def exported(name: str, *at: str) -> str:
        return stepgrad("export", name, "--to", "json", *at).stdout

    assert exported("two_layer") == exported("two_layer", "--at", "100%")
    assert exported("forgotten_zero_grad") == exported("forgotten_zero_grad", "--at", "step 11")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--to", "pdf"], "--to"),
        ([], "--to"),
        (["--to", "svg", "--at", "los"], "did you mean `loss`?"),
        (["--to", "svg", "--at", "101%"], "is not a percentage"),
        (["--to", "svg", "--at", "999999"], "no event 999999: there are 26"),
        (["--to", "svg", "--at=-1"], "no event -1: there are 26"),
        (["--to", "svg", "-o", "two.png"], "there is no `.png` export; --to svg writes two.svg"),
        (["--to", "dot", "-o", "two.PDF"], "turns --to dot into pdf: dot -Tpdf"),
        (["--to", "svg", "-o", "two.md"], "this is a name for markdown; --to svg writes two.svg"),
        (["--to", "mermaid", "-o", "x.html"], "--to mermaid writes x.mmd"),
        (["--to", "svg", "-o", "."], "is a folder"),
        (["--to", "svg", "-o", "nowhere/x.svg"], "does not exist"),
    ],
)
def test_what_cannot_be(
    options: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert words in stepgrad("export", "two_layer", *options, code=2).stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("to", "name"),
    [("dot", "x.gv"), ("html", "x.HTM"), ("markdown", "x.markdown"), ("svg", "x"), ("svg", "x.1")],
)
def test_names_that_promise_nothing_else(to: str, name: str, tmp_path: Path) -> None:
    stepgrad("export", "square", "--to", to, "-o", tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_program(tmp_path: Path) -> None:
    program, goal = tmp_path / "train.py", tmp_path / "train.svg"
    program.write_text(PROGRAM)
    result = stepgrad("export", "--to", "mermaid", program, "--its", "own")
    assert result.stderr == "run\n"
    assert result.stdout.startswith("%% train.py\n")
    assert (
        "this is the input file"
        in stepgrad("export", "--to", "svg", "-o", program, program, code=2).stderr
    )
    program.write_text(f"{PROGRAM}raise SystemExit(3)\n")
    stepgrad("export", "--to", "svg", "-o", goal, program, code=3)
    assert "<svg" in goal.read_text()
    goal.unlink()
    program.write_text("")
    assert (
        "nothing was recorded"
        in stepgrad("export", "--to", "svg", "-o", goal, program, code=2).stderr
    )
    assert not goal.exists()
