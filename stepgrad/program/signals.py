"""Signals that end a program, but never while its log is being written."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer, current_thread, main_thread
from types import FrameType, TracebackType
from typing import Any

from stepgrad.program import reserve

_ENDING = ("SIGTERM", "SIGHUP")
_PACKAGE = Path(__file__).parents[1]
HOOKS = f"{_PACKAGE / 'foreign'}{os.sep}"
"""Where the frames are that stand between a program and its own classes."""
_RECORDER = f"{_PACKAGE / 'recording'}{os.sep}", HOOKS


@contextmanager
def interruptible(saves: bool) -> Iterator[None]:
    """Let signals end the program, but not in the middle of writing the log: that would tear it.

    Those are Ctrl+C and, where the recording will be saved, SIGTERM and SIGHUP. Once one of these
    has come, they are ignored after the program's end: a closing terminal sends SIGHUP twice.
    """
    process, ended = os.getpid(), False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal ended
        files = {each.f_code.co_filename for each in _stack(frame)}
        if os.getpid() != process and number != signal.SIGINT:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        elif any(each.startswith(_RECORDER) for each in files):
            Timer(0.001, signal.raise_signal, (number,)).start()
        elif number == signal.SIGINT:
            signal.default_int_handler(number, frame)
        elif not ended or reserve.__file__ in files:
            ended = True
            raise SystemExit(128 + number)

    usual: dict[int, Any] = {signal.SIGINT: signal.default_int_handler}
    if saves:
        usual |= {getattr(signal, name, signal.SIGTERM): signal.SIG_DFL for name in _ENDING}
    if current_thread() is main_thread():
        usual = {number: how for number, how in usual.items() if signal.getsignal(number) is how}
    else:
        usual = {}
    for number in usual:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, how in usual.items():
            if signal.getsignal(number) is interrupt:
                done = ended and number != signal.SIGINT
                signal.signal(number, signal.SIG_IGN if done else how)


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
