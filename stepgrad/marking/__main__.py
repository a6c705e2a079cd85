"""The process in which a submission runs: FILE SCENARIO PLACE MEMORY SECONDS.

Its verdict is JSON on what was stdout. Whatever the submission prints is lost.
"""

from __future__ import annotations

import json
import os
import sys
from math import ceil

from stepgrad.marking.judging import judged


def _bound(memory: int, seconds: float) -> None:
    """Bound the memory and the time of this process, where the system can."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    for name, most in (("DATA", memory), ("CPU", ceil(seconds)), ("CORE", 0)):
        what = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(what)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, hard))


def _main(path: str, scenario: str, place: str, memory: str, seconds: str) -> None:
    channel = os.dup(1)
    os.set_inheritable(channel, False)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _bound(int(memory), float(seconds))
    right, said = judged(path, scenario, int(place))
    os.write(channel, json.dumps({"right": right, "said": said}).encode())
    os._exit(0)  # neither threads nor exit handlers of the submission have a say


if __name__ == "__main__":
    _main(*sys.argv[1:])
