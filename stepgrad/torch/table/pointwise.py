"""Operations on each element by itself."""

from __future__ import annotations

from typing import Any

from stepgrad.engine import ops
from stepgrad.engine.ops import BY_NAME
from stepgrad.torch.cells import Cells
from stepgrad.torch.table.rows import Rows

ROWS = Rows()
row = ROWS

# PyTorch's name is that of a row of the op table.
_SAME = ("neg abs relu tanh sigmoid exp log sqrt sin cos atan sinh cosh expm1 log1p erf").split()


def _unary(name: str) -> None:
    op = BY_NAME[name]

    @row(name)
    def unary(a: Cells) -> Cells:
        return a.apply(op)


for _name in _SAME:
    _unary(_name)


@row("add")
def add(a: Cells, b: Cells | float, *, alpha: float = 1) -> Cells:
    return a + (b if alpha == 1 else a.made.cells(b) * alpha)


@row("sub")
def sub(a: Cells, b: Cells | float, *, alpha: float = 1) -> Cells:
    return a - (b if alpha == 1 else a.made.cells(b) * alpha)


@row("mul")
def mul(a: Cells, b: Cells | float) -> Cells:
    return a * b


@row("div")
def div(a: Cells, b: Cells | float) -> Cells:
    return a / b


@row("pow")
def power(a: Cells | float, b: Cells | float) -> Cells:
    base: Any = a
    return base**b


@row("maximum")
def maximum(a: Cells, b: Cells) -> Cells:
    return a.apply(ops.MAX, b)


@row("minimum")
def minimum(a: Cells, b: Cells) -> Cells:
    return a.apply(ops.MIN, b)
