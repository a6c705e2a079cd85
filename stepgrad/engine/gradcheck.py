"""Derivatives without derivative rules, to hold the rules against.

The complex step needs the forward formula only: f(x + ih) = f(x) + ih·f′(x) + O(h²), so the
imaginary part over h is the derivative to the last digit, because nothing is subtracted (Squire
and Trapp, "Using complex variables to estimate derivatives of real functions", 1998). It is the
gate. The central difference (f(x + h) − f(x − h)) / 2h is what textbooks use; it is shown with the
error that it has itself.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import isclose, isfinite, nan
from operator import truediv
from sys import float_info

from stepgrad.engine.graph import Graph
from stepgrad.engine.ops import Op

STEP = 1e-100
"""How far into the complex plane: h² is nothing beside h."""


def complex_tangents(graph: Graph, seeds: Mapping[int, float]) -> Sequence[float]:
    """Return the tangent of every node, by a complex step along `seeds`.

    At a kink no step says which derivative is meant; there the convention of the op table is
    taken over. nan where an operation has no complex continuation.
    """
    found = {place: complex(graph.values[place], STEP * seed) for place, seed in seeds.items()}
    for place, (op, operands) in enumerate(zip(graph.ops, graph.operands, strict=True)):
        if any(operand in found for operand in operands):
            inputs = [found.get(operand, complex(graph.values[operand])) for operand in operands]
            found[place] = _stepped(op, inputs, graph.values[place])
    return [found[place].imag / STEP if place in found else 0.0 for place in range(len(graph))]


def complex_local(graph: Graph, place: int, slot: int) -> float:
    """Return the derivative of a node by one operand, by a complex step."""
    inputs = [complex(x, STEP * (i == slot)) for i, x in enumerate(graph.inputs(place))]
    return _stepped(graph.ops[place], inputs, graph.values[place]).imag / STEP


def _stepped(op: Op, inputs: Sequence[complex], value: float) -> complex:
    reals = [x.real for x in inputs]
    if at_kink(op, reals):
        slopes = (local(*reals, value) for local in op.local)
        steps = zip(slopes, inputs, strict=True)
        return complex(value, sum(slope * x.imag for slope, x in steps if x.imag))
    try:
        stepped = complex(_continued(op)(*inputs))
    except (ArithmeticError, ValueError):  # beyond the largest number, or log(0)
        return complex(value, nan)
    # Where the real function has no value, as log(-1), the complex one is another function.
    same = isclose(stepped.real, op.value(*reals), rel_tol=1e-6, abs_tol=STEP)
    return stepped if same else complex(value, nan)


def at_kink(op: Op, inputs: Sequence[float]) -> bool:
    """Whether an operation has no derivative there, but two, one from either side."""
    given = dict(zip(op.operands, inputs, strict=True))
    return op.forward.piecewise and any(partial.tied(given) for partial in op.partials)


@dataclass(frozen=True, slots=True)
class Slope:
    """A difference quotient and how far it may be off: by its curvature and by rounding."""

    value: float
    error: float


def central_difference(graph: Graph, leaf: int) -> Slope:
    """Return the slope of the root along one leaf.

    The step is the cube root of the machine epsilon, relative to the leaf; the error is estimated
    from a second quotient with twice the step, and from the rounding of the root.
    """
    x = graph.values[leaf]
    step = float_info.epsilon ** (1 / 3) * max(1.0, abs(x))
    near, far = (_quotient(graph, leaf, h) for h in (step, 2 * step))
    rounding = float_info.epsilon * abs(graph.values[-1]) / step
    return Slope(near, abs(far - near) + rounding if isfinite(near) else nan)


def _quotient(graph: Graph, leaf: int, step: float) -> float:
    x = graph.values[leaf]
    up, down = x + step, x - step
    above, below = (graph.given({leaf: nudged}).values[-1] for nudged in (up, down))
    return (above - below) / (up - down)


_CONTINUATIONS: Mapping[str, object] = {
    **{name: getattr(cmath, name) for name in ("cos", "exp", "log", "sin", "sqrt", "tanh")},
    "abs": lambda a: -a if a.real < 0 else a,
    "div": truediv,
    "pow": pow,
}
"""The functions of formulas, for complex numbers."""


@cache
def _continued(op: Op) -> Callable[..., complex]:
    return op.forward.continued(_CONTINUATIONS, op.operands)
