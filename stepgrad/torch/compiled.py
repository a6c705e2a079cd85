"""What `torch.compile` compiles: it runs uncompiled where it is watched, and that is said."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any

import torch

_NOTE = "stepgrad: what torch.compile compiles runs uncompiled while it is recorded"


@contextmanager
def compiling_said() -> Iterator[None]:
    """Say on stderr, once, that the program compiles something inside.

    PyTorch itself does not compile below a dispatch mode.
    """
    original = torch.compile
    said = False

    @wraps(original)
    def compile_said(*args: Any, **kwargs: Any) -> Any:
        nonlocal said
        if not said and sys.stderr is not None:
            said = True
            with suppress(OSError, ValueError):  # it may be closed
                print(_NOTE, file=sys.stderr)
        return original(*args, **kwargs)

    torch.compile = compile_said
    try:
        yield
    finally:
        if torch.compile is compile_said:
            torch.compile = original
