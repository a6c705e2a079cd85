"""Running a user's program as `python program.py arguments` does, while recording it.

What the program prints, raises and exits with is unchanged; only the log is added.
"""

from __future__ import annotations

import builtins
import gc
import mmap
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.machinery import SourceFileLoader
from importlib.util import decode_source
from pathlib import Path
from threading import Timer, current_thread, main_thread
from traceback import format_exception_only
from types import CodeType, FrameType, ModuleType, TracebackType
from typing import Any, NamedTuple

from stepgrad.engine.world import World
from stepgrad.errors import StepgradError
from stepgrad.foreign import watching
from stepgrad.printable import printable
from stepgrad.reading import read_regular, why
from stepgrad.recording.record import active_recorder, record
from stepgrad.recording.recording import Recording, Source

_RESERVE = 32 << 20
"""Bytes that a program does not get, so that a MemoryError in it can be dealt with."""

_PRIVATE = {"flags": mmap.MAP_PRIVATE} if hasattr(mmap, "MAP_PRIVATE") else {}
_ENDING = ("SIGTERM", "SIGHUP")
_HOOKS = f"{Path(__file__).parent / 'foreign'}{os.sep}"
_RECORDER = f"{Path(__file__).parent / 'recording'}{os.sep}", _HOOKS


class ProgramError(StepgradError):
    """A program that cannot be run, or does not do what it was asked to."""


class Run(NamedTuple):
    """What was recorded of a program until it ended, and its exit status.

    `failure` says what ended it, where that was an error or Ctrl+C.
    """

    recording: Recording
    status: int
    failure: str = ""


def run_program(
    path: str,
    arguments: Sequence[str] = (),
    memory: int | None = None,
    *,
    saves: bool = False,
    world: World | None = None,
) -> Run:
    """Run the program at `path` as `__main__`, and record it with the lines that made its nodes.

    `memory` is the most bytes that the recording may take, as in `record()`, and `world` the one
    that the program runs in.

    If it ends with an error, Python's own traceback is printed, and what was recorded is kept. If
    the caller `saves` it, SIGTERM and SIGHUP end the program in the same way.

    Raises:
        ProgramError: the file cannot be read.
        SystemExit: this is a process that the program forked; it ends where the program ends.
    """
    try:
        content = read_regular(path)
    except (OSError, ValueError) as error:
        raise ProgramError(f"{path}: cannot be read: {why(error)}") from None
    recording, process = Recording(), os.getpid()
    recording.world = world
    status, failure = _recorded(
        recording, path, content, arguments=arguments, memory=memory, saves=saves
    )
    if os.getpid() != process:
        raise SystemExit(status)
    if failure:  # perhaps there was no memory left: now there is, even what functions refer to
        gc.collect()
    _reopen_streams()
    return Run(recording, status, failure)


def _recorded(  # noqa: PLR0913 - all that there is to a program
    recording: Recording,
    path: str,
    content: bytes,
    *,
    arguments: Sequence[str],
    memory: int | None,
    saves: bool,
) -> tuple[int, str]:
    """Run a program; return its exit status and what ended it, and keep nothing of it alive."""
    file = os.path.abspath(path)  # noqa: PTH100 - what Python does: links are not resolved
    code: CodeType | None = None
    try:
        with _as_main(path, file, arguments) as main, _interruptible(file, saves):
            code = compile(content, file, "exec", dont_inherit=True)
            recording.sources[file] = Source(file, decode_source(content))
            with record(recording, lines=True, memory=memory), watching(active_recorder()):
                _execute(code, main)
    except BaseException as error:  # whatever it is, it is the program's
        return _exit_status(error, code), _failure(error)
    return 0, ""


def _execute(code: CodeType, main: ModuleType) -> None:
    """Run a program with some memory put by, which is free again for what comes after its end.

    A program that has used up all memory still holds it while its error passes through us. Ending
    the recording then fails, and CPython before 3.14 may even try for ever to enter a `with` block
    that handles the error. Here is none: the reserve must be free before the first of them.
    """
    reserve = _reserve()
    try:
        exec(code, main.__dict__)
    finally:
        reserve.close()


def _reserve() -> mmap.mmap:
    """Return memory that is reserved, but not in use; less of it where there is not much."""
    for size in (_RESERVE, _RESERVE >> 3):
        with suppress(OSError, MemoryError):
            return mmap.mmap(-1, size, **_PRIVATE)
    return mmap.mmap(-1, 1)


@contextmanager
def _as_main(path: str, file: str, arguments: Sequence[str]) -> Iterator[ModuleType]:
    """Make a module `__main__`, and set up what it expects around it."""
    main = ModuleType("__main__")
    main.__dict__.update(
        __builtins__=builtins,
        __cached__=None,
        __file__=file,
        __loader__=SourceFileLoader("__main__", file),
    )
    before = sys.modules["__main__"], sys.argv, sys.path.copy()
    sys.modules["__main__"] = main
    sys.argv = [path, *arguments]
    if not sys.flags.safe_path:
        sys.path[0] = str(Path(file).resolve().parent)
    try:
        yield main
    finally:
        # The debugger that opens next must not import a `queue.py` beside the program.
        sys.modules["__main__"], sys.argv, sys.path[:] = before


def _reopen_streams() -> None:
    """Reopen streams that the program has closed: we still have something to print."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if getattr(stream, "closed", False):
            form = {"encoding": stream.encoding, "errors": stream.errors, "closefd": False}
            setattr(sys, name, open(descriptor, "w", **form))  # noqa: PTH123, SIM115


@contextmanager
def _interruptible(file: str, saves: bool) -> Iterator[None]:
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
        elif not ended or file in files:
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


def _exit_status(error: BaseException, code: CodeType | None) -> int:
    """Print what ended a program as Python does, without our frames; return its exit status."""
    if isinstance(error, SystemExit):
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code is not code:
        trace = trace.tb_next
    _end_before_ours(trace)
    _leave_out_hooks(error)
    sys.excepthook(type(error), error.with_traceback(trace), trace)
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def _failure(error: BaseException) -> str:
    """Say in a line what ended a program; nothing if it ended itself."""
    if isinstance(error, SystemExit):
        return ""
    if isinstance(error, KeyboardInterrupt):
        return "the program was stopped with Ctrl+C"
    lines = "".join(format_exception_only(error)).splitlines()
    what = next(line for line in lines if not line.startswith(" "))  # of a SyntaxError, the last
    return printable(f"the program failed: {what}")


def _end_before_ours(trace: TracebackType | None) -> None:
    """Cut off what Ctrl+C adds to a traceback: the signal handler, which is ours."""
    while trace is not None:
        if trace.tb_next is not None and trace.tb_next.tb_frame.f_code.co_filename == __file__:
            trace.tb_next = None
        trace = trace.tb_next


def _leave_out_hooks(error: BaseException | None) -> None:
    """Leave out of the tracebacks what stands between the program and its own classes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        trace = error.__traceback__
        while trace is not None:
            inner = trace.tb_next
            while inner is not None and inner.tb_frame.f_code.co_filename.startswith(_HOOKS):
                inner = inner.tb_next
            trace.tb_next, trace = inner, inner
        error = error.__cause__ or error.__context__
