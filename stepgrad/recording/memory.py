"""Bytes: how many a person asks for, and how many are free."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from math import inf
from pathlib import Path

SHARE = 4
"""Without a budget that is given, recording may take the free memory divided by this.

The program needs memory as well, and so does a debugger that looks at the recording.
"""

_UNKNOWN = 4 << 30  # free memory where the system does not say
_UNLIMITED = 1 << 62
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)B?", re.IGNORECASE)


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
