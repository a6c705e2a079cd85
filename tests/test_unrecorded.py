"""What a program does in threads and processes of its own: it is not recorded, and that is said."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from pathlib import Path

import pytest

from forks import run_forked
from stepgrad.program import run_program
from stepgrad.recording.recording import Recording

TRAIN = """
from stepgrad import Value

def train(w):
    for _ in range(3):
        (w * w).backward()
        w.data -= 0.1 * w.grad
        w.grad = 0

w = Value(1.0, label="w")
"""
THREAD = f"{TRAIN}from threading import Thread\n"


def program(folder: Path, text: str) -> str:
    (folder / "program.py").write_text(text, "utf-8")
    return str(folder / "program.py")


def notes(folder: Path, text: str, capfd: pytest.CaptureFixture[str]) -> list[str]:
    assert run_program(program(folder, text)).status == 0
    return capfd.readouterr().err.splitlines()


def process(folder: Path, text: str, command: str) -> subprocess.CompletedProcess[str]:
    program(folder, text)
    return run_forked(command, "program.py", cwd=folder)


THREADS = {
    "one": ("t = Thread(target=train, args=[w], name='one'); t.start(); t.join()", "one"),
    "several": (
        "ts = [Thread(target=train, args=[Value(1.0)], name=f't{i}') for i in range(6)]\n"
        "for t in ts: t.start(); t.join()",
        "t0, t1, t2, t3 and 2 more",
    ),
    "a pool": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(1, 'pool') as pool: list(pool.map(train, [w, w]))",
        "pool_0",
    ),
    "one that only makes Values": (
        "t = Thread(target=lambda: w * 2, name='maker'); t.start(); t.join()",
        "maker",
    ),
    "one that only writes": (
        "t = Thread(target=lambda: setattr(w, 'grad', 2.0), name='x'); t.start(); t.join()",
        "x",
    ),
    "one that only clips": (
        "from stepgrad import SGD\n"
        "t = Thread(target=SGD([w], 0.1).step, name='x'); t.start(); t.join()",
        "x",
    ),
}


@pytest.mark.parametrize("name", THREADS)
def test_threads_that_are_not_recorded_are_said(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    does, who = THREADS[name]
    [note] = notes(tmp_path, f"{THREAD}{does}\n", capfd)
    assert note.startswith(f"note: not recorded: Values in {who}; ")
    assert "what a recorded thread uses of them is recorded" in note
    assert "record() inside" in note
    assert "contextvars.copy_context().run" in note


def test_threads_that_use_an_own_class_are_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    own = (
        "from threading import Thread\n"
        "class V:\n"
        "    def __init__(self, data, children=()):\n"
        "        self.data, self.grad, self.children = data, 0.0, children\n"
        "    def __mul__(self, other):\n"
        "        return V(self.data * other.data, (self, other))\n"
        "v = V(2.0) * V(3.0)\n"
        "for name in 'one', 'two':\n"
        "    t = Thread(target=lambda: v * v, name=name); t.start(); t.join()\n"
    )
    assert notes(tmp_path, own, capfd) == [
        "note: not recorded: Values in one, two; a class of the program's own is observed in the "
        "main thread only"
    ]


QUIET = {
    "a thread without Values": "t = Thread(target=print); t.start(); t.join()",
    "its own record": (
        "from stepgrad import record\n"
        "def own():\n    with record() as r: train(Value(1.0))\n    assert r.length > 10\n"
        "t = Thread(target=own); t.start(); t.join()"
    ),
    "a copy of the context": (
        "import contextvars\n"
        "t = Thread(target=contextvars.copy_context().run, args=[train, w]); t.start(); t.join()"
    ),
    "asyncio": "import asyncio\nasyncio.run(asyncio.to_thread(train, w))",
}


@pytest.mark.parametrize("name", QUIET)
def test_what_is_recorded_or_uses_no_values_is_not_said(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert notes(tmp_path, f"{THREAD}{QUIET[name]}\n", capfd) == []


def test_an_unrecorded_thread_computes_as_without_a_recording(tmp_path: Path) -> None:
    check = (
        "from stepgrad import SGD, mark, scope\nfrom stepgrad.engine.tape import seed\n"
        "def all_of_it():\n"
        "    with scope('s'): x = Value(2.0, label='x')\n"
        "    mark('step', 1); seed(x, 1.0)\n"
        "    sgd = SGD([x], 0.5); (x * x).backward(); sgd.step()\n"
        "    assert (x.data, x.grad, x.label) == (0.0, 4.0, 's/x')\n"
        "    x.data = 3.0; x.grad = 7.0; sgd.zero_grad()\n"
        "    assert (x.data, x.grad) == (3.0, 0.0)\n"
        "    done.append(x)\n"
        "done = []\n"
        "t = Thread(target=all_of_it); t.start(); t.join()\n"
        "y = done[0] * 2\ny.backward()\nassert done[0].grad == 2\n"
    )
    recording = run_program(program(tmp_path, f"{THREAD}{check}")).recording
    assert recording.names(recording.length).keys() >= {"w", "s/x"}


FORK = """
import os
if child := os.fork():
    os.waitpid(child, 0)
