"""What the command line prints: text that is safe for a terminal, written whole or not at all."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import RawIOBase
from textwrap import wrap
from typing import Any, TextIO

from stepgrad.printable import as_json, printable, printable_lines

STDOUT = "standard output"
"""What errors call it."""

WIDTH = 80
"""The most columns of prose."""


def echo(text: object = "", *, end: str = "\n", err: bool = False) -> None:
    """Print a line to stdout, or to stderr; a line break in the text becomes a blank.

    Raises:
        OSError: stdout is closed or cannot be written. On stderr, that is ignored.
    """
    _print(printable(str(text)) + end, err)


def echo_lines(text: object, *, end: str = "\n", err: bool = False) -> None:
    """Print a text of several lines; raises OSError as `echo` does.

    What comes from outside must be `printable` in it.
    """
    _print(printable_lines(str(text)) + end, err)


def wrapped(text: str, hanging: int | None = None) -> Iterator[str]:
    """Yield the lines of prose in `WIDTH` columns; a longer word stays whole.

    What continues a line is indented by `hanging` columns, or else as that line is.
    """
    for line in text.split("\n"):
        indent = len(line) - len(line.lstrip()) if hanging is None else hanging
        yield from wrap(
            line,
            WIDTH,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]


def echo_wrapped(text: object, hanging: int | None = None, *, err: bool = False) -> None:
    """Print prose, `wrapped`; raises OSError as `echo` does."""
    echo_lines("\n".join(wrapped(printable_lines(str(text)), hanging)), err=err)


def _print(text: str, err: bool) -> None:
    if not err:
        with _named():
            _write(sys.stdout, text)
    else:
        with suppress(OSError):
            _write(sys.stderr, text)


@contextmanager
def _named() -> Iterator[None]:
    """Have errors say what cannot be written."""
    try:
        yield
    except OSError as error:
        error.filename = STDOUT
        raise


def echo_json(content: Any) -> None:
    """Print one JSON object; raises OSError as `echo` does."""
    echo_document(f"{as_json(content)}\n")


def echo_document(text: str) -> None:
    """Print the content of a file, in UTF-8 wherever it goes; raises OSError as `echo` does."""
    stream = sys.stdout
    with _named():
        if hasattr(stream, "buffer"):
            stream.flush()
            _write_bytes(stream.buffer, text.encode())
        else:
            _write(stream, text)


def closed() -> OSError:
    """Return the error of printing where there is no stdout."""
    return OSError(errno.EBADF, "it is closed", STDOUT)


def abandon_output() -> None:
    """Drop what could not be written, or Python would try again at exit."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        raise closed()
    buffer = getattr(stream, "buffer", None)
    if isinstance(buffer, RawIOBase):
        stream.flush()
        _write_bytes(buffer, text.encode(stream.encoding, stream.errors or "strict"))
    else:
        stream.write(text)
        stream.flush()


def _write_bytes(buffer: Any, content: bytes) -> None:
    """Write everything: a raw stream, as with PYTHONUNBUFFERED, may take only a part.

    Its text layer would not notice.
    """
    rest = memoryview(content)
    while rest:
        written = buffer.write(rest)
        if written is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        rest = rest[written:]
    buffer.flush()
