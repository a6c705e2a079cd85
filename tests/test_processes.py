"""What tests start has signals of its own, and ends."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from forks import run_forked
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


LEFT = """
import os, resource, sys
print(resource.getrlimit(resource.RLIMIT_CPU)[0] > 0, os.getcwd(), input(), hasattr(os, "left"))
os.left = os.environ["LEFT"] = "left"
os.kill(os.getpid(), int(sys.argv[1]))
"""


def test_forks_have_limits_and_leave_nothing(tmp_path: Path) -> None:
    (tmp_path / "left.py").write_text(LEFT)
    for number in signal.SIGKILL, 0:
        ended = run_forked("run", "left.py", str(int(number)), stdin="typed", cwd=tmp_path)
        said = "" if number else f"True {tmp_path} typed False\n"  # what is killed prints nothing
        assert (ended.returncode, ended.stdout) == (-number, said)
