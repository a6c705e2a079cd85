"""Running code with memory put by, so that the end of its recording needs none of the program's."""

from __future__ import annotations

import mmap
from contextlib import suppress
from types import CodeType, ModuleType

from stepgrad.program.awaiting import Awaiting

_RESERVE = 32 << 20
"""Bytes that a program does not get, so that a MemoryError in it can be dealt with."""

_PRIVATE = {"flags": mmap.MAP_PRIVATE} if hasattr(mmap, "MAP_PRIVATE") else {}


def execute(code: CodeType, main: ModuleType, awaiting: Awaiting) -> None:
    """Run a program, or a part of it that may `await`, with some memory put by.

    That is free again for what comes after its end.

    A program that has used up all memory still holds it while its error passes through us. Ending
    the recording then fails, and CPython before 3.14 may even try for ever to enter a `with` block
    that handles the error. Here is none: the reserve must be free before the first of them.
    """
    reserve = _reserve()
    try:
        coroutine = eval(code, main.__dict__)  # None, unless it has an `await`
        if coroutine is not None:
            awaiting.run(coroutine)
    finally:
        reserve.close()


def _reserve() -> mmap.mmap:
    """Return memory that is reserved, but not in use; less of it where there is not much."""
    for size in (_RESERVE, _RESERVE >> 3):
        with suppress(OSError, MemoryError):
            return mmap.mmap(-1, size, **_PRIVATE)
    return mmap.mmap(-1, 1)
