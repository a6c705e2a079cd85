"""stepgrad: a time-travel debugger for automatic differentiation, in the terminal.

`Value` computes and differentiates, `record()` logs what it does, and `Recording` is the log::

    import stepgrad

    with stepgrad.record() as recording:
        x = stepgrad.Value(2.0, label="x")
        (x * x).backward()
    for event in recording.events:
        ...
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stepgrad.version import __version__ as __version__

if TYPE_CHECKING:
    from stepgrad.debugger import debug
    from stepgrad.engine.define import op
    from stepgrad.engine.losses import (
        binary_cross_entropy,
        softmax,
        softmax_cross_entropy,
        squared_error,
    )
    from stepgrad.engine.nn import MLP, Layer, Neuron
    from stepgrad.engine.optim import SGD, Adam, clip_norm
    from stepgrad.engine.tape import mark, scope
    from stepgrad.engine.value import Value
    from stepgrad.export.replay_page import show
    from stepgrad.recording.record import record
    from stepgrad.recording.recording import Recording
    from stepgrad.replay.cursor import Cursor
    from stepgrad.replay.state import State
    from stepgrad.scenario import record_scenario

__all__ = [
    "MLP",
    "SGD",
    "Adam",
    "Cursor",
    "Layer",
    "Neuron",
    "Recording",
    "State",
    "Value",
    "binary_cross_entropy",
    "clip_norm",
    "debug",
    "mark",
    "op",
    "record",
    "record_scenario",
    "scope",
    "show",
    "softmax",
    "softmax_cross_entropy",
    "squared_error",
]

# A program that only computes does not wait for what records, reads and replays.
# Help needs not even what computes.
_ON_DEMAND = {
    "Adam": "stepgrad.engine.optim",
    "Cursor": "stepgrad.replay.cursor",
    "Layer": "stepgrad.engine.nn",
    "MLP": "stepgrad.engine.nn",
    "Neuron": "stepgrad.engine.nn",
    "Recording": "stepgrad.recording.recording",
    "SGD": "stepgrad.engine.optim",
    "State": "stepgrad.replay.state",
    "Value": "stepgrad.engine.value",
    "binary_cross_entropy": "stepgrad.engine.losses",
    "clip_norm": "stepgrad.engine.optim",
    "debug": "stepgrad.debugger",
    "mark": "stepgrad.engine.tape",
    "op": "stepgrad.engine.define",
    "record": "stepgrad.recording.record",
    "record_scenario": "stepgrad.scenario",
    "scope": "stepgrad.engine.tape",
    "show": "stepgrad.export.replay_page",
    "softmax": "stepgrad.engine.losses",
    "softmax_cross_entropy": "stepgrad.engine.losses",
    "squared_error": "stepgrad.engine.losses",
}


if not TYPE_CHECKING:  # or a type checker would accept any name

    def __getattr__(name: str) -> Any:
        if name not in _ON_DEMAND:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_ON_DEMAND[name]), name)
        return found  # and from now on without being asked: a program makes many Values


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
