"""Signals that end a program, but never while its log is being written."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer, current_thread, local, main_thread
from types import FrameType, TracebackType
from typing import Any

from stepgrad.program import reserve

_ENDING = ("SIGTERM", "SIGHUP")
_PACKAGE = Path(__file__).parents[1]
HOOKS = f"{_PACKAGE / 'foreign'}{os.sep}", f"{_PACKAGE / 'torch'}{os.sep}"
"""Where the frames are that stand between a program and its own classes, or PyTorch."""
_RECORDER = f"{_PACKAGE / 'recording'}{os.sep}", *HOOKS
_CALLING = str(_PACKAGE / "torch" / "program.py")
"""Where functions of PyTorch are called: the log is not written meanwhile."""


@contextmanager
def interruptible(saves: bool) -> Iterator[None]:
    """Let signals end the program, but not in the middle of writing the log: that would tear it.

    Those are Ctrl+C and, where the recording will be saved, SIGTERM and SIGHUP. Once one of these
    has come, they are ignored after the program's end: a closing terminal sends SIGHUP twice. They
    end a process that the program forks at once.
    """
    ended = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal ended
        files = {each.f_code.co_filename for each in _stack(frame)}
        if any(each.startswith(_RECORDER) for each in files - {_CALLING}):
            Timer(0.001, signal.raise_signal, (number,)).start()
        elif number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        elif not ended or reserve.__file__ in files:
            ended = True
            raise SystemExit(128 + number)

    usual: dict[int, Any] = {signal.SIGINT: signal.default_int_handler}
    if saves:
        usual |= _endings()
    if current_thread() is main_thread():
        usual = {number: how for number, how in usual.items() if signal.getsignal(number) is how}
    else:
        usual = {}
    for number in usual:
        signal.signal(number, interrupt)
    _ours.update({number: interrupt for number in usual if number != signal.SIGINT})
    try:
        yield
    finally:
        _ours.clear()
        for number, how in usual.items():
            if signal.getsignal(number) is interrupt:
                done = ended and number != signal.SIGINT
                signal.signal(number, signal.SIG_IGN if done else how)


@contextmanager
def finishing(note: Callable[[], None]) -> Iterator[None]:
    """Have what is inside finished, whatever signal comes; `note` says so after Ctrl+C.

    A second Ctrl+C ends it.
    """
    if current_thread() is not main_thread():
        yield
        return
    asked = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            signal.default_int_handler(number, frame)
        asked = True
        note()

    usual: dict[int, Any] = {signal.SIGINT: signal.default_int_handler} | _endings()
    usual = {number: how for number, how in usual.items() if signal.getsignal(number) is how}
    for number in usual:
        signal.signal(number, interrupt if number == signal.SIGINT else signal.SIG_IGN)
    try:
        yield
    finally:
        for number, how in usual.items():
            signal.signal(number, how)


def _endings() -> dict[int, Any]:
    """Return the signals that end a program, with how they do that by default."""
    return {getattr(signal, name, signal.SIGTERM): signal.SIG_DFL for name in _ENDING}


_ours: dict[int, Any] = {}
"""The handlers that a process which is forked does not keep."""
_masks = local()


def _before_fork() -> None:
    """Hold signals back: until Python has forgotten those of its parent, a handler loses them."""
    _masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, _ours)


def _after_fork() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _masks.before)


def _begin_process() -> None:
    for number, handler in _ours.items():
        if signal.getsignal(number) is handler:
            signal.signal(number, signal.SIG_DFL)
    _ours.clear()
    _after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_begin_process
    )


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def end_before_handler(trace: TracebackType | None) -> None:
    """Cut off what Ctrl+C adds to a traceback: the signal handler, which is ours."""
    while trace is not None:
        if trace.tb_next is not None and trace.tb_next.tb_frame.f_code.co_filename == __file__:
            trace.tb_next = None
        trace = trace.tb_next
