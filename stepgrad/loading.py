"""Importing many modules at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Collect no garbage: what is loaded here stays.

    Python would scan all of it again and again, which takes a tenth of the start-up time.
    """
    collects, frozen = gc.isenabled(), gc.get_freeze_count()
    gc.disable()
    try:
        yield
    finally:
        if not frozen:  # what is new counts as old, so it is not scanned at once
            gc.freeze()
            gc.unfreeze()
        if collects:
            gc.enable()
