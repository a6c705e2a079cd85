"""Why a local derivative is exactly 0: a gate, a parameter that is 0, or the data (`Blame`)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from stepgrad.engine import ops
from stepgrad.recording.recording import Recording
from stepgrad.replay.gradients.between import Edge

_NOTHING: frozenset[int] = frozenset()

_GATES = {ops.RELU, ops.MAX, ops.MIN, ops.TANH, ops.SIGMOID, ops.EXP}
"""Operations that pass exactly nothing on where they are shut or saturated, or underflow."""

_ODD = {ops.NEG, ops.TANH, ops.SIN, ops.SQRT, ops.ABS, ops.LEAKY_RELU, ops.RELU}
"""Functions that are 0 at 0."""


class Blame:
    """What is to blame for exact zeros, at a position: gates, and parameters that are 0.

    Nothing is to blame where the zero is in the data (an input, a mask), where numbers cancel (an
    error that is gone), and where a function is flat, such as a square at 0.
    """

    def __init__(self, recording: Recording, parameters: Collection[int], position: int) -> None:
        self._recording = recording
        self._parameters = parameters
        self._position = position
        self._origins: dict[int, frozenset[int]] = {}

    def edge(self, edge: Edge) -> frozenset[int]:
        """Return the gates and the parameters that shut an edge; empty for none."""
        op, operands = self._recording.operation(edge.out)
        if op is ops.MUL:
            return self.node(operands[1 - edge.slot])
        if op is ops.DIV and edge.slot == 1:
            return self.node(operands[0])
        return frozenset({edge.out}) if op in _GATES else _NOTHING

    def node(self, node: int) -> frozenset[int]:
        """Return the gates and the parameters that make a node 0; empty for none."""
        seen, stack = {node}, [node]
        while stack:
            new = {each for each in self._zeros(stack.pop()) if each not in seen}
            seen |= new
            stack += new
        for each in sorted(seen - self._origins.keys()):  # operands first
            self._origins[each] = self._origin(each)
        return self._origins[node]

    def _origin(self, node: int) -> frozenset[int]:
        op, operands = self._recording.operation(node)
        if self._value(node) != 0:
            return _NOTHING  # a product underflows
        if op is ops.LEAF:
            return frozenset({node}) if node in self._parameters else _NOTHING
        if op in _GATES and not (op in _ODD and self._value(operands[0]) == 0):
            return frozenset({node})
        origins = [self._origins[each] for each in self._zeros(node)]
        if op is ops.MUL and not all(origins):
            return _NOTHING  # a factor of the data is 0
        return _NOTHING.union(*origins)

    def _zeros(self, node: int) -> Sequence[int]:
        """Return the operands that make a node 0, by being 0 themselves."""
        op, operands = self._recording.operation(node)
        zeros = [each for each in operands if self._value(each) == 0]
        if op in (ops.ADD, ops.SUB):
            return zeros if len(zeros) == len(operands) else ()
        if op in (ops.DIV, ops.POW):
            return [each for each in zeros if each == operands[0]]
        return zeros if op is ops.MUL or op in _ODD else ()

    def _value(self, node: int) -> float | None:
        return self._recording.history.value(node, self._position)
