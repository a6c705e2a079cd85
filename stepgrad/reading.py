"""Reading a file that may be anything: a pipe or a device that never ends is refused."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path


def why(error: Exception) -> str:
    """Return why a file cannot be read or written, in the words of the system or of Python."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


ZIP_MARK = b"PK\x03\x04"
"""What a zip file begins with, and so does a saved recording."""


def is_zip(path: str | os.PathLike[str]) -> bool:
    """Whether there is a regular file that begins as a zip file does."""
    with suppress(OSError, ValueError):
        if stat.S_ISREG(Path(path).stat().st_mode):
            with Path(path).open("rb") as file:
                return file.read(len(ZIP_MARK)) == ZIP_MARK
    return False


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
