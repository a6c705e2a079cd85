"""Backward passes written by hand: what counts as one, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from diagnosing import PAIRS
from stepgrad.checking.by_hand import by_hand
from stepgrad.checking.comparison import Comparison
from stepgrad.checking.result import judge
from stepgrad.checking.text import result_details
from stepgrad.program import run_program

FORWARD = """\
from stepgrad import SGD, Value, clip_norm
w, x = Value(2.0, label="w"), Value(3.0, label="x")
h = w * x
h.label = "h"
a, b = 2 * h, -h
L = a**2 + b**2
L.label = "L"
"""

BACKWARD = """\
L.grad = 1.0
a.grad = 2 * a.data * L.grad
b.grad = 2 * b.data * L.grad
h.grad = 2 * a.grad
h.grad += -b.grad
w.grad += x.data * h.grad
x.grad += w.data * h.grad
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def checked(folder: Path, *lines: str) -> list[Comparison]:
    path = folder / "train.py"
    path.write_text("".join(lines))
    run = run_program(str(path))
    assert run.status == 0
    return [*by_hand(run.recording)]


def test_a_pass_that_is_right(folder: Path) -> None:
    [found] = checked(folder, FORWARD, BACKWARD)
    assert found.ok
    assert found.compared == 5  # all but the root


def test_gradients_pile_up_over_passes_and_may_be_scaled_and_cleared(folder: Path) -> None:
    again = FORWARD.split("\n", 2)[2] + BACKWARD
    after = "w.grad *= 0.1\nw.data -= w.grad\nh.grad = 0\n"
    [found] = checked(folder, FORWARD, BACKWARD, again, BACKWARD.replace("1.0", "1"), after)
    assert found.ok


def test_the_first_wrong_one_is_named_with_its_line(folder: Path) -> None:
    wrong = BACKWARD.replace("a.grad = 2 *", "a.grad = 3 *")
    [found] = checked(folder, FORWARD, wrong)
    assert not found.ok
    assert found.first.startswith("a.grad is 36 by hand (event ")
    assert "train.py:9), but should be 24" in found.first
    assert "+=" not in found.first


def test_one_term_of_several_is_an_assignment_for_an_addition(folder: Path) -> None:
    [found] = checked(folder, FORWARD, BACKWARD.replace("h.grad +=", "h.grad ="))
    assert "h.grad is 12 by hand" in found.first
    assert found.first.endswith("but should be 60 = 12 + 48: `=` overwrites, use `+=`")


def test_a_coincidence_is_no_assignment(folder: Path) -> None:
    early = "c.grad = 1.0\na.grad = c.grad\nb.grad = c.grad\nx.grad += 3 * a.grad\n"
    late = "a.grad += x.data * b.grad\nx.grad += a.data * b.grad\n"
    graph = "x = Value(2.0, label='x')\na = x * 3\nb = a * x\nc = a + b\n"
    [found] = checked(folder, FORWARD, graph, early, late)
    assert found.first.startswith("x₁.grad is 9 by hand")  # 3 + 6; the terms are 9 and 6
    assert found.first.endswith("but should be 15")


def test_both_operands_of_a_product_are_one_term(folder: Path) -> None:
    graph = "x = Value(2.0, label='x')\na, b = x * 3, x * x\nc = a + b\n"
    pass_ = "c.grad = a.grad = b.grad = 1.0\nx.grad = 3 * a.grad\nx.grad = 4 * b.grad\n"
    [found] = checked(folder, FORWARD, graph, pass_)
    assert found.first.endswith("but should be 7 = 4 + 3: `=` overwrites, use `+=`")


TAPE = """\
tape = []
def mul(a, b):
    out = a * b
    def back():
        a.grad += b.data * out.grad
        b.grad += a.data * out.grad
    tape.append(back)
    return out
def tanh(a):
    out = a.tanh()
    def back():
        a.grad += (1 - out.data**2) * out.grad
    tape.append(back)
    return out
for p in (w, x): p.grad = 0.0
h = tanh(mul(tanh(mul(x, w)), w))
h.grad = 1.0
for back in reversed(tape): back()
for p in (w, x): p.data -= 0.1 * p.grad
for p in (w, x): p.grad = 0.0
"""


def test_a_tape_in_the_wrong_order_leaves_zeros(folder: Path) -> None:
    [found] = checked(folder, FORWARD, TAPE)
    assert found.ok
    [found] = checked(folder, FORWARD, TAPE.replace("reversed(tape)", "tape"))
    assert found.first.startswith("(x·w).grad is 0 by hand")
    assert found.first.endswith(": it takes from tanh(x·w).grad, written later")


def test_without_a_seed_it_counts_if_one_gradient_is_right(folder: Path) -> None:
    unseeded = BACKWARD.replace("L.grad = 1.0\n", "").replace("L.grad", "1.0")
    [found] = checked(folder, FORWARD, unseeded.replace("h.grad +=", "h.grad ="))
    assert "h.grad is 12 by hand" in found.first
    scaled = "".join(f"{each}.grad = {number}\n" for each, number in (("a", 12), ("b", -6)))
    assert checked(folder, FORWARD, scaled) == []


@pytest.mark.parametrize(
    "healthy",
    [
        "L.backward()\nfor v in (w, x, h): v.grad = max(-1.0, min(1.0, v.grad))\n",
        "L.backward()\nh.grad = 5.0\nw.grad += 0.01\n",
        "L.grad = 1.0\nL.backward()\n",
        "w.grad = 7.0\nw.data -= 0.1 * w.grad\nx.grad = 1e-3\n",
        "L.backward()\nclip_norm([w, x], 1.0)\nSGD([w, x], 0.1).step()\n",
        "for v in (w, x, h, a, b, L): v.grad = 0\n",
    ],
)
def test_what_is_no_pass_by_hand_is_left_alone(folder: Path, healthy: str) -> None:
    assert checked(folder, FORWARD, healthy) == []


def test_a_lesson_that_is_meant_to_fail_says_so() -> None:
    path = Path(__file__).parents[2] / "scenarios" / "overwritten_gradient.py"
    result = judge("overwritten_gradient", run_program(str(path)).recording)
    assert result.failed
    assert "meant to fail" in result.note
    assert "h.grad is 3 by hand" in result.ways[-1].first


def test_gradients_of_who_knows_what_are_not_passed_over_in_silence(folder: Path) -> None:
    path = folder / "train.py"
    path.write_text(FORWARD + "w.grad = 1.5\n")
    result = judge("train.py", run_program(str(path)).recording)
    assert result.word == "nothing to check"
    assert "written by hand, from event 9, train.py:8, are not compared" in result.note
    passed = "with record(): L.backward()\nh = w + x\n"  # its gradients are taken over
    path.write_text("from stepgrad import record\n" + FORWARD + passed)
    assert not judge("train.py", run_program(str(path)).recording).note
    path.write_text(FORWARD + "L.backward()\nw.grad = 1.5\n")
    assert "by hand" not in judge("train.py", run_program(str(path)).recording).note


def test_a_wrong_gradient_is_named_once_by_its_verdict() -> None:
    path = PAIRS / "by_hand.py"
    result = judge("by_hand.py", run_program(str(path)).recording)
    assert result.failed
    told = "\n".join(result_details(result, verbose=True))
    assert told.count("w.grad is 20 by hand") == 1
    assert "by_hand: w.grad is 20 by hand (event 8, by_hand.py:9), but should be 30" in told
