"""A program with an engine of its own, from the run to the recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepgrad.program import run_program
from stepgrad.recording.foreign.sweep import ForeignBackward
from stepgrad.recording.recording import Recording

HEALTHY = Path(__file__).parent / "healthy"

LOOP = """
class V:
    def __init__(self, data, children=()):
        self.data, self.grad, self.children = data, 0.0, children
    def __mul__(self, other):
        return V(self.data * other.data, (self, other))
    def backward(self):
        self.grad = 1.0
        a, b = self.children
        a.grad += self.grad * b.data
        b.grad += self.grad * a.data
hooked = []
w = V(2.0)
for step in range(400):
    loss = w * V(float(step))
    loss.backward()
    hooked.append("__setattr__" in vars(V))
    w.grad = 0.0
print(loss.data, hooked[0], hooked[-1])
"""


def passes(recording: Recording) -> list[ForeignBackward]:
    return [block for block in recording.blocks if isinstance(block, ForeignBackward)]


@pytest.mark.parametrize(
    ("name", "count"), [("closures", 1), ("local_grads", 3), ("recursive", 1), ("many_operands", 1)]
)
def test_passes_are_recorded_with_the_numbers_of_the_program(
    name: str, count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = HEALTHY / f"{name}.py"
    recording = run_program(str(path)).recording
    assert len(passes(recording)) == count
    assert str(path) in recording.sources
    recording.save(tmp_path / "it.stepgrad")
    again = Recording.load(tmp_path / "it.stepgrad")
    assert (again.length, again.size) == (recording.length, recording.size)
    assert capsys.readouterr().out


def test_the_text_of_a_package_with_the_engine_is_kept() -> None:
    recording = run_program(str(HEALTHY / "package.py")).recording
    assert str(HEALTHY / "engines" / "tiny.py") in recording.sources


def test_steps_that_are_alike_share_a_sweep(capsys: pytest.CaptureFixture[str]) -> None:
    recording = run_program(str(HEALTHY / "ordered.py")).recording
    assert len({id(block.sweep) for block in passes(recording)[1:]}) == 1
    assert "3" in capsys.readouterr().out


def test_when_the_memory_is_spent_the_program_runs_on_unwatched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "loop.py"
    path.write_text(LOOP, "utf-8")
    run = run_program(str(path), memory=20_000)
    assert run.recording.incomplete
    assert capsys.readouterr().out == "798.0 True False\n"
