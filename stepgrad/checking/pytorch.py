"""PyTorch as an oracle: the same graph in float64, differentiated by its rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stepgrad.engine.graph import Graph
from stepgrad.engine.ops import Op


def torch_gradients(graph: Graph) -> Mapping[int, float]:
    """Return the derivative of the root with respect to every leaf, as PyTorch computes it.

    Each operation gets the graph's own inputs and result, so that only derivatives are compared,
    and not the last digits of two implementations of tanh.

    Raises:
        ImportError: PyTorch is not installed (`pip install stepgrad[torch]`).
    """
    import torch  # noqa: PLC0415 - an extra

    tensors: list[Any] = []
    leaves = set(graph.leaves)
    for place, (op, operands) in enumerate(zip(graph.ops, graph.operands, strict=True)):
        if operands:
            inputs = [tensors[operand] for operand in operands]
            result = _stored(op, inputs) if op.stored else torch_function(op)(*inputs)
            result.data.fill_(graph.values[place])
            tensors.append(result)
        else:
            number = torch.tensor(graph.values[place], dtype=torch.float64)
            tensors.append(number.requires_grad_(place in leaves))
    if tensors[-1].requires_grad:
        tensors[-1].backward()
    grads = {leaf: tensors[leaf].grad for leaf in leaves}
    return {leaf: 0.0 if grad is None else float(grad) for leaf, grad in grads.items()}


def _stored(op: Op, inputs: Sequence[Any]) -> Any:
    """Return a tensor with the derivatives that are stored with a program's own operation."""
    return sum(tensor * local() for tensor, local in zip(inputs, op.local, strict=True))


def torch_function(op: Op) -> Callable[..., Any]:
    """Return PyTorch's function for a row of the op table."""
    import torch  # noqa: PLC0415 - an extra

    functions: dict[str, Callable[..., Any]] = {
        "gelu": torch.nn.functional.gelu,
        "leaky_relu": lambda a: torch.nn.functional.leaky_relu(a, 0.01),
        "max": torch.maximum,
        "min": torch.minimum,
        # PyTorch's own softplus is `a` itself above a threshold.
        "softplus": lambda a: torch.logaddexp(a, torch.zeros_like(a)),
    }
    name = op.usual.name
    return functions.get(name) or getattr(torch, name)
