"""PyTorch programs: each element of each tensor is a node (`watch`).

The only room that knows torch; it is imported only where the program has imported torch itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import _disable_current_modes

from stepgrad.recording.record import active_recorder
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
    original = torch.autograd._engine_run_backward

    def run(outputs: Any, *args: Any, **kwargs: Any) -> Any:
        with _disable_current_modes(), torch.no_grad():
            for each in outputs:
                tensors.backward(each)
        return original(outputs, *args, **kwargs)

    torch.autograd._engine_run_backward = run
    try:
        with mode, tensors.program.following():
            yield tensors
    finally:
        torch.autograd._engine_run_backward = original
        tensors.settle()