else:
    train(w)
    os._exit(0)
"""
POOL = """
import multiprocessing
def square(x):
    train(Value(x))
    return x * x
if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1) as pool:
        print(pool.map(square, [1.0, 2.0]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize(
    ("text", "who", "command"),
    [(FORK, r"process \d+", "record"), (POOL, "ForkPoolWorker-1", "check")],
)
def test_values_in_a_forked_process_are_said(
    text: str, who: str, command: str, tmp_path: Path
) -> None:
    ended = process(tmp_path, f"{TRAIN}{text}\ntrain(w)\n", command)
    [note] = [line for line in ended.stderr.splitlines() if line.startswith("note: ")]
    assert re.match(f"note: not recorded: Values in {who}; ", note)


def test_processes_that_are_not_forked_are_said(tmp_path: Path) -> None:
    text = f"{TRAIN}{POOL.replace('fork', 'spawn')}    train(w)\n"
    ended = process(tmp_path, text, "check")
    [note] = [line for line in ended.stderr.splitlines() if line.startswith("note: ")]
    assert note == (
        "note: not recorded: processes started by spawn; to record a process, use record() inside "
        "it, and save what it records"
    )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize(
    "child",
    ["print('no Value')", "\n    with stepgrad.record() as r: train(Value(1.0))\n    r.events[9]"],
)
def test_a_forked_process_without_values_or_with_its_own_recording_is_not_said(
    child: str, tmp_path: Path
) -> None:
    text = f"{TRAIN}import os, stepgrad\n{FORK.replace('train(w)', child)}train(w)\n"
    ended = process(tmp_path, text, "record")
    assert ended.returncode == 0, ended.stderr
    assert "note: " not in ended.stderr
    assert "Error" not in ended.stderr


def test_the_hooks_of_a_program_are_its_own(tmp_path: Path) -> None:
    before = threading.gettrace()
    assert run_program(program(tmp_path, f"{THREAD}import threading\n")).status == 0
    assert threading.gettrace() is before
    mine = "import threading\nthreading.settrace(print)\n"
    assert run_program(program(tmp_path, mine)).status == 0
    assert threading.gettrace() is print
    threading.settrace(before)


def test_a_recording_in_a_thread_within_a_program_is_whole(tmp_path: Path) -> None:
    own = (
        "from stepgrad import record\n"
        "def own():\n    with record() as r: train(Value(1.0))\n    r.save('own.stepgrad')\n"
        "t = Thread(target=own); t.start(); t.join()\n"
    )
    ended = process(tmp_path, f"{THREAD}{own}train(w)\n", "record")
    assert ended.returncode == 0
    assert Recording.load(tmp_path / "own.stepgrad").length > 10
    assert "note: " not in ended.stderr
