"""How many nodes an operation makes, before it makes them (`least_nodes`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from stepgrad.torch.cells import Cells

_TERMS: Mapping[str, Callable[..., int]] = {
    **dict.fromkeys(("mm", "bmm"), lambda a, *_: a.shape[-1]),
    **dict.fromkeys(("addmm", "baddbmm"), lambda _, a, *__: a.shape[-1]),
    "convolution": lambda _, weight, *__: weight.data[0].numel(),
}
"""For sums of products: how many products each element of the result is a sum of."""


def least_nodes(name: str, args: Sequence[Any], out: Any) -> int:
    """Return how many nodes an operation makes that sums up products; 0 for others.

    Those make a few for each element, which is told while they do.
    """
    terms = _TERMS.get(name)
    if terms is None or not isinstance(out, Tensor) or not isinstance(args[1], Cells):
        return 0
    return out.numel() * 2 * terms(*args)
