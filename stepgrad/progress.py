"""How far long work has come, and whether anybody still wants it.

Training, a search or a big file may take long. The work says how far it is with `advance`; it never
asks who listens. A screen listens with `watching`, and what it is told may make it raise
`Cancelled`, which ends the work where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Watcher = Callable[[float], None]
"""Is told which part of the work is done, from 0 to 1."""


class Cancelled(Exception):  # noqa: N818 - a wish, no error
    """The work is not wanted any more."""


_watcher: ContextVar[Watcher | None] = ContextVar("stepgrad progress", default=None)


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Tell `watcher` how far the work inside is, in this thread or task."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def advance(done: int, total: int) -> None:
    """Say that `done` of `total` parts are done; without anybody who listens, nothing happens.

    Raises:
        Cancelled: whoever listens does not want the rest.
    """
    watcher = _watcher.get()
    if watcher is not None:
        watcher(done / total if total else 1.0)
