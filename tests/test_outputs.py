"""Where a command writes: never over what it reads, whatever that is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scenario.samples import GRAPH
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
    assert "that is what is to be read; name another file" in said
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["two.yaml", "two", "two.py", "two.stepgrad.txt"])
def test_a_recording_gets_a_name_that_opens(name: str, tmp_path: Path) -> None:
    said = stepgrad("record", "-o", tmp_path / name, "two_layer", code=2).stderr
    assert ".stepgrad, or it will not open" in said
    assert list(tmp_path.iterdir()) == []


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
    assert f"that is the name of {kind}; --to svg writes x.svg" in said
    assert list(tmp_path.iterdir()) == []
