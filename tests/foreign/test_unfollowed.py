"""What an engine does that cannot be followed is neither right nor wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepgrad.checking.result import judge
from stepgrad.program import run_program

HEALTHY = Path(__file__).parent / "healthy"
QUEUE = (HEALTHY / "queue.py").read_text("utf-8")
LOST = "a backward pass with a worklist could not be followed, so no gradient is checked"


def checked(path: Path, program: str) -> tuple[str, str]:
    path.write_text(program, "utf-8")
    result = judge("mine", run_program(str(path)).recording)
    return result.word, result.note


def test_a_queue_that_mixes_paths_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    mixed = QUEUE.replace("loss = d * d\n", "loss = d * d * d + d * x\n")
    assert mixed != QUEUE
    assert checked(tmp_path / "mixed.py", mixed) == ("nothing to check", LOST)


def test_a_worklist_that_puts_paths_together_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    extend = "waiting.extend((parent, arrived * local) for parent, local in node.parents)"
    put = """for parent, local in node.parents:
                waiting[parent] = waiting.get(parent, 0.0) + arrived * local"""
    merged = (
        QUEUE.replace("deque([(self, 1.0)])", "{self: 1.0}")
        .replace("popleft", "popitem")
        .replace(extend, put)
    )
    assert merged.count("waiting[parent]") == 1
    assert checked(tmp_path / "merged.py", merged) == ("nothing to check", LOST)


IN_PLACE = """
class Number:
    def __init__(self, data, children=()):
        self.data, self.grad, self.children, self.rule = data, 0.0, children, None
    def __mul__(self, other):
        out = Number(self.data * other.data, (self, other))
        def rule():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.rule = rule
        return out
    def __iadd__(self, other):
        before = self.rule
        self.data += other.data
        self.children += (other,)
        def rule():
            if before:
                before()
            other.grad += self.grad
        self.rule = rule
        return self
    def __isub__(self, number):
        other = number if isinstance(number, Number) else Number(number)
        self.data -= other.data
        return self
    def backward(self):
        self.grad = 1.0
        self.rule()
        for child in self.children:
            child.rule()
w, x, y = Number(2.0), Number(3.0), Number(4.0)
"""


@pytest.mark.parametrize("factor", [1, 2])
def test_an_operator_in_place_is_not_called_right(factor: int, tmp_path: Path) -> None:
    program = IN_PLACE.replace("other.grad += self.grad", f"other.grad += {factor} * self.grad")
    program += "total = Number(0.0)\nfor each in (x, y):\n    total += w * each\ntotal.backward()\n"
    assert checked(tmp_path / "mine.py", program) == (
        "nothing to check",
        "`__iadd__` changes a number in place, and makes no node: it is not checked",
    )


def test_a_step_of_training_in_place_is_no_operation(tmp_path: Path) -> None:
    program = (
        f"{IN_PLACE}loss = w * x\nloss.backward = lambda: None\nloss.grad = 1.0\nloss.rule()\n"
    )
    assert checked(tmp_path / "mine.py", f"{program}w -= 0.1 * w.grad\n")[0] == "ok"


def test_what_is_wrong_beside_an_operator_in_place_is_said(tmp_path: Path) -> None:
    program = IN_PLACE.replace("self.data * out.grad", "-self.data * out.grad")
    program += "total = Number(0.0)\ntotal += w * x\ntotal.backward()\n"
    assert checked(tmp_path / "mine.py", program)[0] == "FAILED"
