"""Operations on each element by itself: arithmetic and functions."""

from __future__ import annotations

import math
from typing import TypeAlias

import torch
from torch import Tensor

from stepgrad.engine import ops
from stepgrad.torch.cells import Cells
from stepgrad.torch.table.rows import Rows

ROWS = Rows()
row = ROWS
Number: TypeAlias = Cells | Tensor | float

# PyTorch's name is that of a row of the op table.
_SAME = "neg abs relu tanh sigmoid exp log sqrt sin cos atan sinh cosh expm1 log1p erf"


def _same(name: str) -> None:
    @row(name)
    def unary(a: Cells) -> Cells:
        return a.apply(name)


for _name in _SAME.split():
    _same(_name)


# Arithmetic.


@row("add")
def add(a: Cells, b: Number, *, alpha: float = 1) -> Cells:
    return a + (b if alpha == 1 else b * alpha)


@row("sub")
def sub(a: Cells, b: Number, *, alpha: float = 1) -> Cells:
    return a - (b if alpha == 1 else b * alpha)


@row("rsub")
def rsub(a: Cells, b: Number, alpha: float = 1) -> Cells:
    return b - (a if alpha == 1 else a * alpha)


@row("mul")
def mul(a: Cells, b: Number) -> Cells:
    return a * b


@row("div")
def div(a: Cells, b: Number, *, rounding_mode: str | None = None) -> Cells:
    quotient = a / b
    return quotient if rounding_mode is None else quotient.detached()


@row("pow")
def power(a: Cells, b: Number) -> Cells:
    return a**b


@row("reciprocal")
def reciprocal(a: Cells) -> Cells:
    return 1 / a


@row("rsqrt")
def rsqrt(a: Cells) -> Cells:
    return 1 / a.apply(ops.SQRT)


@row("addcmul")
def addcmul(a: Cells, b: Cells, c: Cells, *, value: float = 1) -> Cells:
    return add(a, b * c, alpha=value)


@row("addcdiv")
def addcdiv(a: Cells, b: Cells, c: Cells, *, value: float = 1) -> Cells:
    return add(a, b / c, alpha=value)


@row("lerp")
def lerp(a: Cells, b: Cells, weight: Number) -> Cells:
    return a + weight * (b - a)


@row("remainder", "fmod")
def remainder(a: Cells, b: Number, *, out: Tensor) -> Cells:
    b = a.made.cells(b)
    whole = ((a.data - out) / b.data).round()
    return a - b * whole


@row("frac")
def frac(a: Cells) -> Cells:
    return a - a.data.trunc()


@row("copysign")
def copysign(a: Cells, b: Number, *, out: Tensor) -> Cells:
    return a * (out * a.data).sign()


# Functions that are made of those in the op table.


@row("exp2")
def exp2(a: Cells) -> Cells:
    return 2.0**a


@row("log2")
def log2(a: Cells) -> Cells:
    return a.apply(ops.LOG) / math.log(2)


@row("log10")
def log10(a: Cells) -> Cells:
    return a.apply(ops.LOG) / math.log(10)


@row("tan")
def tan(a: Cells) -> Cells:
    return a.apply(ops.SIN) / a.apply(ops.COS)


@row("asin")
def asin(a: Cells) -> Cells:
    return (a / (1 - a * a).apply(ops.SQRT)).apply(ops.ATAN)


@row("acos")
def acos(a: Cells) -> Cells:
    return math.pi / 2 - asin(a)


@row("asinh")
def asinh(a: Cells) -> Cells:
    def positive(a: Cells) -> Cells:
        return (a + (a * a + 1).apply(ops.SQRT)).apply(ops.LOG)

    return a.replaced_by(a.data >= 0, positive).replaced_by(a.data < 0, lambda a: -positive(-a))


@row("acosh")
def acosh(a: Cells) -> Cells:
    return (a + (a * a - 1).apply(ops.SQRT)).apply(ops.LOG)


@row("atanh")
def atanh(a: Cells) -> Cells:
    return (a.apply(ops.LOG1P) - (-a).apply(ops.LOG1P)) / 2


@row("erfc")
def erfc(a: Cells) -> Cells:
    return 1 - a.apply(ops.ERF)


@row("sinc")
def sinc(a: Cells) -> Cells:
    scaled = a * math.pi
    return (scaled.apply(ops.SIN) / scaled).replaced(a.data == 0, 1.0)


@row("hypot")
def hypot(a: Cells, b: Cells) -> Cells:
    return (a * a + b * b).apply(ops.SQRT)


@row("atan2")
def atan2(a: Cells, b: Cells, *, out: Tensor) -> Cells:
    steep = a.data.abs() > b.data.abs()
    ratio, inverse = a / b, b / a
    angle = ratio.replaced(steep, inverse[steep]).apply(ops.ATAN)
    angle = angle.replaced(steep, -angle[steep])
    turn = ((out - angle.data) / (math.pi / 2)).round()
    nowhere = (a.data == 0) & (b.data == 0)
    return (angle + turn * (math.pi / 2)).replaced(nowhere, out[nowhere])


@row("logaddexp")
def logaddexp(a: Cells, b: Cells) -> Cells:
    top = torch.maximum(a.data, b.data)
    top = top.masked_fill(top.isinf(), 0)
    return ((a - top).apply(ops.EXP) + (b - top).apply(ops.EXP)).apply(ops.LOG) + top


@row("logaddexp2")
def logaddexp2(a: Cells, b: Cells) -> Cells:
    return logaddexp(a * math.log(2), b * math.log(2)) / math.log(2)


@row("logit")
def logit(a: Cells, eps: float | None = None) -> Cells:
    if eps is not None:
        a = a.replaced(a.data < eps, eps).replaced(a.data > 1 - eps, 1 - eps)
    return (a / (1 - a)).apply(ops.LOG)


@row("xlogy")
def xlogy(a: Number, b: Number) -> Cells:
    made = next(each.made for each in (a, b) if isinstance(each, Cells))
    a, b = made.cells(a), made.cells(b)
    product = a * b.apply(ops.LOG)
    nothing = (a.data == 0) & ~b.data.isnan()
    return product.replaced(nothing.expand(product.shape), 0.0)
