"""Parameters that move along the gradients of others, and updates that only look like it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from diagnosing import recorded, verdicts

PROGRAM = """
import math
from stepgrad import Value

w, b, v = params = [Value(0.3, label="w"), Value(0.1, label="b"), Value(0.7, label="v")]
old = [0.0, 0.0, 0.0]
for step in range(8):
    for p in params:
        p.grad = 0.0
    h = (w * 2 + b).tanh()
    loss = (v * h - 0.5) ** 2 + (b + 0.3) ** 2 + (w - 1) * 0.1
    loss.label = "loss"
    loss.backward()
{body}
"""

EXCHANGED = {
    "two": "w.data -= 0.05 * b.grad  #\nb.data -= 0.05 * w.grad\nv.data -= 0.05 * v.grad",
    "one": "b.data -= 0.05 * b.grad\nw.data -= 0.05 * b.grad  #\nv.data -= 0.05 * v.grad",
    "all": "for p, q in zip(params, params[1:] + params[:1]):\n    p.data -= 0.05 * q.grad  #",
    "momentum": "for i, p in enumerate(params):\n    old[i] = 0.9 * old[i] + params[i - 1].grad\n"
    "    p.data -= 0.01 * old[i]  #",
    "a rate that decays": "rate = 0.1 / (1 + step)\nb.data -= rate * b.grad\n"
    "v.data -= rate * b.grad  #\nw.data -= rate * w.grad",
}

NEARLY = {
    "signs": "for p in params:\n    p.data -= 0.01 * math.copysign(1, p.grad)",
    "signs, and a rate": "for p in params:\n"
    "    p.data -= 0.1 / (1 + step) * math.copysign(1, p.grad)",
    "one size": "size = math.hypot(*(p.grad for p in params))\n"
    "for p in params:\n    p.data -= 0.05 * p.grad / size",
    "two rates that decay": "w.data -= 0.2 / (1 + step) * w.grad\nb.data -= 0.1 * b.grad\n"
    "v.data -= 0.05 * v.grad",
    "decay of weights": "for p in params:\n    p.data -= 0.05 * (p.grad + 0.1 * p.data)",
    "momentum": "for i, p in enumerate(params):\n    old[i] = 0.9 * old[i] + p.grad\n"
    "    p.data -= 0.03 * old[i]",
    "a mean of two": "w.data -= 0.05 * (w.grad + b.grad) / 2\nb.data -= 0.05 * b.grad",
    "limits": "for p in params:\n    p.data -= 0.05 * max(-0.1, min(0.1, p.grad))",
    "an average": "w.data -= 0.05 * w.grad\nb.data -= 0.05 * b.grad\n"
    "v.data = 0.9 * v.data + 0.1 * w.data",
}


@pytest.mark.parametrize("body", EXCHANGED.values(), ids=EXCHANGED)
def test_a_parameter_that_moves_along_another_gradient_is_named(body: str, tmp_path: Path) -> None:
    assert told(tmp_path, body) == [("wrong_parameters", marked(tmp_path))]


@pytest.mark.parametrize("body", NEARLY.values(), ids=NEARLY)
def test_one_that_moves_otherwise_is_not(body: str, tmp_path: Path) -> None:
    assert "wrong_parameters" not in [name for name, _ in told(tmp_path, body)]


def test_a_copy_that_follows_the_gradients_of_a_model_is_not(tmp_path: Path) -> None:
    """Such as the weights that several workers share."""
    body = """
        if not step:
            shared = [Value(p.data) for p in params]
        for p, q in zip(shared, params):
            p.data -= 0.05 * q.grad
        for p, q in zip(shared, params):
            q.data = p.data
        """
    assert told(tmp_path, body) == []


def told(tmp_path: Path, body: str) -> list[tuple[str, str]]:
    """The verdicts on a program with this in its loop, each with its first line."""
    path = tmp_path / "train.py"
    path.write_text(PROGRAM.format(body=indent(dedent(body), "    ")))
    recording = recorded(path)
    return [(each.name, each.lines(recording)[0]) for each in verdicts(recording)]


def marked(tmp_path: Path) -> str:
    lines = (tmp_path / "train.py").read_text().splitlines()
    return f"train.py:{next(n for n, line in enumerate(lines, 1) if line.endswith('  #'))}"
