"""Operations on each element, of one tensor and of two."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812

from torch_operations.inputs import Operation, apart, f64

KINKS = [-25.0, -4, -3, -2, -1, -0.7, -0.5, -0.25, 0, 0.25, 0.5, 0.7, 1, 2, 3, 4, 6, 7, 25]
"""Where activations bend, and between."""

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
    "gaussian_nll of a leaf": lambda a: F.gaussian_nll_loss(a * 2, a.detach(), a),
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


def elementwise() -> Iterator[Operation]:
    """Yield each with each of its inputs."""
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
