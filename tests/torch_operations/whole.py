"""Operations that are recorded whole: with PyTorch's own local derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from torch_operations.inputs import Tried, apart

_SQUARE = (3, 3)


def _positive(a: Tensor) -> Tensor:
    """Return a matrix that has all decompositions, each derivative of which exists."""
    size = a.shape[-1]
    return a @ a.mT + torch.diag(torch.arange(1, size + 1, dtype=a.dtype))


def _of_positive(run: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
    return lambda a: run(_positive(a))


_FUNCTIONS = """
    lgamma digamma erfinv i0 special.i0e special.i1 special.i1e special.ndtri special.erfcx
    special.log_ndtr
"""
_MATRICES = "inv det slogdet cholesky eigvalsh svdvals pinv matrix_exp qr"

WHOLE: Tried = {
    **{
        name: (lambda a, name=name: _found(name)(a.sigmoid()), [apart(3, 2)])
        for name in _FUNCTIONS.split()
    },
    "polygamma": (lambda a: (torch.polygamma(2, a.exp()), torch.mvlgamma(a.exp() + 2, 2)), [(3,)]),
    "lgamma_": (lambda a: (a.exp() + 1).lgamma_(), [(3,)]),
    "zeta": (lambda a: torch.special.zeta(2.5, a.exp()), [(2, 3)]),
    **{name: (_of_positive(getattr(torch.linalg, name)), [_SQUARE]) for name in _MATRICES.split()},
    "eigh": (lambda a: torch.linalg.eigh(_positive(a))[0], [_SQUARE]),
    "batches of matrices": (lambda a: torch.linalg.inv(_positive(a)), [(2, 3, 3)]),
    "solve": (
        lambda a, b: (
            torch.linalg.solve(_positive(a), b),
            torch.linalg.solve(_positive(a), b[:, 0]),
            torch.linalg.solve_triangular(_positive(a).tril(), b, upper=False),
            torch.cholesky_solve(b, torch.linalg.cholesky(_positive(a))),
        ),
        [_SQUARE, (3, 2)],
    ),
    "ctc_loss": (
        lambda a: F.ctc_loss(
            a.log_softmax(-1),
            torch.tensor([[1, 2, 2], [1, 3, 0]]),
            torch.tensor([6, 5]),
            torch.tensor([3, 2]),
        ),
        [(6, 2, 5)],
    ),
    "index_reduce": (
        lambda a, b: [
            a.index_reduce(0, torch.tensor([0, 1, 0]), b, reduce, include_self=own)
            for reduce in ("prod", "mean", "amax", "amin")
            for own in (True, False)
        ],
        [(4, 2), (3, 2)],
    ),
    "pdist": (torch.pdist, [(3, 2)]),
}


def _found(name: str) -> Callable[[Tensor], Tensor]:
    room, _, own = name.rpartition(".")
    function: Callable[[Tensor], Tensor] = getattr(torch.special if room else torch, own)
    return function
