"""The file of a person's progress: nothing in it is lost, and no other file is touched."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from platformdirs import user_state_path

from processes import PATIENCE, environment, python, started
from stepgrad import locking
from stepgrad.course.progress import Mark, Progress
from stepgrad.course.state import ProgressError, keep, progress_path, read_progress
from stepgrad.locking import locked

SEEN = Mark(seen=True)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEPGRAD_STATE", str(tmp_path / "state"))
    return tmp_path / "state" / "progress.json"


def test_what_is_kept_is_read_again(file: Path) -> None:
    assert read_progress() == Progress()
    keep("gears", Mark(seen=True, done=True))
    kept = keep("square", Mark(right=3, asked=4))
    assert read_progress() == kept
    assert kept.last == "gears"
    assert kept.mark("square") == Mark(right=3, asked=4)
    assert progress_path() == file


def test_what_is_known_is_not_written_again(file: Path) -> None:
    keep("gears", SEEN)
    before = file.stat()
    keep("gears", SEEN)
    assert file.stat().st_ino == before.st_ino


def test_the_folder_is_that_of_the_system_unless_another_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("STEPGRAD_STATE")
    assert progress_path() == user_state_path("stepgrad") / "progress.json"


def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEPGRAD_STATE", "off")
    assert progress_path() is None
    assert keep("gears", SEEN) == read_progress() == Progress()
    assert list(tmp_path.iterdir()) == []


def test_the_tests_themselves_keep_none() -> None:
    assert os.environ["STEPGRAD_STATE"] == "off"


VALID = {"kind": "stepgrad progress", "version": 1, "last": "", "lessons": {}}
MARK = {"seen": True, "done": False, "right": 0, "asked": 0}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is damaged"),
        (b"{", "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b"[" * 100_000, "is damaged"),
        (b"[]", "is not a progress file of stepgrad"),
        (b'{"lessons": {}}', "is not a progress file of stepgrad"),
        (VALID | {"version": 2}, "was written by a newer version of stepgrad"),
        (VALID | {"version": "1"}, "is damaged"),
        (VALID | {"last": None}, "is damaged"),
        (VALID | {"lessons": []}, "is damaged"),
        (VALID | {"lessons": {"gears": True}}, "is damaged at `gears`"),
        (VALID | {"lessons": {"gears": MARK | {"seen": 1}}}, "is damaged at `gears`"),
        (VALID | {"lessons": {"gears": MARK | {"more": 1}}}, "is damaged at `gears`"),
        (
            VALID | {"lessons": {"gears": MARK | {"right": 2}}},
            "is damaged at `gears`: 2 right of 0",
        ),
    ],
)
def test_a_file_that_cannot_be_understood_stays_as_it_is(
    content: bytes | dict[str, object], problem: str, file: Path
) -> None:
    file.parent.mkdir()
    written = content if isinstance(content, bytes) else json.dumps(content).encode()
    file.write_bytes(written)
    acts: list[Callable[[], Progress]] = [read_progress, partial(keep, "gears", SEEN)]
    for act in acts:
        with pytest.raises(ProgressError) as raised:
            act()
        assert str(raised.value).startswith(f"{file}: {problem}; it stays as it is")
    assert file.read_bytes() == written


def test_a_pipe_in_its_place_is_not_waited_for(file: Path) -> None:
    file.parent.mkdir()
    os.mkfifo(file)
    with pytest.raises(ProgressError, match="not a regular file"):
        read_progress()


@pytest.mark.parametrize("name", ["a file/state", "a link to nowhere"])
def test_where_nothing_can_be_written_it_says_so(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").touch()
    (tmp_path / "a link to nowhere").symlink_to(tmp_path / "nowhere")
    monkeypatch.setenv("STEPGRAD_STATE", str(tmp_path / name))
    with pytest.raises(ProgressError, match="progress cannot be"):
        keep("gears", SEEN)


def test_a_file_that_is_write_protected_stays_as_it_is(file: Path) -> None:
    keep("gears", SEEN)
    before = file.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)  # whoever runs the tests may write anywhere
        with pytest.raises(ProgressError, match="progress cannot be kept: it is write-protected"):
            keep("square", SEEN)
    assert file.read_bytes() == before


KEEPS = """
import sys
from stepgrad.course.progress import Mark
from stepgrad.course.state import keep
sys.stdin.readline()
for number in range(20):
    keep(f"{sys.argv[1]}{number}", Mark(seen=True))
"""


def test_two_debuggers_at_once_lose_nothing(file: Path) -> None:
    commands = [python("-c", KEEPS, who) for who in "ab"]
    with (
        started(commands[0], stdin=-1, env=environment()) as one,
        started(commands[1], stdin=-1, env=environment()) as other,
    ):
        for process in (one, other):
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        for process in (one, other):
            assert process.communicate(timeout=PATIENCE) == ("", "")
    assert set(read_progress().marks) == {f"{who}{n}" for who in "ab" for n in range(20)}
    assert sorted(each.name for each in file.parent.iterdir()) == [file.name, f"{file.name}.lock"]


def test_a_process_that_never_lets_go_is_not_waited_for_forever(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "PATIENCE", 0)
    file.parent.mkdir()
    with (
        locked(file),
        pytest.raises(ProgressError, match="cannot be kept: another process is writing it"),
    ):
        keep("gears", SEEN)
    keep("gears", SEEN)
    assert read_progress().mark("gears") == SEEN
