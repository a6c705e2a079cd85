"""Warnings of PyTorch: they point at the line of the program, as if nothing were in between."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stepgrad.torch.frames import Frames

_SHOWN = "_showwarnmsg"
"""What Python calls with each warning that is to be shown, PyTorch's own among them."""


@contextmanager
def warned_at_line(frames: Frames, caller: str, registry: dict[str, Any]) -> Iterator[None]:
    """Have warnings of PyTorch point at the line of the program inside.

    Which of them are shown, and how often, is asked again for that line.

    Args:
        frames: finds the line.
        caller: the file that calls PyTorch for the program, to which warnings are ascribed.
        registry: that file's registry of the warnings that it has shown.
    """
    show: Any = getattr(warnings, _SHOWN, None)

    def shown(message: Any) -> None:
        frame = next(frames.running(), None) if message.filename == caller else None
        if frame is None:
            show(message)
            return
        registry.clear()  # the next one may be of another line
        warnings.warn_explicit(
            message.message,
            message.category,
            frame.f_code.co_filename,
            frame.f_lineno,
            frame.f_globals.get("__name__"),
            frame.f_globals.setdefault("__warningregistry__", {}),
        )

    if show is None:
        yield
        return
    setattr(warnings, _SHOWN, shown)
    try:
        yield
    finally:
        if getattr(warnings, _SHOWN, None) is shown:
            setattr(warnings, _SHOWN, show)
