"""Reading a file that may be anything: a pipe or a device that never ends is refused."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read_regular(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a regular file.

    Raises:
        OSError: the file cannot be read, or it is not a regular file.
        ValueError: no file can have this path.
    """
    status = Path(path).stat()  # opening a pipe would wait for somebody to write to it
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise OSError(0, "it is not a regular file")
    return Path(path).read_bytes()
