"""stepgrad: a time-travel debugger for automatic differentiation, in the terminal.

`Value` computes and differentiates, `record()` logs what it does, and `Recording` is the log::

    import stepgrad

    with stepgrad.record() as recording:
        x = stepgrad.Value(2.0, label="x")
        (x * x).backward()
    for event in recording.events:
        ...
"""

from stepgrad.engine.nn import MLP, Layer, Neuron
from stepgrad.engine.optim import SGD
from stepgrad.engine.tape import mark, scope
from stepgrad.engine.value import Value
from stepgrad.recording.recorder import record
from stepgrad.recording.recording import Recording
from stepgrad.replay.cursor import Cursor
from stepgrad.replay.state import State
from stepgrad.scenario import record_scenario

__version__ = "0.1.0"

__all__ = [
    "MLP",
    "SGD",
    "Cursor",
    "Layer",
    "Neuron",
    "Recording",
    "State",
    "Value",
    "mark",
    "record",
    "record_scenario",

    "scope",
]
