"""How a program ends: its exit status, its traceback without our frames, and its streams."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from traceback import format_exception_only, print_exception, walk_tb
from types import TracebackType

from stepgrad.errors import StepgradError
from stepgrad.printable import printable
from stepgrad.program.signals import HOOKS, end_before_handler
from stepgrad.recording.source import is_cell

_OURS = (
    f"{Path(__file__).parent}{os.sep}",
    "<frozen importlib",
    f"{Path(os.__file__).parent / 'asyncio'}{os.sep}",  # where a cell of a notebook awaits
)
"""What stands before a program in its tracebacks."""

_AMONG = *HOOKS, str(Path(__file__).with_name("meanwhile.py"))
"""What stands between its own lines there."""

_HANDLER = "handle_torch_function"


def exit_status(error: BaseException) -> int:
    """Print what ended a program as Python does, without our frames; return its exit status."""
    if isinstance(error, SystemExit):
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    end_before_handler(trace)
    _leave_out_hooks(error)
    hook = sys.excepthook
    if hook is sys.__excepthook__ and any(
        is_cell(frame.f_code.co_filename) for frame, _ in walk_tb(trace)
    ):
        print_exception(error.with_traceback(trace))  # which shows lines of no file as well
    else:
        hook(type(error), error.with_traceback(trace), trace)
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def failure_of(error: BaseException) -> str:
    """Say in a line what ended a program, with its notes; nothing if it ended itself."""
    if isinstance(error, SystemExit):
        return ""
    if isinstance(error, KeyboardInterrupt):
        return "the program was stopped with Ctrl+C"
    told = str(error) if isinstance(error, StepgradError) else "".join(format_exception_only(error))
    lines = told.splitlines()
    what = next(line for line in lines if not line.startswith(" "))  # of a SyntaxError, the last
    return printable(" ".join([f"the program failed: {what}", *getattr(error, "__notes__", ())]))


def reopen_streams() -> None:
    """Reopen streams that the program has closed: we still have something to print."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if getattr(stream, "closed", False):
            form = {"encoding": stream.encoding, "errors": stream.errors, "closefd": False}
            setattr(sys, name, open(descriptor, "w", **form))  # noqa: PTH123, SIM115


def _leave_out_hooks(error: BaseException | None) -> None:
    """Leave out of the tracebacks what stands between the program and its own classes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        kept = _without_hooks(error.__traceback__)
        for trace, inner in zip(kept, [*kept[1:], None], strict=False):  # a cause may have none
            trace.tb_next = inner
        error = error.__cause__ or error.__context__


def _without_hooks(trace: TracebackType | None) -> list[TracebackType]:
    """Return the parts of a traceback without our hooks, and without the way to them.

    A function of PyTorch that is written in Python calls `_HANDLER`, which calls the hook, which
    calls the function again.
    """
    kept: list[TracebackType] = []
    hooked = False
    while trace is not None:
        code = trace.tb_frame.f_code
        if kept and code.co_filename.startswith(_AMONG):
            hooked = True
        else:
            around = [each.tb_frame.f_code for each in kept[-2:]]
            if hooked and [each.co_name for each in around[1:]] == [_HANDLER] and around[0] is code:
                del kept[-2:]
            hooked = False
            kept.append(trace)
        trace = trace.tb_next
    return kept
