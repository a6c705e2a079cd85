"""Passes that run through Value once, and as compiled code from then on.

Training uses the same few batches a thousand times. The first pass is traced: what the recorder
logs gives the structure. From then on, the compiled pass writes the same columns into the same log
and the same gradients into the parameters; the results are identical.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple, Protocol

from stepgrad.engine.tape import active_tape, current_place
from stepgrad.engine.value import Value
from stepgrad.recording.blocks import Forward
from stepgrad.recording.compiled import Passes, passes
from stepgrad.recording.record import active_recorder
from stepgrad.recording.recorder import Recorder
from stepgrad.recording.statements import MOST_COMPILED
from stepgrad.recording.sweep import Sweep
from stepgrad.recording.template import Made


class Root(Protocol):
    """What a forward pass ends in."""

    def backward(self) -> None:
        """Run the backward pass from here."""


class Traced:
    """A forward pass that is compiled after its first run.

    Call it like the function that it wraps. Where the trace does not apply (outside the recording,
    in another scope, after nodes that belong to the same block), it calls that function.

    Args:
        function: makes a graph of Values and returns its root; without a root, nothing is compiled.
            For equal arguments it makes the same graph with the same numbers, of the same earlier
            Values; only the numbers of those may change.
    """

    def __init__(self, function: Callable[..., Value | None]) -> None:
        self._function = function
        self._traces: dict[Hashable, _Trace] = {}

    def __call__(self, *arguments: Hashable) -> Root | None:
        """Run the forward pass.

        From the root of a compiled one, backward can be run once, and before the next pass.
        """
        recorder = active_recorder()
        if recorder is None or recorder.pending:
            return self._function(*arguments)
        trace = self._traces.get(arguments)
        if trace is None:
            return self._trace(recorder, arguments)
        if trace.fits(recorder):
            return trace.forward()
        return self._function(*arguments)

    def _trace(self, recorder: Recorder, arguments: tuple[Hashable, ...]) -> Value | None:
        recorder.settle()
        before = len(recorder.log.blocks)
        root = self._function(*arguments)
        recorder.settle()
        match recorder.log.blocks[before:]:
            # If more happened (a write, or earlier Values came in), trace it again next time.
            case [Forward(structure=structure, tangents=None, stored=())] if (
                len(structure) <= MOST_COMPILED
            ):
                traced = recorder.traceable(root) if root is not None else None
                if traced is not None:
                    self._traces[arguments] = _Trace(recorder, *traced)
        return root


class _Trace:
    """What the first run of a pass has recorded, and the code for the others."""

    def __init__(
        self, recorder: Recorder, made: Made, sweep: Sweep, over: tuple[Forward, ...]
    ) -> None:
        self._recorder = recorder
        self._place = current_place()
        self._forward, self._sweep, self._earlier = made.forward, sweep, over[1:]
        values = made.forward.values
        inputs = made.forward.structure.inputs
        self._inputs = [values[ref] if ref >= 0 else made.outer[~ref] for ref in inputs]
        self._running: Passes | None = None
        self._due: Forward | None = None  # the pass that may run backward

    def fits(self, recorder: Recorder) -> bool:
        """Whether a pass that is run now will be like the traced one."""
        place = current_place()
        return recorder is self._recorder and (place is self._place or place == self._place)

    def forward(self) -> _Root:
        """Run a forward pass."""
        if self._running is None or self._due is not None:
            self._running = passes(self._forward.structure, self._sweep)(*self._inputs)
        recorder, traced = self._recorder, self._forward
        recorder.settle()
        values = next(self._running)
        self._due = recorder.log_forward(traced.structure, traced.earlier, traced.context, values)
        return _Root(self, self._due)

    def backward(self, forward: Forward) -> None:
        """Run the backward pass over a forward pass."""
        if forward is not self._due or active_tape() is not self._recorder:
            raise RuntimeError("only the latest compiled pass can run backward, and only once")
        assert self._running is not None, "its forward pass has been run"
        self._due = None
        self._recorder.settle()
        grads = next(self._running)
        self._recorder.log_backward(self._sweep, (forward, *self._earlier), grads)


class _Root(NamedTuple):
    """The root of a compiled forward pass."""

    trace: _Trace
    forward: Forward

    def backward(self) -> None:
        """Run the backward pass."""
        self.trace.backward(self.forward)
