"""Which lines write in place to what a backward pass needs (`Versions`).

PyTorch counts the writes to a tensor, and refuses a pass if one came after the tensor was saved for
it. It tells the count and the shape, but not the line.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from math import prod
from typing import NamedTuple

from torch import Tensor

from stepgrad.recording.naming.sites import Spot
from stepgrad.recording.source import place_of

_MOST = 1 << 12
"""The most writes to remember."""

_REFUSED = re.compile(
    r"modified by an inplace operation: \[\S+ \[([\d, ]*)\]\].*expected version (\d+)", re.DOTALL
)


class _Write(NamedTuple):
    """A write in place: to which shape, after how many others, by which operation, and where."""

    shape: tuple[int, ...]
    version: int
    name: str
    spot: Spot


class Versions:
    """Remembers the latest writes in place."""

    def __init__(self) -> None:
        self._writes = deque[_Write](maxlen=_MOST)

    def writes(self, tensors: Iterable[Tensor], name: str, spot: Spot) -> None:
        """An operation is about to write to tensors on a line."""
        for each in tensors:
            if not each.is_inference():  # a view counts with what it is a view of
                wholes = (each,) if each._base is None else (each, each._base)
                for whole in wholes:
                    self._writes.append(_Write(tuple(whole.shape), whole._version, name, spot))

    def explain(self, error: Exception) -> None:
        """Add the line of the write to an error of PyTorch, if that is what it is about.

        It is the latest to a tensor with as many elements (what was saved may be transposed) that
        had the count which is expected; one of the same shape, if there is any.
        """
        found = _REFUSED.search(str(error))
        if found is None:
            return
        shape = tuple(map(int, filter(None, found[1].split(","))))
        expected = int(found[2])
        near = [
            each
            for each in reversed(self._writes)
            if each.version == expected and prod(each.shape) == prod(shape)
        ]
        if near:
            write = next((each for each in near if each.shape == shape), near[0])
            line, file = write.spot
            if line is not None and file is not None:
                place = place_of(file, line)
                error.add_note(f"`{write.name}` at {place} writes to it in place")
