"""The module `__main__` that a program is, and what it expects around it."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType


@contextmanager
def as_main(path: str, file: str, arguments: Sequence[str]) -> Iterator[ModuleType]:
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
