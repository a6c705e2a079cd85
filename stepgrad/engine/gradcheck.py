"""Derivatives without derivative rules, to check the rules against.

The complex step needs only the forward formula: f(x + ih) = f(x) + ih·f′(x) + O(h²), so the
imaginary part over h is the derivative to the last digit, because nothing is subtracted (Squire
and Trapp, "Using complex variables to estimate derivatives of real functions", 1998). It is taken
at each operation by itself, at the operation's own inputs, so that no digit is lost on the way; it
decides. The central difference (f(x + h) − f(x − h)) / 2h is what textbooks use; it is shown with
an estimate of its own error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import isclose, isfinite, nan, ulp
from operator import mul
from sys import float_info

from stepgrad.engine.continuation import COMPLEX
from stepgrad.engine.dual import gradients
from stepgrad.engine.graph import Carry, Graph
from stepgrad.engine.numeric import BY_DIFFERENCES, complex_step, derivative
from stepgrad.engine.ops import Op
from stepgrad.engine.own import OwnOp


def complex_local(op: Op, inputs: Sequence[float], slot: int) -> float | None:
    """Return the derivative of an operation with respect to one of its inputs, by a complex step.

    None where no step can be taken: at a kink, at or beyond the boundary of the domain, and where
    numbers are so large or so small that a step is lost. For an operation of the program's own,
    differences do where it takes no complex numbers; None if its function is not known.
    """
    if isinstance(op, OwnOp):
        return _of_function(op, inputs, slot)
    value = op.value(*inputs)
    if op.at_kink(inputs) or not isfinite(value) or any(map(_extreme, (*inputs, value))):
        return None
    step = complex_step(inputs[slot])
    beside = [complex(x, step * (i == slot)) for i, x in enumerate(inputs)]
    try:
        stepped = complex(_continued(op)(*beside))
    except (ArithmeticError, ValueError):
        return None
    # Where the real function has no value, like log at −1, the complex one is another function.
    same = isclose(stepped.real, value, rel_tol=1e-6, abs_tol=step)
    return stepped.imag / step if same else None


def _of_function(op: OwnOp, inputs: Sequence[float], slot: int) -> float | None:
    """Return the derivative of a program's function: the stored one, where that is as near.

    As near as differences can tell, that is. None at a kink, where these do not settle.
    """
    if op.function is None:
        return None
    found, stored = derivative(op.function, inputs, slot), op.local[slot]()
    if not found.error < _FIRM * max(1.0, abs(found.value)):
        return None
    blurred = max(10 * found.error, _BLURRED * max(1.0, abs(found.value)))
    return stored if found.error and abs(found.value - stored) <= blurred else found.value


def by_differences(op: Op, inputs: Sequence[float], slot: int) -> bool:
    """Whether an operation's derivative is checked by differences, for want of a complex step."""
    if not isinstance(op, OwnOp) or op.function is None:
        return False
    return derivative(op.function, inputs, slot).by == BY_DIFFERENCES


_BLURRED = 1e-8
"""How far differences of a program's function may be off, beyond their own estimate."""


def _extreme(x: float) -> bool:
    """Whether a step from a number, or its effect, would overflow or underflow."""
    return x != 0 and not _LEAST < abs(x) < 1 / _LEAST


_LEAST = 1e-140


def _sides(graph: Graph) -> Sequence[tuple[bool, ...]]:
    """Return on which side of its kinks every operation is."""
    return [
        partial.sides(dict(zip(op.operands, graph.inputs(place), strict=True)))
        for place, op in enumerate(graph.ops)
        if op.forward.piecewise
        for partial in op.partials
    ]


@dataclass(frozen=True, slots=True)
class Slope:
    """A difference quotient and an estimate of its error, from curvature and rounding."""

    value: float
    error: float

    @property
    def firm(self) -> bool:
        """Whether it has digits that its error does not reach."""
        return self.error <= _FIRM * abs(self.value)


def central_difference(graph: Graph, leaf: int, blurred: float) -> Slope:
    """Return the slope of the root along one leaf.

    The step is the cube root of the machine epsilon, relative to the leaf; the error is estimated
    from a second quotient with twice the step, and from how far the root is `blurred` by rounding.
    """
    return _slope(graph, leaf, _STEP * max(1.0, abs(graph.values[leaf])), blurred)


def _slope(graph: Graph, leaf: int, step: float, blurred: float) -> Slope:
    near, far = (_quotient(graph, leaf, h) for h in (step, 2 * step))
    return Slope(near, abs(far - near) + blurred / step if isfinite(near) else nan)


def slopes(graph: Graph, leaf: int) -> list[Slope]:
    """Return central differences over wide steps and narrow ones, but over no kink.

    None where the root is not finite. Each is blurred by the rounding at its ends, too: at a
    minimum, where all gradients are 0, there is none, but a step away there is.
    """
    x = graph.values[leaf]
    if not isfinite(graph.values[-1]):
        return []
    here, found = _sides(graph), list[Slope]()
    for size in sorted({max(1.0, abs(x)) * narrow for narrow in _NARROWER} | {abs(x), abs(x) / 64}):
        step = _STEP * size
        if step and x + step != x:
            ends = [graph.given({leaf: end}) for end in (x - 2 * step, x + 2 * step)]
            slope = _slope(graph, leaf, step, max(map(rounding, (graph, *ends))))
            # At a kink, both ends are on other sides than the kink itself.
            if isfinite(slope.value) and [*map(_sides, ends)] == [here, here]:
                found.append(slope)
    return found


_STEP = float_info.epsilon ** (1 / 3)
_NARROWER = (1.0, 1 / 64, 1 / 4096)
_FIRM = 1e-3
"""How far a slope may be off, relative to itself."""


def rounding(graph: Graph) -> float:
    """Return the possible rounding error of the root: each last digit, times the gradient."""
    pairs = zip(gradients(graph), graph.values, strict=True)
    parts = (abs(grad) * ulp(value) for grad, value in pairs)
    return sum(filter(isfinite, parts))


def _quotient(graph: Graph, leaf: int, step: float) -> float:
    x = graph.values[leaf]
    up, down = x + step, x - step
    above, below = (graph.given({leaf: nudged}).values[-1] for nudged in (up, down))
    return (above - below) / (up - down)


def complex_or_rule(op: Op, inputs: Sequence[float], out: float, slot: int) -> Carry:
    """Return what passes an edge by a complex step; where there is none to take, by the op table.

    No step can tell a 0 that multiplies from that of a shut gate: the table can. And where the
    local derivative is as small as in the tails of erf, the effect of a step underflows.
    """
    stepped, rule = complex_local(op, inputs, slot), partial(op.carry[slot], *inputs, out)
    if stepped is None or max(abs(stepped), abs(rule(1.0))) < _LEAST:
        return rule
    return partial(mul, stepped)


@cache
def _continued(op: Op) -> Callable[..., complex]:
    return op.forward.continued(COMPLEX, op.operands)
