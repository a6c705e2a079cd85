"""What tests start has signals of its own, and ends."""

from __future__ import annotations

import signal
import subprocess

import pytest

from processes import MEMORY, python, run

if not hasattr(signal, "SIGHUP"):
    pytest.skip("this system has no such signals", allow_module_level=True)

SIGNALS = "import signal; print(*(signal.getsignal(s) == signal.SIG_DFL for s in (1, 15)))"
CTRL_C = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"


@pytest.mark.parametrize("code", [SIGNALS, CTRL_C])
def test_signals_that_the_parent_ignores_are_not_ignored(code: str) -> None:
    inner = python("-c", code)
    ignoring = ["sh", "-c", 'trap "" INT HUP TERM; exec "$@"', "sh", *inner]
    assert set(run(ignoring).stdout.split()) == {"True"}


def test_memory_has_a_limit() -> None:
    ended = run(python("-c", f"try: bytearray({2 * MEMORY})\nexcept MemoryError: print('no')"))
    assert ended.stdout == "no\n"


def test_time_has_a_limit() -> None:
    asked = "import resource; print(resource.getrlimit(resource.RLIMIT_CPU)[0] > 0)"
    assert run(python("-c", asked)).stdout == "True\n"
    with pytest.raises(subprocess.TimeoutExpired):
        run(python("-c", "while True: pass"), timeout=0.5)
