"""Products of vectors and matrices."""

from __future__ import annotations

import torch

from stepgrad.torch.cells import Cells
from stepgrad.torch.table.rows import Rows

ROWS = Rows()
row = ROWS


@row("mm", "bmm")
def matmul(a: Cells, b: Cells) -> Cells:
    """Add up the products of each row with each column: batches of them, one for each term."""
    a, b = a.numbered(), b.numbered()
    columns = a.moved(lambda each: each.movedim(-1, 0).unsqueeze(-1))
    rows = b.moved(lambda each: each.movedim(-2, 0).unsqueeze(-2))
    if not len(columns):
        shape = torch.matmul(a.data, b.data).shape
        return a.made.cells(torch.zeros(shape, dtype=torch.float64))
    result = columns[0] * rows[0]
    for term in range(1, len(columns)):
        result = result + columns[term] * rows[term]
    return result


@row("mv")
def mv(a: Cells, b: Cells) -> Cells:
    return matmul(a, b.reshaped(-1, 1)).reshaped(-1)


@row("dot", "vdot")
def dot(a: Cells, b: Cells) -> Cells:
    return (a * b).total()


@row("addmm", "baddbmm", "_addmm_activation", "_sparse_addmm")
def addmm(c: Cells, a: Cells, b: Cells, *, beta: float = 1, alpha: float = 1) -> Cells:
    return _added(c, matmul(a, b), beta, alpha)


@row("addmv")
def addmv(c: Cells, a: Cells, b: Cells, *, beta: float = 1, alpha: float = 1) -> Cells:
    return _added(c, mv(a, b), beta, alpha)


@row("addr")
def addr(c: Cells, a: Cells, b: Cells, *, beta: float = 1, alpha: float = 1) -> Cells:
    return _added(c, a.reshaped(-1, 1) * b, beta, alpha)


@row("addbmm")
def addbmm(c: Cells, a: Cells, b: Cells, *, beta: float = 1, alpha: float = 1) -> Cells:
    return _added(c, matmul(a, b).total(0), beta, alpha)


def _added(c: Cells, product: Cells, beta: float, alpha: float) -> Cells:
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product
    return product + (c if beta == 1 else c * beta)


@row("linear")
def linear(a: Cells, weight: Cells, bias: Cells | None = None) -> Cells:
    rows = matmul(a.reshaped(-1, a.shape[-1]), weight.moved(torch.t))
    product = rows.reshaped(*a.shape[:-1], *weight.shape[:-1])
    return product if bias is None else product + bias


@row("_trilinear")
def trilinear(
    a: Cells,
    b: Cells,
    c: Cells,
    expand1: list[int],
    expand2: list[int],
    expand3: list[int],
    sumdim: list[int],
    _unroll: int = 1,
) -> Cells:
    def expanded(each: Cells, dims: list[int]) -> Cells:
        for dim in dims:
            each = each.moved(lambda one, dim=dim: one.unsqueeze(dim))  # type: ignore[misc]
        return each

    product = expanded(a, expand1) * expanded(b, expand2) * expanded(c, expand3)
    return product.total(sumdim) if sumdim else product


@row("linalg_cross")
def cross(a: Cells, b: Cells, *, dim: int = -1) -> Cells:
    ahead, behind = (
        [each.moved(lambda one, by=by: one.roll(by, dim)) for by in (-1, 1)]  # type: ignore[misc]
        for each in (a.numbered(), b.numbered())
    )
    return ahead[0] * behind[1] - ahead[1] * behind[0]
