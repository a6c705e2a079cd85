"""Operations that are recorded whole: a node for each element of the result (`recorded_whole`).

They have no formulas of ours. PyTorch computes the local derivatives, in float64, and these are
stored with the nodes. Where one is exactly 0, the element does not depend on the operand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import _engine_run_backward
from torch.utils._pytree import tree_leaves, tree_map

from stepgrad.engine.own import row
from stepgrad.torch.cells import NONE, Cells
from stepgrad.torch.passes import Pass

_NAMES = """
    digamma erfinv i0 igamma igammac lgamma polygamma special_erfcx special_i0e special_i1
    special_i1e special_log_ndtr special_ndtri special_zeta
"""
WHOLE = frozenset(_NAMES.split())
"""Operations whose decompositions end in ones that have no derivatives."""


def recorded_whole(
    name: str, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], out: Sequence[Any]
) -> Sequence[Cells | None]:
    """Compute an operation, and make one node for each element of its results.

    Args:
        name: what it is called.
        func: the operation; it writes to none of its arguments.
        args: its arguments: `Cells` instead of tensors of floating-point numbers.
        kwargs: the same, by name.
        out: the program's own results.

    Returns:
        The nodes of each result; None of one that no gradient goes through.

    Raises:
        NotImplementedError: computed again, the results are others.
        NoRoomError: each element may depend on each of the operands', and that is too much.
    """
    pointwise = torch.Tag.pointwise in func.tags
    arguments = tree_leaves((args, kwargs))
    shapes = [each.shape for each in arguments if isinstance(each, (Cells, Tensor))]
    operands: list[tuple[Cells, Tensor]] = []

    def given(part: Any) -> Any:
        if not isinstance(part, Cells):
            return part
        if pointwise:
            part = part.moved(lambda each: each.expand(torch.broadcast_shapes(*shapes)))
        tensor = part.data.clone()
        if part.ids is not None:
            operands.append((part, tensor.requires_grad_()))
        return tensor

    def made(result: Any) -> Cells | None:
        if not _carries(result):
            return None
        local = _diagonal(result, operands) if pointwise else _whole(result, operands)
        ids = [cells.made.numbered(cells).reshape(-1) for cells, _ in operands]
        edges = torch.stack(ids, 1) if pointwise else torch.cat(ids).expand(local.shape)
        return _nodes(operands[0][0].made, name, result.detach(), edges, local)

    with _differentiated():
        found = func(*tree_map(given, args), **tree_map(given, dict(kwargs)))
        results = found if isinstance(found, (tuple, list)) else [found]
        known = [alike(*both) for both in zip(results, out, strict=True) if _carries(both[0])]
        if not all(known):
            raise NotImplementedError("computed again, it has other results")
        return [*map(made, results)]


@contextmanager
def _differentiated() -> Iterator[None]:
    """Have autograd see what is computed inside, though it is not to see the operation itself."""
    below = torch._C.DispatchKey.AutogradFunctionality
    with torch._C._SetExcludeDispatchKeyGuard(below, False), torch.enable_grad():
        yield


def _carries(result: Any) -> bool:
    """Whether a gradient goes through a result; else it may be memory never written (CTC)."""
    return isinstance(result, Tensor) and result.requires_grad


def alike(part: Any, out: Any) -> bool:
    """Whether a result that was computed again is the program's own, up to rounding."""
    if not isinstance(out, Tensor) or not out.is_floating_point():
        return True
    return torch.allclose(part.to(out.dtype), out, rtol=1e-3, atol=1e-5, equal_nan=True)


def _diagonal(result: Tensor, operands: Sequence[tuple[Cells, Tensor]]) -> Tensor:
    """Return the derivatives of each element with respect to the operands at its place."""
    return torch.stack(_handed_back(result, torch.ones_like(result), operands), 1)


def _whole(result: Tensor, operands: Sequence[tuple[Cells, Tensor]]) -> Tensor:
    """Return the derivatives of each element with respect to all elements of the operands."""
    count = sum(each.numel() for _, each in operands)
    operands[0][0].made.make_room(result.numel() * count)
    rows = [torch.empty(0, count, dtype=torch.float64)]
    for at in range(result.numel()):
        upstream = torch.zeros(result.numel(), dtype=result.dtype)
        upstream[at] = 1
        handed = _handed_back(result, upstream.view(result.shape), operands)
        rows.append(torch.cat(handed).unsqueeze(0))
    return torch.cat(rows)


def _handed_back(
    result: Tensor, upstream: Tensor, operands: Sequence[tuple[Cells, Tensor]]
) -> list[Tensor]:
    inputs = tuple(each for _, each in operands)
    found = _engine_run_backward(
        (result,), (upstream,), True, False, inputs, allow_unreachable=True, accumulate_grad=False
    )
    return [
        (torch.zeros_like(each) if grad is None else grad).reshape(-1)
        for each, grad in zip(inputs, found, strict=True)
    ]


def _nodes(made: Pass, name: str, data: Tensor, edges: Tensor, local: Tensor) -> Cells:
    """Make the nodes of a result. An element that depends on nothing is a plain number."""
    takes = local != 0
    counts = takes.sum(1)
    flat, ids = data.reshape(-1), torch.full((data.numel(),), NONE)
    for count in counts[counts > 0].unique().tolist():
        rows = counts == count
        which = takes & rows.unsqueeze(1)
        parts = edges[which].view(-1, count), local[which].view(-1, count)
        ids[rows] = made.stored(row(_called(name), count, by="PyTorch"), flat[rows], *parts)
    return Cells(made, ids.view(data.shape), data)


def _called(name: str) -> str:
    """Return what people call an operation: `_linalg_solve_ex` is solve."""
    name = name.strip("_").removesuffix("_ex")
    return name.removeprefix("linalg_").removeprefix("special_")
