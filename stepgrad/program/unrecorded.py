"""Values in threads and processes of a program that nothing records: who they are, to be said.

A thread starts in an empty context, so it reports to no tape, and a forked process takes its
recording with it to its end. Each gets a tape that notes that it was used, and otherwise does what
the engine does without one. In processes that are not forked (multiprocessing's `spawn` and
`forkserver`), nothing of ours runs: it is only known that there are some.
"""

from __future__ import annotations

import os
import sys
import threading
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from stepgrad.engine.backward import ancestors, propagate
from stepgrad.engine.node import Node
from stepgrad.engine.tape import Rule, Tape, WriteKind, active_tape, assign, report_to
from stepgrad.printable import few, printable

_FORKS = hasattr(os, "register_at_fork")

_SHOWN = 4
"""The most threads and processes to name."""

_OF_THREADS = (
    "what a recorded thread uses of them is recorded; "
    "to record a thread, start it in a copy of the context (contextvars.copy_context().run), "
    "or use record() inside it"
)
_OF_OTHERS = "a class of the program's own is observed in the main thread only"
_OF_PROCESSES = "to record a process, use record() inside it, and save what it records"


_STARTERS = {
    "multiprocessing.popen_spawn_posix": "spawn",
    "multiprocessing.popen_spawn_win32": "spawn",
    "multiprocessing.popen_forkserver": "forkserver",
}
"""The modules that start processes which are not forked, each imported with the first of them."""


class _Witness(Tape):
    """A tape that notes the first use of it, and keeps nothing.

    What it does not define does nothing.
    """

    def __init__(self, note: Callable[[], None]) -> None:
        self._note = note
        self.append: Callable[[Node], None] = self._first

    def _used(self) -> None:
        if self.append == self._first:
            self.append = deque[Node](maxlen=0).append
            self._note()

    def _first(self, _: Node) -> None:
        self._used()

    def write(self, kind: WriteKind, value: Node, after: float) -> None:
        """Carry a write out."""
        self._used()
        assign(kind, [value], [after])

    def write_all(
        self,
        kind: WriteKind,
        values: Sequence[Node],
        after: array[float],
        rule: Rule | None,  # noqa: ARG002 - for a log
    ) -> None:
        """Carry writes out."""
        self._used()
        assign(kind, values, after)

    def backward(self, root: Node) -> None:
        """Run the backward pass."""
        self._used()
        propagate(root, ancestors(root))


class Unrecorded:
    """Finds out which threads and forked processes use Values, while a program is recorded.

    Its `tape` is that of the recording; a program's own recordings go on after a fork.
    """

    def __init__(self) -> None:
        self.tape: Tape | None = None
        self._threads: dict[str, None] = {}
        self._unwatched: dict[str, None] = {}
        self._starters = {name for name in _STARTERS if name in sys.modules}
        self._pipe = os.pipe() if _FORKS else None
        if self._pipe is not None:
            os.set_blocking(self._pipe[0], False)

    def begin_thread(self, _frame: FrameType, _event: str, _argument: object) -> None:
        """Watch the thread that begins; it is called as a trace function, once."""
        sys.settrace(None)
        if active_tape() is None:
            name = threading.current_thread().name
            report_to(_Witness(lambda: self._threads.setdefault(name)))  # type: ignore[abstract]

    def unwatched(self) -> None:
        """Take note that this thread uses a class of the program's own, which is not seen."""
        self._unwatched.setdefault(threading.current_thread().name)

    def begin_process(self) -> None:
        """Watch this process, which has just been forked."""
        if active_tape() is self.tape:
            report_to(_Witness(self._note_process))  # type: ignore[abstract]

    def _note_process(self) -> None:
        processes = sys.modules.get("multiprocessing.process")
        name = processes.current_process().name if processes else "MainProcess"
        if name == "MainProcess":
            name = f"process {os.getpid()}"
        if self._pipe is not None:
            with suppress(OSError):
                os.write(self._pipe[1], f"{name}\n".encode())

    def note(self, *, recorded: bool) -> str:
        """Which of them used Values, and what to do; empty if none did.

        What processes do that were not forked is not known. They are named where the program
        itself has used Values (`recorded`).
        """
        used = (*self._threads, *self._unwatched, *self._processes())
        names = [*dict.fromkeys(map(printable, used))]
        who = few(names, _SHOWN)
        started = self._started() if recorded else ""
        what = [f"Values in {who}" * bool(names), f"processes started by {started}" * bool(started)]
        if not any(what):
            return ""
        how = _OF_OTHERS if self._unwatched else _OF_PROCESSES
        if self._threads:
            how = _OF_THREADS
        return f"note: not recorded: {' and '.join(filter(None, what))}; {how}"

    def _started(self) -> str:
        """How processes were started that were not forked; empty if none were."""
        return next(
            (
                method
                for name, method in _STARTERS.items()
                if name in sys.modules and name not in self._starters
            ),
            "",
        )

    def _processes(self) -> Sequence[str]:
        if self._pipe is not None:
            with suppress(BlockingIOError):
                return os.read(self._pipe[0], 1 << 16).decode(errors="replace").splitlines()
        return ()

    def close(self) -> None:
        """Let go of what processes write to."""
        for end in self._pipe or ():
            os.close(end)


_watching: Unrecorded | None = None


def _forked() -> None:
    if _watching is not None:
        _watching.begin_process()


if _FORKS:
    os.register_at_fork(after_in_child=_forked)


@contextmanager
def witnessing() -> Iterator[Unrecorded]:
    """Watch the threads and the forked processes that begin inside.

    Where a debugger already traces new threads, they are left to it.
    """
    global _watching  # noqa: PLW0603 - a hook for forks cannot be taken back
    unrecorded = _watching = Unrecorded()
    begin = unrecorded.begin_thread
    if threading.gettrace() is None:
        threading.settrace(begin)
    try:
        yield unrecorded
    finally:
        _watching = None
        if threading.gettrace() == begin:
            threading.settrace(None)
        unrecorded.close()
