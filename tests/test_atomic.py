"""A file is written whole or not at all, whatever fails, and whenever."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep, time
from typing import Any

import pytest

from processes import python, started
from stepgrad.atomic import write_atomically, write_new

OLD, NEW = b"old " * 10, b"new " * 100_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "file"
    target.write_bytes(OLD)
    return target


def alone(path: Path) -> bool:
    return [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_file_gets_its_content(path: Path) -> None:
    write_atomically(path, NEW)
    assert path.read_bytes() == NEW
    assert alone(path)


def test_a_new_file_gets_the_permissions_that_are_usual(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_atomically(tmp_path / "new", NEW)
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_name_may_be_as_long_as_the_system_lets_it_be(tmp_path: Path) -> None:
    write_atomically(tmp_path / ("x" * 255), NEW)
    assert (tmp_path / ("x" * 255)).read_bytes() == NEW


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_permissions_stay(path: Path, mode: int) -> None:
    path.chmod(mode)
    write_atomically(path, NEW)
    assert path.stat().st_mode & 0o777 == mode


def test_a_link_stays_one(tmp_path: Path, path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "folder" / "link"
    link.symlink_to(path)
    write_atomically(link, NEW)
    assert link.is_symlink()
    assert path.read_bytes() == NEW


def test_a_link_to_nothing_yet_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "there")
    write_atomically(tmp_path / "link", NEW)
    assert (tmp_path / "there").read_bytes() == NEW


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(OSError, match="symbolic links"):
        write_atomically(tmp_path / "a", NEW)


def test_no_folder_and_no_device_is_replaced(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="folder"):
        write_atomically(tmp_path, NEW)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        write_atomically(tmp_path / "pipe", NEW)
    with pytest.raises(OSError, match="not a regular file"):
        write_atomically("/dev/null", NEW)
    assert alone(tmp_path / "pipe")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "no" / "file", NEW)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("protected", ["file", "folder"])
def test_what_is_protected_stays(path: Path, protected: str) -> None:
    guarded = path if protected == "file" else path.parent
    guarded.chmod(0o555)
    try:
        with pytest.raises(PermissionError):
            write_atomically(path, NEW)
        assert path.read_bytes() == OLD
        assert alone(path)
    finally:
        guarded.chmod(0o755)


def test_a_file_that_may_not_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="write-protected"):
        write_atomically(path, NEW)
    assert path.read_bytes() == OLD


@pytest.mark.parametrize("limit", [0, 1, 4096, len(NEW) - 1])
def test_a_disk_that_gets_full(path: Path, limit: int) -> None:
    with _no_file_longer_than(limit), pytest.raises(OSError, match="too large"):
        write_atomically(path, NEW)
    assert path.read_bytes() == OLD
    assert alone(path)


@contextmanager
def _no_file_longer_than(limit: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken"), KeyboardInterrupt()])
@pytest.mark.parametrize(
    ("where", "name"), [(os, "fsync"), (Path, "open"), (Path, "chmod"), (Path, "replace")]
)
def test_whatever_call_fails(
    path: Path, where: Any, name: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_args: object, **_kwargs: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(where, name, fails)
        with pytest.raises(type(error)):
            write_atomically(path, NEW)
    assert path.read_bytes() == OLD
    assert alone(path)


_FOREVER = """
import sys
from stepgrad.atomic import write_atomically
print("begun", flush=True)
while True:
    for letter in b"ab":
        write_atomically(sys.argv[1], bytes([letter]) * 3_000_000)
"""


def test_a_process_that_is_killed(path: Path) -> None:
    write_atomically(path, b"a" * 3_000_000)
    for delay in (0.0, 0.003, 0.01, 0.02):
        with started(python("-c", _FOREVER, path)) as process:
            assert process.stdout
            process.stdout.readline()
            sleep(delay)
            process.send_signal(signal.SIGKILL)
        content = path.read_bytes()
        assert len(content) == 3_000_000
        assert len(set(content)) == 1


LEFT = ".stepgrad-0123456789ab.tmp"


def aged(path: Path, hours: float) -> None:
    then = time() - 3600 * hours
    os.utime(path, (then, then), follow_symlinks=False)


def test_what_a_killed_process_left_is_swept_up_by_the_next_save(path: Path) -> None:
    left = path.with_name(LEFT)
    left.touch()
    aged(left, 1.1)
    write_atomically(path, NEW)
    assert alone(path)


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        (LEFT, 0.9),
        (f"{LEFT}x", 9),
        (LEFT.replace("ab", "xy"), 9),
        ("tmp", 9),
        (".stepgrad-.tmp", 9),
    ],
)
def test_nothing_else_is_swept_up(path: Path, name: str, hours: float) -> None:
    left = path.with_name(name)
    left.touch()
    aged(left, hours)
    write_atomically(path, NEW)
    assert left.exists()


@pytest.mark.parametrize("make", ["mkdir", "mkfifo", "symlink"])
def test_only_regular_files_are_swept_up(path: Path, make: str) -> None:
    left = path.with_name(LEFT)
    getattr(os, make)(*([path, left] if make == "symlink" else [left]))
    aged(left, 9)
    write_atomically(path, NEW)
    assert os.path.lexists(left)


def test_files_of_others_are_not_swept_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = path.with_name(LEFT)
    left.touch()
    aged(left, 9)
    monkeypatch.setattr(os, "geteuid", lambda: left.stat().st_uid + 1)
    write_atomically(path, NEW)
    assert left.exists()


def test_a_new_file_is_whole_or_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "new"
    with _no_file_longer_than(4096), pytest.raises(OSError, match="too large"):
        write_new(path, NEW)
    assert not path.exists()
    write_new(path, OLD)
    with pytest.raises(FileExistsError):
        write_new(path, NEW)
    assert path.read_bytes() == OLD
