"""PyTorch programs: each element of each tensor is a node (`watch`).

The only room that knows torch; it is imported only where the program has imported torch itself.

An operation is seen (`mode.py`), and a row of the table (`table/`) does to nodes what it does to
numbers. What it computes with is a tensor of nodes (`cells.py`), which makes new ones in batches
(`passes.py`) by the formulas of the op table (`arithmetic.py`). An operation without a row is
recorded whole, with PyTorch's own derivatives (`opaque.py`). Which nodes a tensor has stands
beside its storage (`beside.py`). `tensors.py` holds that together, and turns passes into blocks.

A backward pass is heard of (`engine.py`), run over the batches (`reverse.py`) and compared with
PyTorch's (`backward.py`, `compared.py`; at the results in between, `between.py`; an
`autograd.Function`, `functions.py`). What the program writes to leaves (`leaves.py`) is found by
comparing bits (`writes.py`), and explained where an optimizer is known (`optimizers.py`). Which
parameters the optimizers hold: `holders.py`. What losses are given: `losses.py`, and in which
shapes, `crossed.py`. Whether models are in the right mode: `modes.py`.

What the program calls things, and where it is: `program.py`, with `frames.py`, `modules.py`,
`calls.py` and `results.py`; what hears of it, `hearing.py`; `warned.py` has warnings point there.
Which part of it is recorded: `samples.py`, `borders.py`. What cannot be recorded: `limits.py`,
`refused.py`, `counted.py`, `compiled.py`. One element of a model that is too large for all this:
`element/`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import torch

from stepgrad.errors import StepgradError
from stepgrad.recording.record import active_recorder
from stepgrad.recording.recorder import Recorder
from stepgrad.torch.element import zoom
from stepgrad.torch.engine import listening
from stepgrad.torch.mode import Watching
from stepgrad.torch.refused import RefusedError
from stepgrad.torch.tensors import Tensors

__all__ = ["RefusedError", "watch", "zoom"]

_watched: WeakKeyDictionary[Recorder, Tensors] = WeakKeyDictionary()


@contextmanager
def watch(
    model: torch.nn.Module | None = None,
    *,
    steps: range | None = None,
    batch_row: int | None = None,
    layers: Sequence[str] = (),
    again: str = "",
) -> Iterator[Tensors]:
    """Record what PyTorch computes inside, within `stepgrad.record()`.

    Parameters are called as in `model.named_parameters()`; without a model, models are found by the
    variables that hold them. This thread is recorded. With `steps`, only these training steps
    are, counted from 0; one begins with the first operation after a backward pass.

    With `batch_row`, only what depends on this sample is: a row of the first tensor that a module
    is called with. Other samples enter as constants; what they add to the gradients of parameters
    is written after each pass. With `layers`, only what happens in the modules at these paths is:
    their inputs enter as given numbers, and the gradients of their results as PyTorch brings them.
    `again` is what follows options on a command line that runs the program again, for messages.

    Raises:
        StepgradError: nothing is being recorded; or one sample and some modules are asked for.
        RefusedError: the program does something inside that cannot be recorded.
    """
    recorder = active_recorder()
    if batch_row is not None and layers:
        raise StepgradError("record one sample or some modules, not both at once")
    if recorder is None:
        raise StepgradError(
            "watch() is for what is being recorded",
            "  with stepgrad.record(lines=True) as recording, stepgrad.torch.watch(model): ...",
        )
    known = recorder in _watched
    if not known:
        _watched[recorder] = Tensors(recorder, steps, batch_row, layers, again)
    tensors = _watched[recorder]
    if model is not None:
        tensors.program.modules.add(model)
    if known:  # `stepgrad run` watches already
        yield tensors
        return
    mode = Watching(tensors)
    recorder.waiting = lambda: tensors.waiting
    try:
        with tensors.program.following(), listening(tensors, mode), mode:
            yield tensors
        # What is pending is not settled here: it may be a backward pass that goes on.
        empty = not recorder.log.length and not recorder.pending
        if tensors.program.calls and empty:
            why = tensors.program.limits.missed or "no gradients go through its tensors"
            recorder.remark("tensors", None, None, why)
    finally:
        del recorder.waiting
        del _watched[recorder]
