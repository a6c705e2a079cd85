"""What the command line prints: text that is safe for a terminal, written whole or not at all."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from io import RawIOBase
from typing import Any, TextIO

from stepgrad.printable import as_json, printable_lines


def echo(text: object = "", *, end: str = "\n", err: bool = False) -> None:
    """Print lines to stdout, or to stderr.

    Raises:
        OSError: stdout is closed or cannot be written to. On stderr this goes unsaid.
    """
    line = printable_lines(str(text)) + end
    if not err:
        _write(sys.stdout, line)
    else:
        with suppress(OSError):
            _write(sys.stderr, line)


def echo_json(content: Any) -> None:
    """Print one JSON object; raises OSError as `echo` does."""
    echo_document(f"{as_json(content)}\n")


def echo_document(text: str) -> None:
    """Print the content of a file, in UTF-8 wherever it goes; raises OSError as `echo` does."""
    stream = sys.stdout
    if hasattr(stream, "buffer"):
        stream.flush()
        _write_bytes(stream.buffer, text.encode())
    else:
        _write(stream, text)


def abandon_output() -> None:
    """Let what could not be written go, or Python would try once more when it ends."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        raise OSError(errno.EBADF, "standard output is closed")
    buffer = getattr(stream, "buffer", None)
    if isinstance(buffer, RawIOBase):
        stream.flush()
        _write_bytes(buffer, text.encode(stream.encoding, stream.errors or "strict"))
    else:
        stream.write(text)
        stream.flush()


def _write_bytes(buffer: Any, content: bytes) -> None:
    """Write everything: a raw stream, as PYTHONUNBUFFERED makes it, takes what there is room for.

    Its text layer would not notice.
    """
    rest = memoryview(content)
    while rest:
        written = buffer.write(rest)
        if written is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        rest = rest[written:]
    buffer.flush()
