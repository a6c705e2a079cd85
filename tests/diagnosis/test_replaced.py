"""Which lines replace a gradient, and which gradients are lost to them."""

from __future__ import annotations

import pytest

from stepgrad.diagnosis.assignments import replacing
from stepgrad.recording.source import Source

REPLACING = (
    "w.grad = up * x",
    "w.grad = h.grad * 3",
    "w.grad, b.grad = up, 1.0",
    "b.grad = w.grad = 1.0",
    "for out in outs: w.grad = out.grad * 2",
    "self.w.grad = 2 * self.w.data",
    "up = 2 * y.data\nw.grad = up",
    "def push(up): w.grad = up\npush(2 * w.data)",
)

READING = (
    "w.grad += up * x",
    "w.grad = w.grad + up",
    "w.grad = max(-1, min(1, w.grad))",
    "old = w.grad\nw.grad = old / 2",
    "old = [p.grad for p in ps]\nfor p, g in zip(ps, old):\n    p.grad = g / 2",
    "total[0] += w.grad\nw.grad = total[0]",
    "def mean(p): return p.grad / 2\nw.grad = mean(w)",
    "def scale(p, g): p.grad = g * 2\nscale(w, w.grad)",
    "if (g := w.grad) > 1: w.grad = g / 2",
    "w.grad = 1.0; b.grad += 1.0",
    "w.data = 2.0",
    "w.grad = (",
)


@pytest.mark.parametrize("text", REPLACING)
def test_a_line_replaces(text: str) -> None:
    last = len(text.splitlines()) if not text.startswith("def") else 1
    assert replacing(Source("train.py", text)) == {last}


@pytest.mark.parametrize("text", READING)
def test_a_line_may_read(text: str) -> None:
    assert replacing(Source("train.py", text)) == set()
