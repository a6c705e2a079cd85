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


def advance(done: int, total: int) -> None:
    """Report that `done` of `total` parts are done; without a watcher, nothing happens.

    Raises:
        Cancelled: the watcher does not want the rest.
    """
    watcher = _watcher.get()
    if watcher is not None:
        watcher(done / total if total else 1.0)
