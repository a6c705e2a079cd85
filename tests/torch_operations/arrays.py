"""Operations that reduce, move, select, scatter and multiply."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from torch_operations.inputs import BATCH, IMAGE, INDEX, MASK, Tried, f64


def _index_put(a: Tensor, b: Tensor) -> Tensor:
    result = a * 1
    result[:, [0, 2]] = b
    result[0, 1] = 5.0
    return result.index_put((torch.tensor([0, 0, 1]),), b[0, :1], accumulate=True)


def _buffer(a: Tensor) -> Tensor:
    buffer = torch.zeros(4, dtype=a.dtype)
    buffer[1:3] = a[0, 0, :2]
    buffer[3] += a[0, 1, 1]
    buffer[1] = 7.0
    return buffer * buffer


def _dropped(a: Tensor) -> Tensor:
    torch.manual_seed(1)
    return F.dropout(a, 0.5) + torch.native_dropout(a, 0.3, True)[0] + F.dropout1d(a, 0.5)


def _rrelu(a: Tensor) -> Tensor:
    torch.manual_seed(1)
    return F.rrelu(a, training=True) + F.rrelu(a)


def _ties(a: Tensor) -> Sequence[Tensor]:
    return a.max(), a.min(), a.amax(-1), a.amin((0, 1)), *a.max(-1)[:1], *a.min(0)[:1], a.median()


ARRAYS: Tried = {
    # Reducing.
    "sum": (lambda a: (a.sum(-2), a.sum((0, -1), keepdim=True), a.sum(dim=[])), [BATCH]),
    "mean": (lambda a: (a.mean(-2), a.mean((0, -1), keepdim=True)), [BATCH]),
    "prod": (lambda a: (a.prod(-2), a.prod(0, keepdim=True)), [BATCH]),
    "nansum": (lambda a: (a.nansum(0), a.nanmean()), [f64([[1.0, float("nan")], [3, 4]])]),
    "var": (lambda a: (a.var(), a.std(-1), a.var((0, 1), correction=0, keepdim=True)), [BATCH]),
    "var_mean": (lambda a: (*torch.var_mean(a, -1), *torch.std_mean(a, 0)), [BATCH]),
    "std at 0": (lambda a: a.std(-1), [f64([[1.0, 1], [1, 2]])]),
    "norms": (
        lambda a: [torch.linalg.vector_norm(a, p, -1) for p in (0.5, 1, 1.5, 2, 3, float("inf"))],
        [BATCH],
    ),
    "norms at 0": (
        lambda a: [torch.linalg.vector_norm(a, p, -1) for p in (1, 1.5, 2, 3, float("inf"))],
        [f64([[0.0, 0], [0, 1], [2, -2]])],
    ),
    "norm": (lambda a: (a.norm(dim=-1), a.norm(p="fro"), torch.linalg.norm(a[0])), [BATCH]),
    "normalize": (lambda a: F.normalize(a, dim=-1), [BATCH]),
    "logsumexp": (lambda a: (a.logsumexp((0, -1)), a.logsumexp(1, keepdim=True)), [BATCH]),
    "logsumexp of -inf": (lambda a: a.masked_fill(a > 0, -torch.inf).logsumexp(0), [BATCH]),
    "cumulative": (lambda a: (a.cumsum(0), a.cumprod(-2), a.logcumsumexp(1)), [BATCH]),
    "ties": (_ties, [f64([[[1.0, 2, 2], [0, 0, 2]]])]),
    "extremes": (_ties, [BATCH]),
    "topk": (lambda a: (a.topk(2)[0], a.topk(2, 0, largest=False)[0]), [BATCH]),
    "kthvalue": (lambda a: (a.kthvalue(2)[0], a.median(1)[0], a.mode(-1)[0]), [BATCH]),
    "quantile": (lambda a: a.quantile(0.3, -1), [BATCH]),
    "softmaxes": (lambda a: (a.softmax(1), a.log_softmax(-3)), [BATCH]),
    "masked softmax": (
        lambda a: a.masked_fill(MASK[..., None], -torch.inf).softmax(-2),
        [(3, 3, 4)],
    ),
    # Moving.
    "cat": (
        lambda a, b: (torch.cat([a, b], -2), torch.hstack([a, b]), torch.cat([b])),
        [BATCH, (2, 1, 4)],
    ),
    "split": (
        lambda a: [*a.split(2, -1), *a.chunk(3, 1), *a.unbind(0), *a.split([1, 3], 2)],
        [BATCH],
    ),
    "indexing": (
        lambda a: (
            a[1, ..., ::2],
            a[:, [0, 2]],
            a[a > 0],
            a[MASK[:2]],
            a[..., None, -1],
            a[[1, 0], [2, 2]],
        ),
        [BATCH],
    ),
    "selecting": (
        lambda a: (
            a.index_select(-1, torch.tensor([3, 0])),
            a.take(torch.tensor([[5, 1]])),
            a.gather(1, INDEX[:, :1, None].expand(2, 1, 4)),
            torch.take_along_dim(a, INDEX[..., None], 1),
            a.masked_select(MASK[:2, :, None]),
            a.diagonal(0, 0, 1),
            a.narrow(-1, 1, 2),
            a.unfold(-1, 2, 1),
            a.movedim(0, -1).swapaxes(0, 1),
        ),
        [BATCH],
    ),
    "turning": (
        lambda a: (
            a.flip(0, -1),
            a.roll((1, 2), (0, -1)),
            a.rot90(1, (1, 2)),
            a.mT.contiguous(),
            a.repeat(2, 1, 3),
        ),
        [BATCH],
    ),
    "triangles": (
        lambda a: (a.tril(), a.triu(1), a.tril(-1), a.diag_embed(), a[0, :, 0].diag()),
        [BATCH],
    ),
    "trace": (lambda a: a.trace(), [(3, 3)]),
    "padding": (
        lambda a: [
            F.pad(a, (1, 2), mode=mode) for mode in ("constant", "reflect", "replicate", "circular")
        ],
        [BATCH],
    ),
    "upsampling": (
        lambda a: (
            F.interpolate(a, scale_factor=2),
            F.interpolate(a, size=(3, 4), mode="bilinear"),
        ),
        [IMAGE],
    ),
    "shuffling": (lambda a: (F.pixel_shuffle(a, 2), F.channel_shuffle(a, 2)), [IMAGE]),
    "unfold": (
        lambda a: F.fold(F.unfold(a, 2, padding=1, stride=2), (5, 6), 2, padding=1, stride=2),
        [IMAGE],
    ),
    "filling": (
        lambda a: (a.masked_fill(MASK[:2, :, None], 2), a.index_fill(1, torch.tensor([0]), 3.0)),
        [BATCH],
    ),
    "filling by tensor": (lambda a, b: a.masked_fill(MASK[:2, :, None], b), [BATCH, ()]),
    "masked_scatter": (lambda a, b: a.masked_scatter(MASK[:2, :, None], b), [BATCH, (2, 3, 4)]),
    "writing": (
        lambda a, b: (
            a.select_scatter(b[0], 0, 1),
            a.slice_scatter(b[:, :1], 1, 1, 2),
            a.diagonal_scatter(b[0, 0, :2].expand(4, 2), 0, 0, 1),
            a.index_copy(1, torch.tensor([2, 0]), b[:, :2]),
        ),
        [BATCH, BATCH],
    ),
    "index_put": (_index_put, [BATCH, (2, 2, 4)]),
    "a buffer": (_buffer, [BATCH]),
    "embedding": (
        lambda a: (F.embedding(INDEX, a), F.embedding(INDEX, a, padding_idx=1)),
        [(4, 2)],
    ),
    "embedding, nothing": (lambda a: F.embedding(INDEX[:0], a).sum() + a.sum(), [(4, 2)]),
    "dropout": (_dropped, [BATCH]),
    "rrelu": (_rrelu, [BATCH]),
    "prelu": (F.prelu, [BATCH, (3,)]),
    "prelu at 0": (F.prelu, [f64([[0.0, 1, -1]]), (1,)]),
    "glu": (lambda a: (F.glu(a), F.glu(a, 0)), [BATCH]),
    # Scattering.
    "scatter": (
        lambda a, b: (
            a.scatter(1, torch.tensor([[[0], [1]], [[2], [0]]]).expand(2, 2, 4), b[:, :2]),
            a.scatter(-1, INDEX[:, :, None], 2.0),
        ),
        [BATCH, BATCH],
    ),
    "scatter_add": (
        lambda a, b: (
            a.scatter_add(1, INDEX[..., None].expand(2, 3, 4), b),
            a.scatter_add(-1, INDEX[:, None], b[:, :1, :3]),
        ),
        [BATCH, BATCH],
    ),
    "scatter_reduce": (
        lambda a, b: [
            a.scatter_reduce(1, INDEX[..., None].expand(2, 3, 4), b, reduce, include_self=own)
            for reduce in ("sum", "mean", "prod", "amax", "amin")
            for own in (True, False)
        ],
        [BATCH, BATCH],
    ),
    "index_add": (
        lambda a, b: (
            a.index_add(1, torch.tensor([0, 0, 2]), b),
            a.index_add(1, torch.tensor([1, 0, 0]), b, alpha=2),
        ),
        [BATCH, BATCH],
    ),
    "segment mean": (
        lambda a: torch.zeros(3, 4).double().index_add_(0, torch.tensor([0, 2, 2]), a[0]) / 2,
        [BATCH],
    ),
    # Matrices.
    "mm": (lambda a, b: (a @ b, a.mT @ a), [(2, 3), (3, 4)]),
    "mm of nothing": (lambda a, b: a @ b, [(2, 0), (0, 3)]),
    "bmm": (lambda a, b: (torch.bmm(a, b), a @ b[0]), [(2, 3, 4), (2, 4, 1)]),
    "matmul": (lambda a, b: a @ b, [(2, 1, 3, 4), (3, 4, 2)]),
    "vectors": (lambda a, b: (a @ b, a.dot(b), torch.outer(a, b), a.vdot(b)), [(3,), (3,)]),
    "mv": (lambda a, b: (a @ b, b @ a.mT), [(2, 3), (3,)]),
    "addmm": (lambda a, b, c: torch.addmm(c, a, b, beta=0.5, alpha=2), [(2, 3), (3, 4), (4,)]),
    "baddbmm": (lambda a, b, c: torch.baddbmm(c, a, b), [(2, 2, 3), (2, 3, 1), (2, 1)]),
    "addbmm": (lambda a, b, c: torch.addbmm(c, a, b), [(2, 2, 3), (2, 3, 1), (2, 1)]),
    "addmv": (lambda a, b, c: (torch.addmv(c, a, b), torch.addr(a, c, b)), [(2, 3), (3,), (2,)]),
    "einsum": (
        lambda a, b: (
            torch.einsum("bij,bkj->bik", a, b),
            torch.einsum("bij->j", a),
            torch.einsum("bij,bij", a, b),
        ),
        [BATCH, BATCH],
    ),
    "tensordot": (lambda a, b: torch.tensordot(a, b, 2), [BATCH, (3, 4, 2)]),
    "bilinear": (F.bilinear, [(2, 3), (2, 4), (2, 3, 4), (2,)]),
    "cross": (torch.linalg.cross, [(2, 3), (2, 3)]),
    "kron": (torch.kron, [(2, 2), (2, 3)]),
    "cdist": (torch.cdist, [(2, 3), (4, 3)]),
    "cosine": (lambda a, b: F.cosine_similarity(a, b, -1), [BATCH, BATCH]),
    "pairwise": (F.pairwise_distance, [BATCH, BATCH]),
}
