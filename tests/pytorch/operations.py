"""The operations that are compared with PyTorch: name, function, and the inputs it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

KINKS = [-25.0, -4, -3, -2, -1, -0.7, -0.5, -0.25, 0, 0.25, 0.5, 0.7, 1, 2, 3, 4, 6, 7, 25]
"""Where activations bend, and between."""


class Operation(NamedTuple):
    """A function of tensors, and what it gets: the shape of each, or the tensor."""

    name: str
    run: Callable[..., Any]
    inputs: Sequence[Any]


def made(*inputs: Any, seed: int = 0) -> list[Tensor]:
    """Return leaves in these shapes, of random numbers."""
    generator = torch.Generator().manual_seed(seed)
    leaves = []
    for each in inputs:
        if isinstance(each, Tensor):
            leaves.append(each.clone().requires_grad_())
        else:
            numbers = torch.randn(each, generator=generator, dtype=torch.float64)
            leaves.append(numbers.requires_grad_())
    return leaves


def f64(numbers: Any) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def apart(*shape: int) -> Tensor:
    """Return a tensor that is not contiguous."""
    numbers = torch.randn(
        *shape, 2, generator=torch.Generator().manual_seed(5), dtype=torch.float64
    )
    return numbers.movedim(-1, 0)[1]


# Each by itself.

_ACTIVATIONS = """
    relu leaky_relu relu6 elu selu celu silu mish gelu softplus softsign logsigmoid hardtanh
    hardsigmoid hardswish hardshrink softshrink tanhshrink sigmoid tanh
"""
_FUNCTIONS = """
    neg abs exp sin cos atan sinh cosh expm1 erf square asinh exp2 erfc sinc sign floor round trunc
    frac
