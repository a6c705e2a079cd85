"""A scenario that trains only as far as a test lets it: threads in step, without any sleep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

import pytest

from stepgrad import progress
from stepgrad.scenario import build

PATIENCE = 30.0


class Gate:
    """Stands behind every pass of `record_file`: the first `open` passes go through.

    Each pass has been told to whoever watches when it comes to the gate.
    """

    def __init__(self) -> None:
        self._open = 1
        self._come = 0
        self._condition = Condition()

    def advance(self, done: int, total: int) -> None:
        """Take the place of `progress.advance`."""
        progress.advance(done, total)
        with self._condition:
            self._come = done
            self._condition.notify_all()
            assert self._condition.wait_for(lambda: self._open > done, PATIENCE)

    def let(self, passes: int) -> None:
        """Let this many passes be recorded in all, and wait until they are."""
        with self._condition:
            self._open = passes
            self._condition.notify_all()
            assert self._condition.wait_for(lambda: self._come >= passes, PATIENCE)

    def leave_open(self) -> None:
        """Let everything through that still comes."""
        with self._condition:
            self._open = 1 << 30
            self._condition.notify_all()


@contextmanager
def gate(patch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Put a gate before whatever is recorded inside; at the end it is open."""
    gate = Gate()
    patch.setattr(build, "advance", gate.advance)
    try:
        yield gate
    finally:
        gate.leave_open()
