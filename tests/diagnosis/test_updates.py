"""Updates that are computed in vain, or in place of the value: each spelling, and near misses."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent, indent

import pytest

from diagnosing import recorded, verdicts
from stepgrad.diagnosis.bookkeeping.updates import updating
from stepgrad.recording.source import Source

PROGRAM = """
import math
from stepgrad import Value

w, b = Value(0.3, label="w"), Value(0.1, label="b")
params, first = [w, b], [w, b]
P = {{"w": w, "b": b}}
velocity, ms, vs = [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]
{before}
for step in range(6):
    for p in (w, b):
        p.grad = 0.0
    loss = (w * 2 + b - 3) ** 2 + (b + 1) ** 2
    loss.backward()
{body}
"""

IN_VAIN = {
    "a number": "for p in params:\n    d = p.data\n    d -= 0.05 * p.grad  #",
    "the loop's variable": "for p in params:\n    p -= 0.05 * p.grad  #\n"
    "for p in params:\n    print(p.data)",
    "numbers, one by one": "c = w.data\nc -= 0.05 * w.grad  #",
    "a number and a gradient": "for p in params:\n    d, g = p.data, p.grad\n    d -= 0.05 * g  #",
    "a name of a name": "for p in params:\n    new = p.data - 0.05 * p.grad  #\n    data = new",
    "items of a dict": "for name in P:\n    d = P[name].data\n    d -= 0.05 * P[name].grad  #",
    "with an index": "for i in (0, 1):\n    params[i].data - 0.05 * params[i].grad  #",
    "an expression": "w.data - 0.05 * w.grad  #",
    "a list": "new = [p.data - 0.05 * p.grad for p in params]  #",
    "a list of numbers": "kept = [p.data for p in params]\nfor i in (0, 1):\n"
    "    kept[i] -= 0.05 * params[i].grad  #",
    "two lists": "values, grads = [p.data for p in params], [p.grad for p in params]\n"
    "for d, g in zip(values, grads):\n    d -= 0.05 * g  #",
    "an argument": "def update(p):\n    p = p.data - 0.05 * p.grad  #\n"
    "for p in params:\n    update(p)",
    "what a function returns": "def update(p):\n    return p.data - 0.05 * p.grad\n"
    "for p in params:\n    update(p)  #",
    "new values": "params = [Value(p.data - 0.05 * p.grad) for p in params]  #",
    "new values, in the list": "for i, p in enumerate(params):\n"
    "    params[i] = Value(p.data - 0.05 * p.grad)  #\nprint(params[0].data)",
    "new nodes, in the list": "for i, p in enumerate(params):\n"
    "    params[i] = p - 0.05 * p.grad  #\nprint(params[0].data)",
}

REPLACED = {
    "a rate that decays": "for p in params:\n    p.data = -0.1 / (1 + step) * p.grad  #",
    "a variable": "for p in params:\n    move = -0.1 * 0.9**step * p.grad\n    p.data = move  #",
    "momentum": "for i, p in enumerate(params):\n    velocity[i] = 0.9 * velocity[i] + p.grad\n"
    "    p.data = -0.05 * velocity[i]  #",
    "Adam": """
        for i, p in enumerate(params):
            ms[i] = 0.9 * ms[i] + 0.1 * p.grad
            vs[i] = 0.99 * vs[i] + 0.01 * p.grad**2
            m, v = ms[i] / (1 - 0.9 ** (step + 1)), vs[i] / (1 - 0.99 ** (step + 1))
            p.data = -0.05 * m / (math.sqrt(v) + 1e-8)  #
        """,
}

NEARLY = {
    "printed": "for p in params:\n    d = p.data\n    d -= 0.05 * p.grad\n    print(d)",
    "printed later": "new = [p.data - 0.05 * p.grad for p in params]\nif step > 4:\n    print(new)",
    "printed, of new values": "new = [Value(p.data - 0.05 * p.grad) for p in params]\n"
    "print([each.data for each in new])",
    "sensitivities": "total = 0.0\nfor p in params:\n    s = p.data * p.grad\n    total += s",
    "a line search": "new = [p.data - 0.05 * p.grad for p in params]\n"
    "if (Value(new[0]) * 2 + new[1] - 3).data ** 2 < loss.data:\n    print(step)",
    "new values that are used": "w, b = params = [Value(p.data - 0.05 * p.grad) for p in params]",
    "copied back": "new = [p.data - 0.05 * p.grad for p in params]\n"
    "for p, d in zip(params, new):\n    p.data = d",
    "a sum of gradients": "for i, p in enumerate(params):\n    velocity[i] += p.grad\n"
    "    p.data = starts[i] - 0.05 * velocity[i]",
    "a vector": "vector = [d - 0.05 * p.grad for p, d in zip(params, vector)]\n"
    "for p, d in zip(params, vector):\n    p.data = d",
    "a vector that starts elsewhere": "flat = [d - 0.05 * p.grad for p, d in zip(params, flat)]\n"
    "for p, d in zip(params, flat):\n    p.data = d",
    "momentum in the value": "for i, p in enumerate(params):\n"
    "    velocity[i] = 0.5 * velocity[i] - 0.05 * p.grad\n    p.data = p.data + velocity[i]",
    "old values, kept in the object": "for p in params:\n    p.old = p.data\n"
    "for p in params:\n    p.data = p.old - 0.05 * p.grad",
}


TENSORS = {
    "p.data.sub(0.1 * p.grad)": ["lost"],
    "p.data.add(p.grad, alpha=-0.1)": ["lost"],
    "p.data.sub_(0.1 * p.grad)": [],
    "p.data.add_(p.grad, alpha=-0.1)": [],
    "p.copy_(-0.1 * p.grad)": ["reads", "alone"],
    "p.copy_(p - 0.1 * p.grad)": ["reads"],
    "p.data.copy_(p.data - 0.1 * p.grad)": ["reads"],
    "new = p.detach() - 0.1 * p.grad; p.copy_(new)": [],
    "seen.add(p.grad)": [],
}


@pytest.mark.parametrize("line", TENSORS)
def test_methods_of_tensors_compute_or_write(line: str) -> None:
    found = updating(Source("train.py", f"for p in params:\n    {line}\n"))
    assert [each.kind for each in found] == TENSORS[line]


def told(tmp_path: Path, body: str) -> list[tuple[str, list[str]]]:
    """The verdicts on a program with this in its loop, each with its lines."""
    before = "starts = vector = [p.data for p in params]\nflat = [0.5, -0.25]"
    path = tmp_path / "train.py"
    path.write_text(PROGRAM.format(before=before, body=indent(dedent(body), "    ")))
    recording = recorded(path)
    return [(each.name, [*each.lines(recording)]) for each in verdicts(recording)]


def marked(tmp_path: Path) -> str:
    lines = (tmp_path / "train.py").read_text().splitlines()
    return f"train.py:{next(n for n, line in enumerate(lines, 1) if line.endswith('  #'))}"


@pytest.mark.parametrize("body", [*IN_VAIN.values(), *REPLACED.values()], ids=[*IN_VAIN, *REPLACED])
def test_an_update_that_is_lost_is_named(body: str, tmp_path: Path) -> None:
    found = told(tmp_path, body)
    assert found == [("lost_update", [marked(tmp_path)])]


@pytest.mark.parametrize("body", NEARLY.values(), ids=NEARLY)
def test_an_update_that_serves_is_not(body: str, tmp_path: Path) -> None:
    assert told(tmp_path, body) == []


CELLS = {
    "read in the next cell": ("new = [p.data - 0.05 * p.grad for p in params]", "print(new)", []),
    "read nowhere": ("new = [p.data - 0.05 * p.grad for p in params]", "", ["lost_update"]),
    "from a start in an earlier cell": (
        "for i in (0, 1):\n    params[i].data = starts[i] - (0.01 + 0.001 * step) * params[i].grad",
        "",
        [],
    ),
}


@pytest.mark.parametrize(("body", "later", "names"), CELLS.values(), ids=CELLS)
def test_cells_of_a_notebook_share_their_variables(
    body: str, later: str, names: list[str], tmp_path: Path
) -> None:
    head, loop = PROGRAM.format(before="", body=indent(body, "    ")).split("for step", 1)
    cells = [head, "starts = [0.1, 0.1]", f"for step{loop}", later]
    parts = [{"cell_type": "code", "source": e, "metadata": {}, "outputs": []} for e in cells]
    path = tmp_path / "train.ipynb"
    path.write_text(json.dumps({"cells": parts, "metadata": {}, "nbformat": 4}))
    found = [each.name for each in verdicts(recorded(path))]
    assert [name for name in found if name == "lost_update"] == names
