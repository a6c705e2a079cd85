"""Leaving the screen without a key: on a signal, or because the terminal is gone.

A terminal that is gone need not send SIGHUP: nohup ignores it, and it goes to the session that the
terminal controls. Textual's driver would read the end of stdin again and again.
"""

from __future__ import annotations

import os
import select
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepgrad.tui.app import DebuggerApp

ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""The signals that ask a program to end."""

_POLLS = hasattr(select, "poll")

_HANG_UP = getattr(signal, "SIGHUP", 0)

_GLANCE = 1.0
"""Seconds after which the thread that waits for a hang-up sees that the screen was left."""


@contextmanager
def restoring(app: DebuggerApp) -> Iterator[None]:
    """Leave the screen before a signal does what it would do without one.

    A second signal does not wait for that, unless the terminal is gone: one that closes sends
    SIGHUP twice. One that is gone without a signal does what SIGHUP would do. Where that is
    ignored, the screen is left all the same, and nothing more.
    """
    asked: list[int] = []

    def leave(number: int, _: FrameType | None) -> None:
        closed = _abandon_terminal()
        ignored = before[number] is signal.SIG_IGN
        if (closed and asked) or (ignored and not closed):
            return
        if not asked and app.leave():
            asked.append(number)
        else:
            signal.signal(number, before[number])
            signal.raise_signal(number)

    def hang_up() -> None:
        _abandon_terminal()
        while not (asked or over.is_set()):
            if app.leave():
                asked.append(_HANG_UP)
            else:  # there is no screen to leave yet
                over.wait(_GLANCE)

    over = Event()
    before = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in before.items():
        # The terminal also sends SIGCONT, at which Textual would write to it: SIGHUP is before it.
        if handler is not signal.SIG_IGN or number == _HANG_UP:
            signal.signal(number, leave)
    if os.isatty(0) and _POLLS:
        Thread(target=_await_hangup, args=(hang_up, over), name="hang-up", daemon=True).start()
    try:
        yield
    finally:
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        signal.raise_signal(asked[0])


def is_gone() -> bool:
    """Whether the other end of stdin is closed: its terminal, or the writer of a pipe."""
    return _POLLS and any(happened & select.POLLHUP for _, happened in _polled().poll(0))


def _polled() -> select.poll:
    poll = select.poll()
    poll.register(0, 0)  # that it is closed is reported unasked
    return poll


def _await_hangup(hang_up: Callable[[], None], over: Event) -> None:
    """Wait until stdin's terminal is gone, or until the screen was left."""
    poll = _polled()
    while not over.is_set():
        poll.poll(_GLANCE * 1000)
        if not os.isatty(0) and not over.is_set():
            hang_up()
            return


def _abandon_terminal() -> bool:
    """If the terminal is closed, lead its streams nowhere, or the screen could not be left.

    Stdin stays closed. Return whether the terminal is.
    """
    if os.isatty(1):
        return False
    closed, sender = os.pipe()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor, instead in enumerate((closed, nowhere, nowhere)):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(descriptor).st_mode) and not os.isatty(descriptor):
                os.dup2(instead, descriptor)
    for descriptor in (closed, sender, nowhere):
        os.close(descriptor)
    return True
