"""How much memory a recording may take, and how much of it is spent.

A program may go on for ever; what it records may not. Bytes are counted by rules of our own, which
are about what Python takes, and the same each time: a recording with a small budget stops at the
same event wherever it is made.
"""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable
from contextlib import suppress
from math import inf
from pathlib import Path
from typing import Any
from weakref import WeakMethod

from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.structure import Structure
from stepgrad.recording.sweep import Sweep, Writes

SHARE = 4
"""Without a budget that is given, recording may take the free memory divided by this.

The program needs memory as well, and so does a debugger that looks at the recording.
"""

NODE = 256
"""Bytes of a node whose pass is not in the log yet: a whole Value is kept."""

_BLOCK = 320
_NUMBER = 8
_NAME = 128
_SHAPE = 512
_SHAPE_NODE, _SHAPE_EDGE, _SHAPE_WRITE = 40, 16, 96

_Shape = Structure | Sweep | Writes

_UNKNOWN = 4 << 30  # free memory where the system does not say
_UNLIMITED = 1 << 62
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)B?", re.IGNORECASE)


class Budget:
    """The bytes that a recording may take."""

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self._left = memory
        self._shapes: set[_Shape] = set()

    def take(self, block: Block) -> None:
        """Pay for a block, and for its shape where it is the first of it."""
        self._left -= _BLOCK
        shape: _Shape | None = None
        match block:
            case Forward(structure=structure, values=values, tangents=tangents):
                shape = structure
                self._left -= _NUMBER * len(values) * (1 if tangents is None else 2)
            case Backward(sweep=sweep, grads=grads):
                shape = sweep
                self._left -= _NUMBER * len(grads)
            case Write(writes=writes, after=after, rule=rule):
                shape = writes
                columns = 0 if rule is None else len(rule.columns)
                self._left -= _NUMBER * len(after) * (1 + columns)
        if shape is not None and shape not in self._shapes:
            self._shapes.add(shape)
            self._left -= _of_shape(shape)

    def take_name(self) -> None:
        """Pay for a name that a node gets when it is in the log already."""
        self._left -= _NAME

    @property
    def spent(self) -> bool:
        """Whether recording should end with this pass."""
        return self._left < 0

    @property
    def overspent(self) -> bool:
        """Whether it should end now: what came since took as much again."""
        return self._left < -self.memory

    @property
    def room(self) -> int:
        """The most nodes that may wait for the end of their pass, before all is overspent."""
        return max(1, (self._left + self.memory) // NODE)


def _of_shape(shape: _Shape) -> int:
    match shape:
        case Structure():
            named = len(shape.names) + len(shape.places)
            return _SHAPE + _SHAPE_NODE * len(shape) + _NAME * named
        case Sweep():
            return _SHAPE + _SHAPE_EDGE * shape.edges
        case Writes():
            return _SHAPE + _SHAPE_WRITE * len(shape.nodes)


def watch(look: WeakMethod[Callable[[], None]]) -> Callable[[], None]:
    """Call `look` each time that Python has made some hundred objects; return what ends that.

    Python looks for garbage then, in whichever thread: it costs nothing where Values are made.
    """

    def called(phase: str, _: Any) -> None:
        if phase == "start":
            alive = look()
            if alive is None:
                end()
            else:
                alive()

    def end() -> None:
        with suppress(ValueError):
            gc.callbacks.remove(called)

    gc.callbacks.append(called)
    return end


def as_bytes(size: int | str) -> int:
    """Return how many bytes a size is: a number of them, or a text such as `500MB` or `1.5 GB`.

    Raises:
        ValueError: it is not a size, or not above 0.
    """
    found = _SIZE.fullmatch(str(size).strip())
    count = float(found[1]) * _UNITS[found[2].upper()] if found else 0
    if not 1 <= count < inf:
        raise ValueError(f"{size!r} is not an amount of memory; write 500MB or 2GB")
    return int(count)


def in_words(count: int) -> str:
    """Return a number of bytes as a person reads it: `500 MB`."""
    for unit, size in reversed(_UNITS.items()):
        if count >= size:
            return f"{count / size:.3g} {'k' if unit == 'K' else unit}B"
    return f"{count} B"


def default_memory() -> int:
    """Return how many bytes a recording that begins now may take."""
    return max(1, free_memory() // SHARE)


def free_memory() -> int:
    """Return how many bytes this process may still take, as far as the system says."""
    return min(_free_in_machine(), _free_in_group(), _free_in_process())


def _free_in_machine() -> int:
    with suppress(OSError, ValueError, IndexError):
        text = Path("/proc/meminfo").read_text("ascii")
        return int(text.split("MemAvailable:")[1].split()[0]) * 1024
    with suppress(AttributeError, OSError, ValueError):  # half of all there is, on macOS
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return _UNKNOWN


def _free_in_group() -> int:
    """What Linux leaves to the control group (a container), where it has a limit."""
    with suppress(OSError, ValueError, IndexError):
        name = Path("/proc/self/cgroup").read_text().split("0::/")[1].splitlines()[0]
        group = Path("/sys/fs/cgroup") / name
        limit, used = (int((group / f"memory.{what}").read_text()) for what in ("max", "current"))
        return max(0, limit - used)
    return _UNLIMITED


def _free_in_process() -> int:
    """What `ulimit -v` and `ulimit -d` leave to the process, where it has such limits."""
    free = _UNLIMITED
    with suppress(ImportError, OSError, ValueError, IndexError):
        import resource  # noqa: PLC0415 - not on Windows

        pages = Path("/proc/self/statm").read_text().split()
        for what, used in ((resource.RLIMIT_AS, pages[0]), (resource.RLIMIT_DATA, pages[5])):
            limit = resource.getrlimit(what)[0]
            if limit != resource.RLIM_INFINITY:
                free = min(free, max(0, limit - int(used) * resource.getpagesize()))
    return free
