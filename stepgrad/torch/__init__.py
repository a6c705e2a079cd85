"""PyTorch programs: each element of each tensor is a node (`watch`).

The only room that knows torch; it is imported only where the program has imported torch itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from stepgrad.engine.tape import current_place
from stepgrad.recording.record import active_recorder
from stepgrad.torch.engine import listening
from stepgrad.torch.mode import Watching
from stepgrad.torch.tensors import Tensors


@contextmanager
def watch(model: torch.nn.Module | None = None) -> Iterator[Tensors]:
    """Record what a PyTorch program does inside."""
    recorder = active_recorder()
    assert recorder is not None
    tensors = Tensors(recorder, current_place)
    mode = Watching(tensors)
    if model is not None:
        for name, parameter in model.named_parameters():
            tensors.leaf(parameter, name)
    with listening(tensors, mode), mode:
        yield tensors
