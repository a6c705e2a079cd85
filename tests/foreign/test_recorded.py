"""A program with an engine of its own, from the run to the recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepgrad.diagnosis import diagnose
from stepgrad.program import run_program
from stepgrad.recording.blocks import Forward
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


LARGE = """
import gc
class V:
    def __init__(self, data, children=()):
        self.data, self.grad, self.children = data, 0.0, children
    def __add__(self, other):
        other = other if isinstance(other, V) else V(other)
        out = V(self.data + other.data, (self, other))
        def rule():
            self.grad += out.grad
            other.grad += out.grad
        out.rule = rule
        return out
    def __mul__(self, other):
        other = other if isinstance(other, V) else V(other)
        out = V(self.data * other.data, (self, other))
        def rule():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.rule = rule
        return out
ws = [V(i / 40) for i in range(1, 41)]
def model(row):
    total = ws[0] * row[0]
    for w, x in zip(ws[1:], row[1:]):
        total = total + w * x
    return total
rows = [[(i * j % 13 + 1) / 7 for j in range(40)] for i in range(1, 121)]
best = 0.0
for row in rows * 4:
    best = max(best, model(row).data)
    gc.collect(0)  # the recorder looks then, which else is left to chance
print(best)
loss = model(rows[0])
for row in rows[1:]:
    loss = loss + model(row)
def visit(node):
    if hasattr(node, "rule"):
        for child in node.children:
            visit(child)
        nodes.append(node)
nodes = []
visit(loss)
loss.grad = 1.0
for node in reversed(nodes):
    node.rule()
"""


def test_evaluations_are_blocks_and_a_large_pass_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "large.py"
    path.write_text(LARGE, "utf-8")
    recording = run_program(str(path)).recording
    assert capsys.readouterr().out
    first, *evaluations, last, backward = recording.blocks
    assert isinstance(last, Forward)
    assert isinstance(backward, ForeignBackward)
    assert len({len(each.values) for each in evaluations if isinstance(each, Forward)}) == 1
    assert [each.start for each in backward.over] == [last.start, first.start]  # first: the leaves
    (verdict,) = diagnose(recording)
    assert verdict.note, verdict.text
