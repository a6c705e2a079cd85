"""How far a program is, on the terminal, while it prints nothing (`meanwhile`).

One line on stderr, which comes after a moment of silence in which something was recorded, and is
gone before the program prints or asks for anything. Where that has left the cursor in the middle of
a line, nothing is shown: what a program prints is its own.
"""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import RLock
from time import monotonic
from typing import Any, TextIO

from stepgrad.printable import counted, printable
from stepgrad.recording.blocks import Backward
from stepgrad.recording.recorder import Recorder

SILENCE = 1.0
"""Seconds without output before the line is shown."""

_TICK = 0.25  # seconds from look to look
_COLUMNS = 80  # of a terminal that does not say


@contextmanager
def meanwhile(recorder: Recorder | None, name: str, then: str) -> Iterator[None]:
    """Say on stderr how far a program is that runs inside, if that is a terminal.

    Args:
        recorder: records the program.
        name: that of the program.
        then: what Ctrl+C does; if that is empty, nothing is said.
    """
    terminals = [each for each in (sys.stderr, sys.stdout) if _is_terminal(each)]
    if recorder is None or not then or sys.stderr not in terminals:
        yield
        return
    line = _Line(sys.stderr.fileno(), _News(recorder, name, then))
    with ExitStack() as ending:
        ending.callback(line.end)
        for stream in dict.fromkeys(terminals):
            ending.enter_context(_heard(stream, line.printed))
        line.begin()
        yield


def _is_terminal(stream: Any) -> bool:
    """Whether a stream is a terminal, and tells when something is written to it."""
    with suppress(AttributeError, OSError, TypeError, ValueError):
        return stream.isatty() and stream.fileno() >= 0 and "write" not in vars(stream)
    return False


@contextmanager
def _heard(stream: TextIO, printed: Callable[[str], None]) -> Iterator[None]:
    """Call `printed` before something is printed inside, and before the program waits for input."""
    write, flush = stream.write, stream.flush

    def write_too(text: str) -> int:
        printed(text)
        return write(text)

    def flush_too() -> None:
        printed("")
        flush()

    stream.write, stream.flush = write_too, flush_too  # type: ignore[method-assign]
    try:
        yield
    finally:
        for name in ("write", "flush"):
            vars(stream).pop(name, None)


class _News:
    """What there is to say of a recording that grows.

    Args:
        recorder: records the program.
        name: that of the program.
        then: what Ctrl+C does.
    """

    def __init__(self, recorder: Recorder, name: str, then: str) -> None:
        self._recorder = recorder
        self._name = printable(name)
        self._then = then
        self._begun = monotonic()
        self._blocks = 0
        self._passes = 0
        self._most = 0

    @property
    def nodes(self) -> int:
        """How many nodes there are by now; those on their way into the log are still there."""
        self._most = max(self._most, self._recorder.nodes)
        return self._most

    def text(self) -> str:
        """Say how far the program is."""
        blocks = self._recorder.log.blocks[self._blocks :]
        self._blocks += len(blocks)
        self._passes += sum(isinstance(each, Backward) for each in blocks)
        passes, nodes = counted(self._passes, "backward pass"), counted(self.nodes, "node")
        seconds = f"{monotonic() - self._begun:.0f} s"
        return f"{self._name}: {passes}, {nodes}, {seconds} ({self._then})"


class _Line:
    """A line on a terminal that others print to, kept by a thread.

    It is none of `threading`, whose threads a program may count. A process that is forked has none.
    """

    def __init__(self, terminal: int, news: _News) -> None:
        self._terminal = terminal
        self._news = news
        self._process = os.getpid()
        self._lock = RLock()  # a handler of signals may print as well
        self._shown = ""
        self._free = True  # whether the cursor is at the beginning of a line
        self._since, self._nodes = monotonic(), 0
        self._ending, self._ended = allocate_lock(), allocate_lock()

    def begin(self) -> None:
        """Begin to look."""
        self._ending.acquire()
        self._ended.acquire()
        start_new_thread(self._look, ())

    def end(self) -> None:
        """Take the line away; nothing is shown any more."""
        if os.getpid() == self._process:
            self._ending.release()
            self._ended.acquire()
            self._show("")

    def printed(self, text: str) -> None:
        """Something is about to be printed."""
        if os.getpid() != self._process:
            return
        with self._lock:
            self._show("")
            if isinstance(text, str) and text:  # else, the stream has something to say
                self._free = text.endswith("\n")
            self._since, self._nodes = monotonic(), self._news.nodes

    def _look(self) -> None:
        while not self._ending.acquire(timeout=_TICK):
            with self._lock:
                silent = self._free and monotonic() - self._since >= SILENCE
                grows = bool(self._shown) or self._news.nodes > self._nodes
                if silent and grows and _in_foreground(self._terminal):
                    self._show(self._news.text())
        self._ended.release()

    def _show(self, text: str) -> None:
        """Show a text in place of the one that is shown; it must not reach a second row."""
        if text == self._shown:
            return
        with suppress(OSError, ValueError):
            columns = os.get_terminal_size(self._terminal).columns or _COLUMNS
            text = text[: columns - 1]
            # Not more than was there: the terminal may be narrower by now.
            blank = " " * min(len(self._shown) - len(text), columns - 1 - len(text))
            back = "" if text else "\r"
            os.write(self._terminal, f"\r{text}{blank}{back}".encode(errors="replace"))
        self._shown = text


def _in_foreground(terminal: int) -> bool:
    """Whether what is typed on a terminal is for us."""
    with suppress(AttributeError, OSError):
        return os.tcgetpgrp(terminal) == os.getpgrp()
    return True
