"""The progress of long work, and a way to cancel it.

Training, a search or a big file may take long. The work reports its progress with `advance`, and
does not care who listens. A screen listens with `watching`; its watcher may raise `Cancelled`,
which stops the work where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Watcher = Callable[[float], None]
"""Takes the share of the work that is done, from 0 to 1."""


class Cancelled(Exception):  # noqa: N818 - a request, not an error
    """The rest of the work is not wanted."""


_watcher: ContextVar[Watcher | None] = ContextVar("stepgrad progress", default=None)


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Report the progress of the work inside, in this thread or task, to `watcher`."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


@contextmanager
def part(begin: float, end: float) -> Iterator[None]:
    """Report the progress of the work inside as that of a part of all, from `begin` to `end`."""
    watcher = _watcher.get()
    if watcher is None:
        yield
        return
    with watching(lambda done: watcher(begin + done * (end - begin))):
        yield


def advance(done: int, total: int) -> None:
    """Report that `done` of `total` parts are done; without a watcher, nothing happens.

    Raises:
        Cancelled: the watcher does not want the rest.
    """
    watcher = _watcher.get()
    if watcher is not None:
        watcher(done / total if total else 1.0)


class Work:
    """Counts how much of some work is done, and reports it; nothing, if there is no work.

    Args:
        total: how much there is to do.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0

    def did(self, count: int) -> None:
        """So much more is done."""
        self._done += count
        if self._total:
            advance(self._done, self._total)
