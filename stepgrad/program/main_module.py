"""The module `__main__`, and what a program expects around it."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

from stepgrad.program.parts import Program


@contextmanager
def as_main(program: Program, arguments: Sequence[str]) -> Iterator[ModuleType]:
    """Make a module `__main__`, and set up what a program expects around it."""
    main = ModuleType("__main__")
    main.__dict__["__builtins__"] = builtins
    before = sys.modules["__main__"], sys.argv, sys.path.copy()
    sys.modules["__main__"] = main
    sys.argv = [program.name, *arguments]
    if not sys.flags.safe_path:
        sys.path[0] = program.folder
    try:
        yield main
    finally:
        # The debugger that opens next must not import a `queue.py` beside the program.
        sys.modules["__main__"], sys.argv, sys.path[:] = before
