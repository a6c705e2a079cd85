"""Wrong derivatives that people write, and which of them some numbers are (`recognised`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from math import isclose
from typing import NamedTuple

from stepgrad.engine.formula import Formula
from stepgrad.engine.ops import Op

_KNOWN: Mapping[str, Sequence[str]] = {
    "add": ("b; 0; 2; out", "a; 0; 2; out"),
    "sub": ("b; 0; out", "-b; -a; a; 0; out"),
    "mul": ("1; out; 0", "1; out; 0"),
    "div": (
        "b; 1 / b**2; 1; 1 / a; out; 0",
        "-a / b; a / b; -1 / b**2; 1 / b**2; -1 / b; -a; a; 1; out; a * b; 0",
    ),
    "pow": (
        "b * a**b; a**(b - 1); b * a; (b - 1) * a**(b - 1); (b - 1) * a**b; a**b; b; a; "
        "b * a**(b + 1); (b - 1) * a**(b - 2); 0",
        "log(a); out; out * log(b); b * log(a); a * log(a); b * a**(b - 1); out / log(a); 0",
    ),
    "neg": ("a; out; 0",),
    "abs": ("1; a; -1; out; 0",),
    "relu": ("1; 1 if a < 0 else 0; a; out; 0",),
    "leaky_relu": ("1; 1 if a > 0 else 0; 0.01; a; out; 0",),
    "tanh": (
        "1 - a*a; 1 - out; 1 - a; 1 + out*out; out * (1 - out); a * (1 - a); out*out - 1; out; "
        "1 - tanh(out)*tanh(out); out*out; 1; 0",
    ),
    "sigmoid": (
        "a * (1 - a); 1 - out; out; 1 - out*out; 1 - a*a; out * (1 + out); out * (out - 1); "
        "out*out; a; 1; 0",
    ),
    "exp": ("a; a * out; a * exp(a - 1); exp(out); 1; 0",),
    "log": ("1 / out; a; out; -1 / a**2; 1 / a**2; log(a) / a; 1; 0",),
    "sqrt": ("1 / (2*a); 1 / out; 1 / a; out / 2; 2 * out; a / 2; 1 / sqrt(2*a); 1; 0",),
    "sin": ("sin(a); -sin(a); cos(out); out * cos(a); a; 1; 0",),
    "cos": ("cos(a); -cos(a); -sin(out); a; 1; 0",),
}
"""By operation, for each operand."""

_SAME = 1e-7
"""How far a number may be off the formula that explains it, relative to itself."""


class Sample(NamedTuple):
    """What a rule took a local derivative to be, where its operation had these numbers."""

    operands: Sequence[float]
    out: float
    taken: float


def recognised(op: Op, slot: int, samples: Iterable[Sample]) -> Formula | None:
    """Return the wrong formula that gives all these numbers; None unless it is the only one."""
    fitting = list(_wrong(op.name, slot))
    for sample in samples:
        fitting = [formula for formula in fitting if _fits(formula, op, sample)]
    return fitting[0] if len(fitting) == 1 else None


@cache
def _wrong(name: str, slot: int) -> Sequence[Formula]:
    listed = _KNOWN.get(name, ())
    return [*map(Formula, listed[slot].split("; "))] if slot < len(listed) else []


def _fits(formula: Formula, op: Op, sample: Sample) -> bool:
    numbers = dict(zip(op.operands, sample.operands, strict=True)) | {"out": sample.out}
    found = formula.function(*numbers)(**numbers)
    return isclose(found, sample.taken, rel_tol=_SAME, abs_tol=_SAME * 1e-5)
