"""What tests of PyTorch programs share: running one, and holding the log against its tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

import stepgrad
from reference import Fold
from stepgrad.recording.blocks import Write
from stepgrad.recording.recording import Recording
from stepgrad.torch import watch


def watched(
    run: Callable[[], None], leaves: Iterable[Tensor], *, tolerance: float = 1e-12
) -> Recording:
    """Record a program; in the end, values and gradients in the log are those of its leaves.

    Values are the same bit for bit; so are the numbers that a fold of all events comes to.
    """
    with stepgrad.record(lines=True) as recording, watch() as tensors:
        run()
        known = [(each, tensors.beside.window(each)) for each in leaves]
    fold = Fold()
    for event in recording.events:
        fold.take(event)
    for leaf, numbers in known:
        assert numbers is not None
        nodes = numbers.reshape(-1).tolist()
        values = torch.tensor([fold.values[node] for node in nodes], dtype=torch.float64)
        assert torch.equal(values, leaf.detach().double().reshape(-1))
        grads = torch.tensor([fold.grads.get(node, 0.0) for node in nodes], dtype=torch.float64)
        wanted = torch.zeros_like(grads) if leaf.grad is None else leaf.grad.double().reshape(-1)
        torch.testing.assert_close(grads, wanted, rtol=tolerance, atol=tolerance, equal_nan=True)
    return recording


def writes(recording: Recording) -> Sequence[Write]:
    """The blocks of writes."""
    return [block for block in recording.blocks if isinstance(block, Write)]


def told(recording: Recording) -> Sequence[tuple[set[str], str, str | None]]:
    """The blocks of writes: their kinds, their first line, and their rule."""
    return [
        ({*each.writes.kinds}, line(recording, each, 0), each.rule.method if each.rule else None)
        for each in writes(recording)
    ]


def line(recording: Recording, block: Write, write: int) -> str:
    """The text of the line that made a write; empty where it is not known."""
    place = block.place(write)
    source = None if place is None else recording.source_of(place)
    if place is None or place.line is None or source is None:
        return ""
    return source.text.splitlines()[place.line - 1].strip()


def leaf(*shape: int, seed: int = 0, dtype: Any = torch.float64) -> Tensor:
    """A tensor of random numbers that asks for its gradient."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype).requires_grad_()
