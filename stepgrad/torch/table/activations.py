"""Activation functions, with PyTorch's derivatives at kinks."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from stepgrad.engine import ops
from stepgrad.torch.cells import Cells
from stepgrad.torch.table.rows import Rows

ROWS = Rows()
row = ROWS


@row("threshold")
def threshold(a: Cells, limit: float, value: float) -> Cells:
    return a.replaced(a.data <= limit, value)


@row("hardtanh")
def hardtanh(a: Cells, low: float = -1, high: float = 1) -> Cells:
    return a.replaced(a.data <= low, low).replaced(a.data >= high, high)


@row("relu6")
def relu6(a: Cells) -> Cells:
    return hardtanh(a, 0, 6)


@row("hardshrink")
def hardshrink(a: Cells, lambd: float = 0.5) -> Cells:
    return a.replaced(a.data.abs() <= lambd, 0)


@row("softshrink")
def softshrink(a: Cells, lambd: float = 0.5) -> Cells:
    inside, above, below = a.data.abs() <= lambd, a.data > lambd, a.data < -lambd
    shrunk = a.replaced_by(above, lambda a: a - lambd).replaced_by(below, lambda a: a + lambd)
    return shrunk.replaced(inside, 0)


@row("hardsigmoid")
def hardsigmoid(a: Cells) -> Cells:
    inside = (a.data > -3) & (a.data < 3)
    flat = a.replaced(a.data <= -3, 0).replaced(a.data >= 3, 1)
    return flat.replaced_by(inside, lambda a: (a + 3) / 6)


@row("hardswish")
def hardswish(a: Cells) -> Cells:
    inside = (a.data > -3) & (a.data < 3)
    return a.replaced(a.data <= -3, 0).replaced_by(inside, lambda a: a * (a + 3) / 6)


@row("leaky_relu")
def leaky_relu(a: Cells, slope: float = 0.01) -> Cells:
    if slope == 0.01:
        return a.apply(ops.LEAKY_RELU)
    return a.replaced_by(~(a.data > 0), lambda a: a * slope)


@row("_prelu_kernel")
def prelu(a: Cells, slope: Cells) -> Cells:
    negative = ~(a.data > 0)
    slope = slope.moved(lambda each: each.expand(a.shape))
    return a.replaced(negative, a[negative] * slope[negative])


@row("rrelu_with_noise")
def rrelu(
    a: Cells,
    noise: Cells,
    low: float = 1 / 8,
    high: float = 1 / 3,
    training: bool = False,
    generator: object = None,
    *,
    out: Tensor,
) -> Cells:
    negative = a.data <= 0
    slope = out / a.data if training else out.new_full(a.shape, (low + high) / 2)
    return a.replaced(negative, a[negative] * slope[negative].to(a.data.dtype))


@row("elu")
def elu(a: Cells, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Cells:
    def times(a: Cells, factor: float) -> Cells:
        return a if factor == 1 else a * factor

    def bent(a: Cells) -> Cells:
        return times(times(a, input_scale).apply(ops.EXPM1), alpha * scale)

    negative = a.data <= 0
    straight = a.replaced_by(~negative, lambda a: times(a, scale))
    return straight.replaced_by(negative, bent)


@row("celu")
def celu(a: Cells, alpha: float = 1) -> Cells:
    return elu(a, alpha, 1, 1 / alpha)


@row("selu")
def selu(a: Cells) -> Cells:
    return elu(a, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946)


@row("softplus")
def softplus(a: Cells, beta: float = 1, limit: float = 20) -> Cells:
    curved = a.data * beta <= limit
    if beta == 1:
        return a.replaced_by(curved, lambda a: a.apply(ops.SOFTPLUS))
    return a.replaced_by(curved, lambda a: (a * beta).apply(ops.SOFTPLUS) / beta)


@row("log_sigmoid_forward")
def log_sigmoid(a: Cells) -> tuple[Cells, None]:
    return -(-a).apply(ops.SOFTPLUS), None


@row("silu")
def silu(a: Cells) -> Cells:
    return a * a.apply(ops.SIGMOID)


@row("mish")
def mish(a: Cells) -> Cells:
    return a * a.apply(ops.SOFTPLUS).apply(ops.TANH)


@row("gelu")
def gelu(a: Cells, *, approximate: str = "none") -> Cells:
    if approximate == "none":
        return a.apply(ops.GELU)
    inner = (a + a**3 * 0.044715) * math.sqrt(2 / math.pi)
    return a / 2 * (inner.apply(ops.TANH) + 1)


@row("glu")
def glu(a: Cells, dim: int = -1) -> Cells:
    half = a.shape[dim] // 2
    value, gate = (
        a.moved(lambda each, start=start: each.narrow(dim, start, half))  # type: ignore[misc]
        for start in (0, half)
    )
    return value * gate.apply(ops.SIGMOID)


# Softmax. What is subtracted so that nothing overflows is a plain number.


def shifted(a: Cells, dims: Sequence[int] | int) -> tuple[Cells, Tensor]:
    """Subtract the largest element over some dimensions; return that, too."""
    top = a.data.amax(dims, keepdim=True) if a.data.numel() else a.data
    return a - top, top


@row("_softmax")
def softmax(a: Cells, dim: int, _half: bool = False) -> Cells:
    powers = shifted(a, dim)[0].apply(ops.EXP)
    return powers / powers.total(dim, keepdim=True)


@row("_log_softmax")
def log_softmax(a: Cells, dim: int, _half: bool = False) -> Cells:
    lower, _ = shifted(a, dim)
    return lower - lower.apply(ops.EXP).total(dim, keepdim=True).apply(ops.LOG)


@row("_safe_softmax")
def safe_softmax(a: Cells, dim: int, dtype: object = None) -> Cells:
    """Softmax, and 0 where all is masked."""
    masked = (a.data == -math.inf).all(dim, keepdim=True).expand(a.shape)
    return softmax(a, dim).replaced(masked, 0)
