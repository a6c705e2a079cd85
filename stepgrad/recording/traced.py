"""Passes that run through Value once, and as compiled code from then on.

Training shows the same few batches a thousand times. The first time is traced: what the recorder
has logged tells the structure. Every further time, the compiled pass writes the same columns into
the same log and the same gradients into the parameters; nobody can tell which way it went.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple, Protocol

from stepgrad.engine.tape import active_tape, current_place
from stepgrad.engine.value import Value
from stepgrad.recording.blocks import Forward
from stepgrad.recording.compiled import Passes, passes
from stepgrad.recording.recorder import Recorder, active_recorder
from stepgrad.recording.shapes import Pass

MAX_NODES = 50_000
"""Larger passes stay with Value: Python takes 1.5 s and 300 MB to compile this many nodes."""


class Root(Protocol):
    """What a forward pass ends in."""

    def backward(self) -> None:
        """Run the backward pass from here."""


class Traced:
    """A forward pass that is compiled after its first run.

    Call it like the function it is made of. Where the trace cannot tell what would happen (outside
    of the recording, in another scope, after nodes that belong to the same block), it is that
    function.

    Args:
        function: makes a graph of Values and returns its root; without a root there is nothing to
            compile for. For equal arguments it makes the same graph with the same numbers in it, of
            the same Values from before; only what those hold may change.
    """

    def __init__(self, function: Callable[..., Value | None]) -> None:
        self._function = function
        self._traces: dict[Hashable, _Trace] = {}
        self._compiled: dict[object, Callable[..., Passes]] = {}

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
            return trace.forward(self._compiled)
        return self._function(*arguments)

    def _trace(self, recorder: Recorder, arguments: tuple[Hashable, ...]) -> Value | None:
        recorder.settle()
        before = len(recorder.recording.blocks)
        root = self._function(*arguments)
        recorder.settle()
        match recorder.recording.blocks[before:]:
            # If more happened (a write, or values from before came in), it happens again.
            case [Forward(structure=structure, tangents=None)] if len(structure) <= MAX_NODES:
                latest = recorder.latest(root) if root is not None else None
                if latest is not None:
                    self._traces[arguments] = _Trace(recorder, latest)
        return root


class _Trace:
    """What the first run of a pass has shown, and the code that runs the others."""

    def __init__(self, recorder: Recorder, traced: Pass) -> None:
        self._recorder = recorder
        self._place = current_place()
        self._structure, base, earlier, self._sweep = traced
        values = recorder.recording.history.forward_of(base).values
        self._inputs = [values[ref] if ref >= 0 else earlier[ref] for ref in self._structure.inputs]
        self._running: Passes | None = None
        self._due: int | None = None  # the first node of the pass that may run backward

    def fits(self, recorder: Recorder) -> bool:
        """Whether a pass that is run now will be like the traced one."""
        place = current_place()
        return recorder is self._recorder and (place is self._place or place == self._place)

    def forward(self, compiled: dict[object, Callable[..., Passes]]) -> _Root:
        """Run a forward pass with code from `compiled`, or put there."""
        if self._running is None or self._due is not None:
            self._running = self._start(compiled)
        self._recorder.settle()
        base = self._recorder.log_forward(self._structure, next(self._running))
        self._due = base
        return _Root(self, base)

    def _start(self, compiled: dict[object, Callable[..., Passes]]) -> Passes:
        """Passes of other samples often differ in their numbers and names only."""
        structure, sweep = self._structure, self._sweep
        key = structure.codes, structure.refs.tobytes(), sweep.root
        code = compiled.get(key) or compiled.setdefault(key, passes(structure, sweep))
        return code(*self._inputs)

    def backward(self, base: int) -> None:
        """Run the backward pass over the nodes from `base` on."""
        if base != self._due or active_tape() is not self._recorder:
            raise RuntimeError("only the latest compiled pass can run backward, and only once")
        assert self._running is not None, "its forward pass has been run"
        self._due = None
        self._recorder.settle()
        self._recorder.log_backward(self._sweep, base, next(self._running))


class _Root(NamedTuple):
    """The root of a compiled forward pass whose nodes begin at `base`."""

    trace: _Trace
    base: int

    def backward(self) -> None:
        """Run the backward pass."""
        self.trace.backward(self.base)
