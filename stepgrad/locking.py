"""Taking turns at a file: a process that reads it and then writes it loses nothing of another's."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

PATIENCE = 2.0
"""Seconds to wait for another process, which needs a few milliseconds."""

_TAKEN = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}
_PAUSE = 0.01


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock on a file while the block runs; others who ask for it wait.

    The lock is on a file beside it, which stays: the file itself may be replaced. The system
    releases it when a process ends, however that happens. Where the file system has no locks, the
    block runs without one.

    Raises:
        OSError: the lock cannot be made.
        TimeoutError: another process has held it for too long.
    """
    with path.with_name(f"{path.name}.lock").open("ab") as file:  # closing it releases the lock
        _take(file.fileno())
        yield


def _take(descriptor: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            if sys.platform == "win32":
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _TAKEN:
                return
            if time.monotonic() > end:
                raise TimeoutError(0, "another process is writing it") from None
            time.sleep(_PAUSE)
        else:
            return
