"""Writing a file so that it has either its old content or the new one, never a part of it."""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import suppress
from pathlib import Path

_TEMPORARY = re.compile(r"\.stepgrad-[0-9a-f]{12}\.tmp")
_OLD = 3600  # seconds: nobody writes for so long without a change to the file


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Make `content` the content of a file.

    The content goes to a temporary file beside it, which then takes its place and permissions. A
    symbolic link is followed. If that fails, the temporary file is removed.

    Raises:
        OSError: it cannot be written; the file is as it was.
        ValueError: the path is not valid.
    """
    target = Path(os.path.realpath(path))
    mode = permissions(target)
    _sweep(target.parent)
    temporary = target.with_name(f".stepgrad-{os.urandom(6).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_new(path: Path, content: bytes) -> None:
    """Make a file that does not exist yet; if that fails, it does not exist after all.

    Raises:
        FileExistsError: it exists.
        OSError: it could not be written.
        ValueError: the path can be none.
    """
    with path.open("xb") as file:
        try:
            file.write(content)
            file.flush()
        except BaseException:
            path.unlink()
            raise


def _sweep(folder: Path) -> None:
    """Remove the temporary files of processes that were killed, once they are old."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in filter(_is_left_over, entries):
            with suppress(OSError):
                Path(entry.path).unlink()


def _is_left_over(entry: os.DirEntry[str]) -> bool:
    if not _TEMPORARY.fullmatch(entry.name):
        return False
    status = entry.stat(follow_symlinks=False)
    own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
    return stat.S_ISREG(status.st_mode) and own and time.time() - status.st_mtime > _OLD


def permissions(target: Path) -> int | None:
    """Return the permissions of a file that may be replaced, or None if it does not exist yet.

    Raises:
        OSError: what is there may not be replaced.
    """
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(0, "it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "it is not a regular file")
    if not os.access(target, os.W_OK):
        raise PermissionError(0, "it is write-protected")
    return stat.S_IMODE(status.st_mode)
