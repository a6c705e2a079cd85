"""Parameters that are replaced by results of themselves: the graph grows from step to step."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from diagnosing import recorded, verdicts
from mistakes import FOREIGN

OURS = "from stepgrad import Value\n"
ENGINE = (
    (FOREIGN / "healthy" / "closures.py")
    .read_text()
    .split("\n\n\na = ")[0]
    .replace("Scalar", "Value")
)

PROGRAM = """
w, b = params = [Value(0.3), Value(0.1)]
for step in range(5):
    w, b = params
    for p in params:
        p.grad = 0.0
    loss = (w * 2.0 + b) * (w * 2.0 + b)
    loss.backward()
{body}
"""

GROWING = {
    "names": "w = w + w.grad * -0.05  #\nb = b + b.grad * -0.05\nparams = [w, b]",
    "one name": "w = w + w.grad * -0.05  #\nb.data -= 0.05 * b.grad\nparams = [w, b]",
    "added to": "w += w.grad * -0.05  #\nparams = [w, b]",
    "values": "w = w + Value(w.grad * -0.05)  #\nparams = [w, b]",
    "a list": "params = [p + p.grad * -0.05 for p in params]  #",
    "items": "for i, p in enumerate(params):\n    params[i] = p + p.grad * -0.05  #",
}

NEARLY = {
    "new leaves": "params = [Value(p.data - 0.05 * p.grad) for p in params]",
    "two steps of an inner loop": """
        first = params
        for _ in range(4):
            w, b = params = [p + p.grad * -0.05 for p in params]
            ((w * 1.5 + b) * (w * 1.5 + b)).backward()
        for p in first:
            p.data -= 0.01 * p.grad
        params = first
        """,
}


def program(tmp_path: Path, engine: str, body: str) -> Path:
    path = tmp_path / "train.py"
    path.write_text(engine + PROGRAM.format(body=indent(dedent(body), "    ")))
    return path


@pytest.mark.parametrize("engine", [OURS, ENGINE], ids=["ours", "own"])
@pytest.mark.parametrize("body", GROWING.values(), ids=GROWING)
def test_the_line_that_makes_the_graph_grow_is_named(
    engine: str, body: str, tmp_path: Path
) -> None:
    path = program(tmp_path, engine, body)
    lines = path.read_text().splitlines()
    marked = next(n for n, line in enumerate(lines, 1) if line.endswith("  #"))
    recording = recorded(path)
    first, *others = verdicts(recording)
    assert (first.name, others) == ("lost_update", [])
    assert first.lines(recording)[0] == f"train.py:{marked}"
    assert "the last pass goes back through 4 updates" in first.text


@pytest.mark.parametrize("body", NEARLY.values(), ids=NEARLY)
def test_a_graph_that_does_not_grow_is_in_order(body: str, tmp_path: Path) -> None:
    found = verdicts(recorded(program(tmp_path, OURS, body)))
    assert "lost_update" not in [each.name for each in found]


def test_in_pytorch_one_update_is_enough_as_the_next_one_fails(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    path = tmp_path / "train.py"
    path.write_text(
        "import torch\n"
        "w = torch.tensor(0.5, requires_grad=True)\n"
        "for _ in range(3):\n"
        "    (w * w).backward()\n"
        "    w = w - 0.1 * w.grad\n"
    )
    recording = recorded(path)
    (found,) = verdicts(recording)
    assert (found.name, found.lines(recording)) == ("lost_update", ["train.py:5"])