"""
_OF_POSITIVE = "log sqrt log1p rsqrt reciprocal log2 log10"
_OF_SMALL = "asin acos atanh tan logit"
_OF_TWO = "add sub mul div maximum minimum fmax fmin hypot atan2 logaddexp"

ANYWHERE: dict[str, Callable[..., Any]] = {
    **{name: getattr(F, name) for name in _ACTIVATIONS.split()},
    **{name: getattr(torch, name) for name in _FUNCTIONS.split()},
    "leaky_relu(0.3)": lambda a: F.leaky_relu(a, 0.3),
    "gelu(tanh)": lambda a: F.gelu(a, approximate="tanh"),
    "softplus(2, 3)": lambda a: F.softplus(a, 2, 3),
    "elu(0.5)": lambda a: F.elu(a, 0.5),
    "celu(2)": lambda a: F.celu(a, 2.0),
    "threshold": lambda a: F.threshold(a, 0.5, -2),
    "clamp": lambda a: a.clamp(-1, 2),
    "clamp_min": lambda a: a.clamp(min=0.5),
    "clamp_max": lambda a: a.clamp_max(0.5),
    "pow 2": lambda a: a**2,
    "pow 3": lambda a: a**3,
    "pow 0": lambda a: a**0,
    "rpow": lambda a: 2**a,
    "arithmetic": lambda a: 3 - (a + 2) * 4 / 5 - torch.rsub(a, 1, alpha=2),
    "remainder": lambda a: a % 0.3,
    "fmod": lambda a: torch.fmod(a, 0.3),
    "div(floor)": lambda a: torch.div(a, 2, rounding_mode="floor") + a,
    "addcmul": lambda a: torch.addcmul(a, a, a.sin(), value=2),
    "addcdiv": lambda a: torch.addcdiv(a, a, a.exp(), value=2),
    "masked_fill": lambda a: a.masked_fill(a > 0, 3.0),
    "where": lambda a: torch.where(a > 0, a * 2, 1.0),
    "nan_to_num": lambda a: a.nan_to_num(),
    "clone": lambda a: a.clone() * a.detach(),
    "in place": lambda a: a.clone().mul_(2).add_(a).neg_().clamp_(max=5),
    "sigmoid_": lambda a: (a * 1).sigmoid_(),
    "hardsigmoid_": lambda a: F.hardsigmoid(a * 1, inplace=True),
    "zero_": lambda a: a + (a * 1).zero_(),
    "fill_": lambda a: a + (a * 1).fill_(2),
    "int times": lambda a: (a.detach() > 0) * a + torch.ones(1, dtype=torch.int64) * a,
    "float32": lambda a: (a.to(torch.float32) * 2).to(torch.float64),
    "sum": lambda a: a.sum(),
    "mean": lambda a: a.mean(),
    "prod": lambda a: a.prod(),
    "cumsum": lambda a: a.cumsum(-1),
    "cumprod": lambda a: (a * 0.1).cumprod(-1),
    "softmax": lambda a: a.softmax(-1),
    "softmin": lambda a: F.softmin(a, 0),
    "log_softmax": lambda a: a.log_softmax(0),
    "logsumexp": lambda a: a.logsumexp(-1),
    "logcumsumexp": lambda a: a.logcumsumexp(-1),
    "norm": lambda a: a.norm(),
    "norm 1": lambda a: a.norm(1),
    "norm 3": lambda a: a.norm(3, dim=-1),
    "var": lambda a: a.var(correction=0),
    "sort": lambda a: a.sort(-1)[0].sort(-1, descending=True)[0],
    "cummax": lambda a: a.cummax(-1)[0] + a.cummin(-1)[0],
    "reshape": lambda a: a.reshape(-1).unsqueeze(0).expand(2, -1).flatten(),
    "flip": lambda a: a.flip(-1) if a.ndim else a,
    "roll": lambda a: a.roll(1),
    "tile": lambda a: a.tile(2) + a.repeat_interleave(2) if a.ndim == 1 else a.tile(2),
    "stack": lambda a: torch.stack([a, a * 2], -1),
    "pad": lambda a: F.pad(a, (1, 2), value=2.0) * 3 if a.ndim else a,
    "masked_select": lambda a: a[a > 0],
    "out of place": lambda a: torch.cat([a.reshape(-1), torch.ones(2, dtype=a.dtype)]),
}
SHAPES: Sequence[Any] = [
    (),
    (1,),
    (0,),
    (2, 0, 3),
    (1, 3),
    f64(KINKS),
    apart(2, 3),
    f64(0.0),
    f64([[0.0, 0], [0, 0]]),
]

POSITIVE: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in _OF_POSITIVE.split()},
    "acosh": lambda a: torch.acosh(a + 1.5),
    "pow": lambda a: a**1.7,
    "pow a": lambda a: a**a,
    "xlogy": lambda a: torch.xlogy(a, a + 1),
    "gaussian_nll": lambda a: F.gaussian_nll_loss(a, a.detach() * 2, a * a),
    "normal": lambda a: torch.distributions.Normal(a, a).log_prob(a.detach() + 1),
}
UNIT: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in _OF_SMALL.split()},
    "logit(eps)": lambda a: torch.logit(a, 0.3),
    "bce": lambda a: F.binary_cross_entropy(a, a.detach().flip(-1)),
    "bce of both": lambda a: F.binary_cross_entropy(a, a.flip(-1), reduction="none"),
    "bernoulli": lambda a: torch.distributions.Bernoulli(a).log_prob((a.detach() > 0.5).double()),
}

# Two that broadcast.

PAIRS: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in _OF_TWO.split()},
    "logaddexp2": torch.logaddexp2,
    "lerp": lambda a, b: torch.lerp(a, b, 0.3),
    "lerp weight": lambda a, b: torch.lerp(a, b, a),
    "sub(alpha)": lambda a, b: torch.sub(a, b, alpha=2),
    "clamp by tensors": lambda a, b: a.clamp(b, b + 1),
    "clamp crossed": lambda a, b: a.clamp(b, b - 1),
    "where": lambda a, b: torch.where(a > b, a, b),
    "copysign": torch.copysign,
    "remainder": lambda a, b: a % b,
    "fmod": torch.fmod,
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "smooth_l1": lambda a, b: F.smooth_l1_loss(a, b, beta=0.5),
    "huber": lambda a, b: F.huber_loss(a, b, delta=0.5),
    "bce logits": lambda a, b: F.binary_cross_entropy_with_logits(*torch.broadcast_tensors(a, b)),
    "soft_margin": lambda a, b: F.soft_margin_loss(*torch.broadcast_tensors(a, b.detach().sign())),
    "poisson": F.poisson_nll_loss,
    "copy_": lambda a, b: (
        torch.zeros(torch.broadcast_shapes(a.shape, b.shape)).double().copy_(b) + a
    ),
    "in place": lambda a, b: torch.broadcast_tensors(a, b)[0].clone().mul_(b).sub_(b, alpha=3),
}
PAIR_SHAPES: Sequence[Any] = [
    ((), ()),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((2,), ()),
    ((), (2,)),
    ((0, 3), (3,)),
    (f64([0.0, 1, 2]), f64([0.0, 1, 1])),
    (apart(3, 2), apart(3, 2)),
]

_GRID = torch.arange(6).view(2, 3)
_BATCH = 2, 3, 4
_IMAGE = 2, 4, 5, 6


def _module(module: nn.Module) -> Callable[..., Any]:
    """Return a function of the input and of all parameters of a module."""
    module = module.double()
    names = [name for name, _ in module.named_parameters()]

    def run(a: Tensor, *parameters: Tensor) -> Any:
        named = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(module, named, (a,))

    return run


def _layer(module: nn.Module, *shape: int) -> tuple[Callable[..., Any], Sequence[Any]]:
    sizes = [tuple(each.shape) for each in module.parameters()]
    return _module(module), (shape, *sizes)


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


_INDEX = torch.tensor([[0, 1, 1], [2, 0, 0]])
_LABELS = torch.tensor([1, 0, 3])
_WEIGHTS = torch.tensor([0.3, 1, 2, 0.7], dtype=torch.float64)
_MASK = torch.tensor([[True, False, True], [True, True, False], [False, False, False]])

ONES: dict[str, tuple[Callable[..., Any], Sequence[Any]]] = {
    # Reducing.
    "sum": (lambda a: (a.sum(-2), a.sum((0, -1), keepdim=True), a.sum(dim=[])), [_BATCH]),
    "mean": (lambda a: (a.mean(-2), a.mean((0, -1), keepdim=True)), [_BATCH]),
    "prod": (lambda a: (a.prod(-2), a.prod(0, keepdim=True)), [_BATCH]),
    "nansum": (lambda a: (a.nansum(0), a.nanmean()), [f64([[1.0, float("nan")], [3, 4]])]),
    "var": (lambda a: (a.var(), a.std(-1), a.var((0, 1), correction=0, keepdim=True)), [_BATCH]),
    "var_mean": (lambda a: (*torch.var_mean(a, -1), *torch.std_mean(a, 0)), [_BATCH]),
    "std at 0": (lambda a: a.std(-1), [f64([[1.0, 1], [1, 2]])]),
    "norms": (
        lambda a: [torch.linalg.vector_norm(a, p, -1) for p in (0.5, 1, 1.5, 2, 3, float("inf"))],
        [_BATCH],
    ),
    "norms at 0": (
        lambda a: [torch.linalg.vector_norm(a, p, -1) for p in (1, 1.5, 2, 3, float("inf"))],
        [f64([[0.0, 0], [0, 1], [2, -2]])],
    ),
    "norm": (lambda a: (a.norm(dim=-1), a.norm(p="fro"), torch.linalg.norm(a[0])), [_BATCH]),
    "normalize": (lambda a: F.normalize(a, dim=-1), [_BATCH]),
    "logsumexp": (lambda a: (a.logsumexp((0, -1)), a.logsumexp(1, keepdim=True)), [_BATCH]),
    "logsumexp of -inf": (lambda a: a.masked_fill(a > 0, -torch.inf).logsumexp(0), [_BATCH]),
    "cumulative": (lambda a: (a.cumsum(0), a.cumprod(-2), a.logcumsumexp(1)), [_BATCH]),
    "ties": (_ties, [f64([[[1.0, 2, 2], [0, 0, 2]]])]),
    "extremes": (_ties, [_BATCH]),
    "topk": (lambda a: (a.topk(2)[0], a.topk(2, 0, largest=False)[0]), [_BATCH]),
    "kthvalue": (lambda a: (a.kthvalue(2)[0], a.median(1)[0], a.mode(-1)[0]), [_BATCH]),
    "quantile": (lambda a: a.quantile(0.3, -1), [_BATCH]),
    "softmaxes": (lambda a: (a.softmax(1), a.log_softmax(-3)), [_BATCH]),
    "masked softmax": (
        lambda a: a.masked_fill(_MASK[..., None], -torch.inf).softmax(-2),
        [(3, 3, 4)],
    ),
    # Moving.
    "cat": (
        lambda a, b: (torch.cat([a, b], -2), torch.hstack([a, b]), torch.cat([b])),
        [_BATCH, (2, 1, 4)],
    ),
    "split": (
        lambda a: [*a.split(2, -1), *a.chunk(3, 1), *a.unbind(0), *a.split([1, 3], 2)],
        [_BATCH],
    ),
    "indexing": (
        lambda a: (
            a[1, ..., ::2],
            a[:, [0, 2]],
            a[a > 0],
            a[_MASK[:2]],
            a[..., None, -1],
            a[[1, 0], [2, 2]],
        ),
        [_BATCH],
    ),
    "selecting": (
        lambda a: (
            a.index_select(-1, torch.tensor([3, 0])),
            a.take(torch.tensor([[5, 1]])),
            a.gather(1, _INDEX[:, :1, None].expand(2, 1, 4)),
            torch.take_along_dim(a, _INDEX[..., None], 1),
            a.masked_select(_MASK[:2, :, None]),
            a.diagonal(0, 0, 1),
            a.narrow(-1, 1, 2),
            a.unfold(-1, 2, 1),
            a.movedim(0, -1).swapaxes(0, 1),
        ),
        [_BATCH],
    ),
    "turning": (
        lambda a: (
            a.flip(0, -1),
            a.roll((1, 2), (0, -1)),
            a.rot90(1, (1, 2)),
            a.mT.contiguous(),
            a.repeat(2, 1, 3),
        ),
        [_BATCH],
    ),
    "triangles": (
        lambda a: (a.tril(), a.triu(1), a.tril(-1), a.diag_embed(), a[0, :, 0].diag()),
        [_BATCH],
    ),
    "trace": (lambda a: a.trace(), [(3, 3)]),
    "padding": (
        lambda a: [
            F.pad(a, (1, 2), mode=mode) for mode in ("constant", "reflect", "replicate", "circular")
        ],
        [_BATCH],
    ),
    "upsampling": (
        lambda a: (
            F.interpolate(a, scale_factor=2),
            F.interpolate(a, size=(3, 4), mode="bilinear"),
        ),
        [_IMAGE],
    ),
    "shuffling": (lambda a: (F.pixel_shuffle(a, 2), F.channel_shuffle(a, 2)), [_IMAGE]),
    "unfold": (
        lambda a: F.fold(F.unfold(a, 2, padding=1, stride=2), (5, 6), 2, padding=1, stride=2),
        [_IMAGE],
    ),
    "filling": (
        lambda a: (a.masked_fill(_MASK[:2, :, None], 2), a.index_fill(1, torch.tensor([0]), 3.0)),
        [_BATCH],
    ),
    "filling by tensor": (lambda a, b: a.masked_fill(_MASK[:2, :, None], b), [_BATCH, ()]),
    "masked_scatter": (lambda a, b: a.masked_scatter(_MASK[:2, :, None], b), [_BATCH, (2, 3, 4)]),
    "writing": (
        lambda a, b: (
            a.select_scatter(b[0], 0, 1),
            a.slice_scatter(b[:, :1], 1, 1, 2),
            a.diagonal_scatter(b[0, 0, :2].expand(4, 2), 0, 0, 1),
            a.index_copy(1, torch.tensor([2, 0]), b[:, :2]),
        ),
        [_BATCH, _BATCH],
    ),
    "index_put": (_index_put, [_BATCH, (2, 2, 4)]),
    "a buffer": (_buffer, [_BATCH]),
    "embedding": (
        lambda a: (F.embedding(_INDEX, a), F.embedding(_INDEX, a, padding_idx=1)),
        [(4, 2)],
    ),
    "embedding, nothing": (lambda a: F.embedding(_INDEX[:0], a).sum() + a.sum(), [(4, 2)]),
    "dropout": (_dropped, [_BATCH]),
    "rrelu": (_rrelu, [_BATCH]),
    "prelu": (F.prelu, [_BATCH, (3,)]),
    "prelu at 0": (F.prelu, [f64([[0.0, 1, -1]]), (1,)]),
    "glu": (lambda a: (F.glu(a), F.glu(a, 0)), [_BATCH]),
    # Scattering.
    "scatter": (
        lambda a, b: (
            a.scatter(1, torch.tensor([[[0], [1]], [[2], [0]]]).expand(2, 2, 4), b[:, :2]),
            a.scatter(-1, _INDEX[:, :, None], 2.0),
        ),
        [_BATCH, _BATCH],
    ),
    "scatter_add": (
        lambda a, b: (
            a.scatter_add(1, _INDEX[..., None].expand(2, 3, 4), b),
            a.scatter_add(-1, _INDEX[:, None], b[:, :1, :3]),
        ),
        [_BATCH, _BATCH],
    ),
    "scatter_reduce": (
        lambda a, b: [
            a.scatter_reduce(1, _INDEX[..., None].expand(2, 3, 4), b, reduce, include_self=own)
            for reduce in ("sum", "mean", "prod")
            for own in (True, False)
        ],
        [_BATCH, _BATCH],
    ),
    "index_add": (
        lambda a, b: (
            a.index_add(1, torch.tensor([0, 0, 2]), b),
            a.index_add(1, torch.tensor([1, 0, 0]), b, alpha=2),
        ),
        [_BATCH, _BATCH],
    ),
    "segment mean": (
        lambda a: torch.zeros(3, 4).double().index_add_(0, torch.tensor([0, 2, 2]), a[0]) / 2,
        [_BATCH],
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
        [_BATCH, _BATCH],
    ),
    "tensordot": (lambda a, b: torch.tensordot(a, b, 2), [_BATCH, (3, 4, 2)]),
    "bilinear": (F.bilinear, [(2, 3), (2, 4), (2, 3, 4), (2,)]),
    "cross": (lambda a, b: torch.linalg.cross(a, b), [(2, 3), (2, 3)]),
    "kron": (torch.kron, [(2, 2), (2, 3)]),
    "cdist": (torch.cdist, [(2, 3), (4, 3)]),
    "cosine": (lambda a, b: F.cosine_similarity(a, b, -1), [_BATCH, _BATCH]),
    "pairwise": (lambda a, b: F.pairwise_distance(a, b), [_BATCH, _BATCH]),
    # Layers.
    "linear": _layer(nn.Linear(4, 3), 2, 3, 4),
    "linear of a vector": _layer(nn.Linear(4, 3), 4),
    "linear of nothing": _layer(nn.Linear(4, 3), 0, 4),
    "linear without bias": _layer(nn.Linear(4, 1, bias=False), 2, 4),
    "conv1d": _layer(nn.Conv1d(3, 2, 3, stride=2, padding=1), 2, 3, 8),
    "conv1d unbatched": _layer(nn.Conv1d(3, 2, 2, dilation=2), 3, 8),
    "conv2d": _layer(nn.Conv2d(4, 2, 3, padding="same"), *_IMAGE),
    "conv2d groups": _layer(nn.Conv2d(4, 6, (2, 3), (2, 1), (0, 2), (1, 2), groups=2), *_IMAGE),
    "conv2d 1": _layer(nn.Conv2d(4, 2, 1, bias=False), *_IMAGE),
    "conv2d reflect": _layer(nn.Conv2d(4, 2, 3, padding=1, padding_mode="reflect"), *_IMAGE),
    "conv3d": _layer(nn.Conv3d(1, 1, 2), 1, 1, 2, 3, 3),
    "conv_transpose1d": _layer(nn.ConvTranspose1d(3, 2, 3, 2, 1, 1), 2, 3, 4),
    "conv_transpose2d": _layer(nn.ConvTranspose2d(4, 4, 3, 2, groups=2, dilation=2), *_IMAGE),
    "max_pool": (
        lambda a: (
            F.max_pool2d(a, 2),
            F.max_pool2d(a, 3, 2, 1, ceil_mode=True),
            F.max_pool1d(a[0], 2),
            F.max_pool3d(a, 2),
        ),
        [_IMAGE],
    ),
    "avg_pool": (
        lambda a: (
            F.avg_pool2d(a, 2),
            F.avg_pool2d(a, 3, 2, 1, ceil_mode=True, count_include_pad=False),
            F.avg_pool2d(a, 3, 2, 1, ceil_mode=True),
            F.avg_pool2d(a, 2, divisor_override=3),
            F.avg_pool1d(a[0], 2),
            F.avg_pool3d(a, 2),
        ),
        [_IMAGE],
    ),
    "adaptive": (
        lambda a: (
            F.adaptive_avg_pool2d(a, 1),
            F.adaptive_avg_pool2d(a, (2, 4)),
            F.adaptive_avg_pool1d(a[0], 3),
            F.adaptive_max_pool2d(a, (2, 4)),
            F.adaptive_max_pool1d(a[0], 4),
        ),
        [_IMAGE],
    ),
    "lp_pool": (lambda a: F.lp_pool2d(a, 2, 2), [_IMAGE]),
    "max_unpool": (lambda a: F.max_unpool2d(*F.max_pool2d(a, 2, return_indices=True), 2), [_IMAGE]),
    "batch_norm": _layer(nn.BatchNorm2d(4), *_IMAGE),
    "batch_norm eval": _layer(nn.BatchNorm1d(4).eval(), 3, 4),
    "batch_norm stateless": _layer(
        nn.BatchNorm1d(4, affine=False, track_running_stats=False), 3, 4
    ),
    "instance_norm": _layer(nn.InstanceNorm2d(4, affine=True), *_IMAGE),
    "layer_norm": _layer(nn.LayerNorm((3, 4)), 2, 3, 4),
    "layer_norm plain": _layer(nn.LayerNorm(4, elementwise_affine=False), 2, 3, 4),
    "group_norm": _layer(nn.GroupNorm(2, 4), *_IMAGE),
    "rms_norm": _layer(nn.RMSNorm(4), 2, 3, 4),
    "local_response_norm": (lambda a: F.local_response_norm(a, 2), [_IMAGE]),
    "weight_norm": (lambda v, g: torch._weight_norm(v, g, 0), [(3, 4), (3, 1)]),
    "rnn": _layer(nn.RNN(4, 3, 2, bidirectional=True), 2, 3, 4),
    "rnn relu": _layer(nn.RNN(4, 3, nonlinearity="relu"), 2, 3, 4),
    "lstm": _layer(nn.LSTM(4, 3, 2, batch_first=True, bidirectional=True), 2, 3, 4),
    "lstm projected": _layer(nn.LSTM(4, 3, proj_size=2), 2, 3, 4),
    "gru": _layer(nn.GRU(4, 3), 2, 3, 4),
    "lstm cell": _layer(nn.LSTMCell(4, 3), 3, 4),
    "gru cell": _layer(nn.GRUCell(4, 3), 3, 4),
    "encoder": _layer(nn.TransformerEncoderLayer(4, 2, 8, dropout=0, batch_first=True), 2, 3, 4),
    "multihead": (
        lambda a, *p: F.multi_head_attention_forward(
            a, a, a, 4, 2, p[0], p[1], None, None, False, 0.0, p[2], p[3], need_weights=True
        )[0],
        [(3, 2, 4), (12, 4), (12,), (4, 4), (4,)],
    ),
    "attention": (
        lambda q, k, v: (
            F.scaled_dot_product_attention(q, k, v),
            F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3),
            F.scaled_dot_product_attention(q, k, v, attn_mask=~_MASK),
            F.scaled_dot_product_attention(q, k, v, attn_mask=_MASK),
            F.scaled_dot_product_attention(q, k, v, attn_mask=q.detach() @ k.detach().mT),
        ),
        [(2, 2, 3, 4)] * 3,
    ),
    "attention, mask that learns": (
        lambda q, k, m: F.scaled_dot_product_attention(q, k, k, attn_mask=m),
        [(2, 2, 3, 4), (2, 2, 3, 4), (3, 3)],
    ),
    "attention, grouped": (
        lambda q, k: F.scaled_dot_product_attention(q, k, k, enable_gqa=True),
        [(2, 4, 3, 4), (2, 2, 3, 4)],
    ),
    "attention, three dimensions": (
        lambda q: F.scaled_dot_product_attention(q, q, q),
        [(2, 3, 4)],
    ),
    # Losses.
    "reductions": (
        lambda a, b: [
            loss(a, b, reduction=how)
            for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss)
            for how in ("none", "mean", "sum")
        ],
        [_BATCH, _BATCH],
    ),
    "bce at the ends": (
        lambda a: F.binary_cross_entropy(a, f64([1.0, 0, 0, 1, 0.5, 1]), reduction="sum"),
        [f64([0.0, 0, 1, 1, 1, 1e-14])],
    ),
    "bce weight": (lambda a: F.binary_cross_entropy(a.sigmoid(), _WEIGHTS / 2, _WEIGHTS), [(4,)]),
    "bce logits": (
        lambda a, b: F.binary_cross_entropy_with_logits(a, b, _WEIGHTS, pos_weight=_WEIGHTS),
        [_BATCH, _BATCH],
    ),
    "bce logits, far": (
        lambda a: F.binary_cross_entropy_with_logits(a, f64([1.0, 0, 1, 0, 0.5])),
        [f64([-800.0, 800, 40, -40, 0])],
    ),
    "nll": (
        lambda a: [
            F.nll_loss(a, _LABELS, reduction=how, ignore_index=0) for how in ("none", "mean", "sum")
        ],
        [(3, 4)],
    ),
    "cross_entropy": (
        lambda a: (
            F.cross_entropy(a, _LABELS),
            F.cross_entropy(a[0], _LABELS[0]),
            F.cross_entropy(a, _LABELS, _WEIGHTS, ignore_index=3, label_smoothing=0.1),
            F.cross_entropy(a, a.detach().softmax(-1)),
            F.cross_entropy(a.expand(2, 3, 4).mT, _LABELS.expand(2, 3)),
        ),
        [(3, 4)],
    ),
    "cross_entropy 2d": (
        lambda a: F.cross_entropy(a, torch.arange(60).view(2, 5, 6) % 4, _WEIGHTS),
        [_IMAGE],
    ),
    "kl_div": (
        lambda a, b: (
            F.kl_div(a.log_softmax(-1), b.softmax(-1), reduction="batchmean"),
            F.kl_div(a.log_softmax(-1), b.log_softmax(-1), reduction="sum", log_target=True),
            F.kl_div(a, f64([0.0, 1, 0.5, 0]), reduction="none"),
        ),
        [_BATCH, _BATCH],
    ),
    "margins": (
        lambda a, b: (
            F.triplet_margin_loss(a, b, a * b),
            F.hinge_embedding_loss(a, b.detach().sign()),
            F.margin_ranking_loss(a, b, b.detach().sign(), 0.2),
            F.cosine_embedding_loss(a[0], b[0], torch.tensor([1, -1, 1]), 0.1),
            F.multilabel_soft_margin_loss(a[0], (b[0].detach() > 0).double()),
            F.multi_margin_loss(a[0], _LABELS),
            F.multilabel_margin_loss(a[0], torch.tensor([[0, 2, -1, 0]] * 3)),
        ),
        [_BATCH, _BATCH],
    ),
}


def operations() -> Iterator[Operation]:
    """Yield all of them, each with each of its inputs."""
    for name, run in ANYWHERE.items():
        for at, shape in enumerate(SHAPES):
            yield Operation(f"{name}-{at}", run, [shape])
    for name, run in POSITIVE.items():
        for numbers in (f64(0.3), f64([[0.1, 1, 3]]), torch.empty(0, dtype=torch.float64)):
            yield Operation(f"{name}-{tuple(numbers.shape)}", run, [numbers])
    for name, run in UNIT.items():
        yield Operation(name, run, [f64([0.1, 0.4, 0.5, 0.95])])
    for name, run in PAIRS.items():
        for at, shapes in enumerate(PAIR_SHAPES):
            yield Operation(f"{name}-{at}", run, shapes)
    for name, (run, shapes) in ONES.items():
        yield Operation(name, run, shapes)
