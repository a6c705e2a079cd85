"""PyTorch programs as people write them, run and recorded."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import torch
from torch import nn

from stepgrad.program import run_program
from stepgrad.recording.recording import Recording

TRAIN = """
import torch
from torch import nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.Linear(2, 2)

    def forward(self, x):
        h = torch.tanh(self.attn(x))
        return h + x

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Block(), Block()])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

def main():
    torch.manual_seed(0)
    model = Net()
    scale = torch.ones((), requires_grad=True)
    data = torch.randn(3, 2)
    for _ in range(2):
        predicted = model(data) * scale
        loss = (predicted ** 2).mean()
        loss.backward()

main()
"""


def program(folder: Path, text: str) -> str:
    path = folder / "train.py"
    path.write_text(dedent(text), "utf-8")
    return str(path)


def recorded(folder: Path, text: str) -> Recording:
    found = run_program(program(folder, text))
    assert not found.status
    return found.recording


def names(recording: Recording) -> dict[str, tuple[str, str]]:
    """Return the scope and the line of each node that has a name, the first of each name."""
    found: dict[str, tuple[str, str]] = {}
    for index in range(recording.size):
        node = recording.node(index)
        if node.name:
            place = node.place
            line = f"{Path(place.file).name}:{place.line}" if place.file else ""
            found.setdefault(node.name, (place.scope, line))
    return found


def scopes(recording: Recording) -> set[str]:
    return {recording.node(index).place.scope for index in range(recording.size)}


def untouched() -> tuple[object, ...]:
    return (
        nn.Module.__call__,
        torch.compile,
        torch.autograd._engine_run_backward,
        torch.utils._python_dispatch._get_current_dispatch_mode(),
        torch.overrides._get_current_function_mode(),
    )
