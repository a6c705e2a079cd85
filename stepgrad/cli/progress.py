"""A progress bar for long work, on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import Any

import click

from stepgrad.printable import printable
from stepgrad.progress import watching

PATIENCE = 0.5
"""Seconds before a bar is shown."""

_PARTS = 1000


@contextmanager
def progress_bar(label: str) -> Iterator[None]:
    """Show the progress of the work inside on stderr, if that is a terminal and it takes long."""
    stream = sys.stderr
    if stream is None or not stream.isatty():
        yield
        return
    begun, label = monotonic(), printable(label)
    bar: Any = None
    with ExitStack() as bars:

        def show(done: float) -> None:
            nonlocal bar
            if bar is None and monotonic() - begun >= PATIENCE:
                bar = bars.enter_context(click.progressbar(length=_PARTS, label=label, file=stream))
            if bar is not None:
                # Another part of the work may begin again at 0: a bar does not go back.
                bar.update(max(0, round(done * _PARTS) - bar.pos))

        with watching(show):
            yield
            show(1.0)
