"""How many nodes operations make, before they make them (`least_nodes`), and a pass of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from torch import Tensor

from stepgrad.torch.calls import Here

_TERMS: Mapping[str, Callable[..., int]] = {
    **dict.fromkeys(("mm", "bmm"), lambda a, *_: a.shape[-1]),
    **dict.fromkeys(("addmm", "baddbmm"), lambda _, a, *__: a.shape[-1]),
    **dict.fromkeys(
        ("convolution", "mkldnn_convolution"), lambda _, weight, *__: weight.shape[1:].numel()
    ),
    **dict.fromkeys(
        (
            "_scaled_dot_product_flash_attention_for_cpu",
            "_scaled_dot_product_attention_math",
        ),
        lambda _, keys, *__: 2 * keys.shape[-2],
    ),
}
"""For sums of products: how many products each element of the result is a sum of."""


def least_nodes(name: str, args: Sequence[Any], out: Any) -> int:
    """Return how many nodes an operation makes that sums up products; 0 for others.

    Those make a few for each element, which is told while they do.
    """
    terms = _TERMS.get(name)
    out = out[0] if isinstance(out, (tuple, list)) else out
    if terms is None or not isinstance(out, Tensor):
        return 0
    return out.numel() * 2 * terms(*args)


_BORDER = 2
"""How many times its nodes a module takes at most, with what it takes and what comes back."""


class Count:
    """How many nodes a pass would have that cannot be made.

    Args:
        room: how many may be made.
        most: how many if nothing had been recorded before.
        modules: the paths of those that have parameters.
    """

    def __init__(self, room: int, most: int, modules: Collection[str]) -> None:
        self.room = room
        self._most = most
        self.total = 0
        self._known = modules
        self._modules = Counter[str]()

    def add(self, nodes: int, path: str) -> None:
        """Count nodes of the module at a path, and of those that it is in."""
        self.total += nodes
        for each in accumulate(path.split("."), "{}.{}".format) if path else ():
            self._modules[each] += nodes

    def add_made(self, moves: Sequence[tuple[int, Here]], nodes: int) -> None:
        """Count nodes that were made, from which on where."""
        ends = [*(start for start, _ in moves[1:]), nodes]
        for (start, here), end in zip(moves, ends, strict=False):  # there may be none
            self.add(end - start, here.call.module)

    def fitting(self, batch: int | None, step: int) -> Iterator[tuple[str, int | str]]:
        """Yield what fits, as options.

        That is this training step alone, one sample of its batch, and the largest of the modules.
        """
        if self.total <= self._most:
            yield "only-steps", step
        if batch is not None and batch > 1 and self.total // batch <= self.room:
            yield "batch-row", 0
        known = {each: nodes for each, nodes in self._modules.items() if each in self._known}
        fitting = {each: nodes for each, nodes in known.items() if _BORDER * nodes <= self.room}
        if fitting:
            yield "layers", max(fitting, key=lambda each: fitting[each])
