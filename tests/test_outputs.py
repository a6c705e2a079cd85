"""Where a command writes: never over what it reads, whatever that is called."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from scenario.samples import GRAPH
from stepgrad import Recording
from test_cli import stepgrad


def another_way(path: Path) -> Path:
    (path.parent / "sub").mkdir()
    return path.parent / "sub" / ".." / path.name


def a_link(path: Path) -> Path:
    link = path.with_name(f"link{path.suffix}")
    link.symlink_to(path)
    return link


def a_hard_link(path: Path) -> Path:
    link = path.with_name(f"hard{path.suffix}")
    link.hardlink_to(path)
    return link


def another_case(path: Path) -> Path:
    upper = path.with_name(path.name.upper())
    if not upper.exists():
        pytest.skip("the file system tells upper case from lower case")
    return upper


SPELLINGS = [another_way, a_link, a_hard_link, another_case]


@pytest.mark.parametrize("spelt", SPELLINGS)
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("scenario", ("export", "--to", "svg", "-o")),
        ("r.stepgrad", ("record", "-o")),
        ("scenario.xml", ("check", "--junit")),
    ],
)
def test_nothing_is_written_over_what_is_read(
    name: str, command: tuple[str, ...], spelt: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = tmp_path / name
    if path.suffix == ".stepgrad":
        stepgrad("record", "-o", path, "two_layer")
    else:
        path.write_text(GRAPH)
    before = path.read_bytes()
    said = stepgrad(*command, spelt(path), path, code=2).stderr
    assert "this is the input file; choose another name" in said
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["two", "two.stepgrad", "two.stepgrad.txt", "two.zip"])
def test_a_recording_opens_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    stepgrad("record", "-o", path, "two_layer")
    assert stepgrad("replay", path).stdout == stepgrad("replay", "two_layer").stdout
    assert "ok" in stepgrad("check", path).stdout


@pytest.mark.parametrize(("name", "kind"), [("two.yaml", "a scenario"), ("two.py", "a program")])
def test_a_recording_does_not_get_the_name_of_something_else(
    name: str, kind: str, tmp_path: Path
) -> None:
    said = stepgrad("record", "-o", tmp_path / name, "two_layer", code=2).stderr
    assert said.endswith(f"{name}: this is a name for {kind}; end it in .stepgrad\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["run", "replay", "check", "export --to svg"])
def test_a_pipe_that_is_called_a_recording_is_not_opened(command: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.stepgrad")
    said = stepgrad(*command.split(), tmp_path / "x.stepgrad", code=2).stderr
    assert said == f"{tmp_path / 'x.stepgrad'}: is not a regular file\n"


def test_an_empty_recording_is_said_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.stepgrad"
    Recording().save(path)
    for command in ("run", "check", "export --to svg"):
        code = 0 if command == "run" else 2
        result = stepgrad(*command.split(), path, code=code)
        assert result.stderr == f"{path}: the recording is empty\n"


@pytest.mark.parametrize("command", ["export two_layer --to svg -o", "check square --junit"])
def test_a_file_needs_a_name(command: str) -> None:
    said = stepgrad(*command.split(), "", code=2).stderr
    assert said == "the name of the output is empty; write the name of a file\n"


def test_a_dash_is_stdout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    export = ("export", "two_layer", "--to", "svg")
    assert stepgrad(*export, "-o", "-").stdout == stepgrad(*export).stdout
    assert list(tmp_path.iterdir()) == []
    assert "`-` is stdout" in " ".join(stepgrad("export", "--help").stdout.split())


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("export square --to svg -o x.svg", "x.svg"),
        ("record square", "square.stepgrad"),
        ("record -o x.stepgrad square", "x.stepgrad"),
        ("check square --junit x.xml", "x.xml"),
        ("new x.yaml", "x.yaml"),
    ],
)
def test_a_folder_that_was_deleted(
    command: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    said = stepgrad(*command.split(), code=2).stderr
    assert said == f"{name}: the current folder no longer exists\n"


@pytest.mark.parametrize("to", ["markdown", "html"])
def test_a_saved_lesson_is_handed_out_as_the_lesson(to: str, tmp_path: Path) -> None:
    path = tmp_path / "two_layer.stepgrad"
    stepgrad("record", "-o", path, "two_layer")
    handout = stepgrad("export", "two_layer", "--to", to).stdout
    assert stepgrad("export", path, "--to", to).stdout == handout


def test_without_a_name_it_is_that_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.scenario.yaml").write_text(GRAPH)
    stepgrad("record", "mine.scenario.yaml")
    assert Path("mine.stepgrad").is_file()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("x.yaml", "a scenario"), ("x.py", "a program"), ("x.stepgrad", "a recording")],
)
def test_a_drawing_does_not_get_the_name_of_what_is_read(
    name: str, kind: str, tmp_path: Path
) -> None:
    said = stepgrad("export", "two_layer", "--to", "svg", "-o", tmp_path / name, code=2).stderr
    assert f"this is a name for {kind}; --to svg writes x.svg" in said
    assert list(tmp_path.iterdir()) == []
