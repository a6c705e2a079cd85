"""PyTorch programs: each element of each tensor is a node (`watch`).

The only room that knows torch; it is imported only where the program has imported torch itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from stepgrad.recording.record import active_recorder
from stepgrad.torch.engine import listening
from stepgrad.torch.mode import Watching
from stepgrad.torch.tensors import Tensors


@contextmanager
def watch(model: torch.nn.Module | None = None) -> Iterator[Tensors]:
    """Record what a PyTorch program does inside."""
    recorder = active_recorder()
    assert recorder is not None
    tensors = Tensors(recorder)
    mode = Watching(tensors)
    if model is not None:
        tensors.program.modules.add(model)
    with listening(tensors, mode), mode, tensors.program.following():
        yield tensors
