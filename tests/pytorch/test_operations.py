"""Each operation of PyTorch: its values, and the gradients of all leaves, against PyTorch's."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from torch import Tensor  # noqa: E402

import stepgrad  # noqa: E402
from stepgrad.torch import watch  # noqa: E402
from stepgrad.torch.cells import Cells  # noqa: E402
from stepgrad.torch.passes import Pass  # noqa: E402
from torch_operations import OPERATIONS  # noqa: E402
from torch_operations.inputs import Operation, made  # noqa: E402

SINGLE = {"float32": 1e-6, "hardsigmoid": 1e-7, "hardsigmoid_": 1e-7}
"""Where PyTorch itself computes in single precision, and how far off that may be."""


def weighted(result: Any) -> Tensor:
    """Return a sum of all results, each element with a weight of its own, and of another leaf."""
    total = torch.ones((), dtype=torch.float64, requires_grad=True) * 2
    for each in flat(result):
        if each.requires_grad:
            weights = torch.arange(1, each.numel() + 1, dtype=torch.float64) / 7
            total = total + (each.reshape(-1) * weights).sum()
    return total


def flat(results: Any) -> list[Tensor]:
    if isinstance(results, Tensor):
        return [results]
    return [each for part in results for each in flat(part)]


@pytest.fixture(autouse=True)
def _compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare what a row computes with PyTorch's result, which takes its place."""
    computed = Pass.computed

    def compared(self: Pass, cells: Cells, out: Tensor, since: int) -> None:
        rtol = 1e-6 if out.dtype == torch.float32 else 1e-12
        wanted = out.to(torch.float64)
        torch.testing.assert_close(cells.data, wanted, rtol=rtol, atol=1e-13, equal_nan=True)
        computed(self, cells, out, since)

    monkeypatch.setattr(Pass, "computed", compared)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_values_and_gradients_are_those_of_pytorch(operation: Operation) -> None:
    leaves = made(*operation.inputs)
    with stepgrad.record(), watch() as tensors:
        weighted(operation.run(*leaves)).backward()
        found = {id(each.tensor()): tensors.gradient(each) for each in tensors.leaves.values()}
    tolerance = SINGLE.get(operation.name.split("-")[0], 1e-12)
    for leaf in leaves:
        wanted = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
        gradient = found.get(id(leaf), torch.zeros_like(leaf))
        torch.testing.assert_close(gradient, wanted, rtol=tolerance, atol=tolerance, equal_nan=True)
