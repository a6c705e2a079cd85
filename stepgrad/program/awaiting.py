"""`await` outside of functions, as notebooks may have it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import Runner


class Awaiting:
    """Runs the coroutines of a program in one event loop, so that a cell may await another's task.

    The loop begins with the first coroutine, and ends with `close`, which cancels what is left.
    """

    def __init__(self) -> None:
        self._runner: Runner | None = None

    def run(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Run a coroutine to its end."""
        if self._runner is None:
            from asyncio import Runner  # noqa: PLC0415 - hardly any program needs it

            self._runner = Runner()
        self._runner.run(coroutine)

    def close(self) -> None:
        """End the loop, if there is one."""
        if self._runner is not None:
            self._runner.close()
