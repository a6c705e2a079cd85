"""Each operation of PyTorch: its values, and the gradients of all leaves, against PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

import torch.nn.functional as F  # noqa: E402, N812
from torch import Tensor, nn  # noqa: E402

import stepgrad  # noqa: E402
from stepgrad.checking.ways import verify  # noqa: E402
from stepgrad.recording.foreign.remark import DIFFERS  # noqa: E402
from stepgrad.torch import mode, watch  # noqa: E402
from stepgrad.torch.cells import Cells  # noqa: E402
from stepgrad.torch.passes import Pass  # noqa: E402
from stepgrad.torch.refused import RefusedError  # noqa: E402
from torch_operations import OPERATIONS  # noqa: E402
from torch_operations.inputs import Operation, made  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # those of PyTorch

SINGLE = {"float32": 1e-6, "hardsigmoid": 1e-7, "hardsigmoid_": 1e-7, "Hardsigmoid": 1e-7}
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
    torch.manual_seed(0)
    computed = Pass.computed

    def compared(self: Pass, cells: Cells, out: Tensor, since: int) -> None:
        near = 1e-6 if out.dtype == torch.float32 else 1e-12
        wanted = out.to(torch.float64)
        torch.testing.assert_close(cells.data, wanted, rtol=near, atol=near, equal_nan=True)
        computed(self, cells, out, since)

    monkeypatch.setattr(Pass, "computed", compared)


def agrees(
    run: Any, *inputs: Tensor, also: Iterable[Tensor] = (), tolerance: float = 1e-12
) -> None:
    """Compare the gradients of the inputs, and of parameters, with PyTorch's."""
    inputs = tuple(each if each.requires_grad else each.clone().requires_grad_() for each in inputs)
    with stepgrad.record() as recording, watch() as tensors:
        weighted(run(*inputs)).backward()
        found = {id(each.tensor()): each.left.view(each.shape) for each in tensors.leaves.values()}
    if tolerance <= 1e-12:
        assert DIFFERS not in {each.kind for each in recording.remarks}
    for leaf in (*inputs, *also):
        wanted = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
        gradient = found.get(id(leaf), torch.zeros_like(leaf)).to(wanted.dtype)
        torch.testing.assert_close(gradient, wanted, rtol=tolerance, atol=tolerance, equal_nan=True)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
def test_values_and_gradients_are_those_of_pytorch(operation: Operation) -> None:
    tolerance = SINGLE.get(operation.name.split("-")[0], 1e-12)
    agrees(operation.run, *made(*operation.inputs), tolerance=tolerance)


def test_every_activation_of_pytorch_is_recorded() -> None:
    arguments = {"Threshold": (0.1, 2.0), "Softmax": (-1,), "LogSoftmax": (-1,), "Softmin": (-1,)}
    x = torch.randn(2, 4, 3, 2, dtype=torch.float64)
    for name in nn.modules.activation.__all__:
        if name == "MultiheadAttention":  # among the layers
            continue
        layer = getattr(nn, name)(*arguments.get(name, ())).double()
        agrees(layer, x, tolerance=SINGLE.get(name, 1e-12))


LOSSES = {
    "MultiLabelMarginLoss": torch.tensor([[0, 2, -1, 0], [3, 1, 2, 0], [-1, 0, 1, 2]]),
    "MultiLabelSoftMarginLoss": torch.tensor([[0.0, 1, 1, 0]] * 3),
    "SoftMarginLoss": torch.tensor([[-1.0, 1, 1, -1]] * 3),
    "HingeEmbeddingLoss": torch.tensor([[-1.0, 1, 1, -1]] * 3),
    "NLLLoss": torch.tensor([0, 3, 1]),
    "CrossEntropyLoss": torch.tensor([0, 3, 1]),
    "MultiMarginLoss": torch.tensor([0, 3, 1]),
}
"""What losses compare with, where that is not a tensor like the first."""


def test_every_loss_of_pytorch_is_recorded() -> None:
    elsewhere = {
        "AdaptiveLogSoftmaxWithLoss", "CTCLoss", "CosineEmbeddingLoss", "GaussianNLLLoss",
        "LinearCrossEntropyLoss", "MarginRankingLoss", "NLLLoss2d", "TripletMarginLoss",
        "TripletMarginWithDistanceLoss",
    }  # fmt: skip
    x = torch.rand(3, 4, dtype=torch.float64) * 0.8 + 0.1
    y = torch.rand(3, 4, dtype=torch.float64)
    for name in {*nn.modules.loss.__all__} - elsewhere:
        for how in ("none", "mean", "sum"):
            loss = getattr(nn, name)(reduction=how)
            target = LOSSES.get(name, y)
            agrees(lambda a, loss=loss, target=target: loss(a, target), x)


@pytest.mark.parametrize(
    "layer",
    [
        nn.LSTM(4, 3, 2, bidirectional=True),
        nn.LSTM(4, 3, bias=False),
        nn.GRU(4, 3),
        nn.Linear(4, 3),
        nn.TransformerEncoderLayer(4, 2, 8, dropout=0),
        nn.Sequential(nn.Conv1d(3, 4, 2), nn.BatchNorm1d(4), nn.GELU(), nn.MaxPool1d(2)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_single_precision_has_the_programs_own_values(layer: nn.Module) -> None:
    x = torch.randn(2, 3, 4)
    agrees(layer, x, also=layer.parameters(), tolerance=1e-5)


def test_an_operation_that_pytorch_takes_apart_wrongly_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = {torch.ops.aten.special_entr.default: torch.sin}
    monkeypatch.setattr(mode, "decomposition_table", wrong)
    with pytest.raises(RefusedError, match="entr"):
        agrees(torch.special.entr, torch.ones(2))


def test_an_operation_that_is_recorded_whole_stores_only_what_it_depends_on() -> None:
    with stepgrad.record() as recording, watch():
        a = torch.tensor([[4.0, 2.0], [2.0, 5.0]], requires_grad=True)
        torch.linalg.cholesky(a).sum().backward()
    nodes = [recording.node(each) for each in range(recording.size)]
    own = [each for each in nodes if each.op.stored]
    assert [each.op.written({}) for each in own] == [
        "cholesky(a)",
        "cholesky(a, b, c)",  # PyTorch takes the matrix as symmetric
        "cholesky(a, b, c, d)",
    ]
    assert {way.way: way.ok for way in verify(recording)}["saved values"]


def test_a_long_sum_takes_few_batches() -> None:
    x = torch.randn(4503, dtype=torch.float64)
    agrees(lambda a: (a * a).sum(), x, tolerance=1e-11)
    leaf = x.clone().requires_grad_()
    with stepgrad.record(), watch() as tensors:
        total = leaf.sum()
        assert len(tensors.made) == len(x) - 1
        assert len(tensors.made.batches) < 1010
        total.backward()


def test_an_operation_that_is_random_is_not_recorded_whole() -> None:
    with pytest.raises(RefusedError, match="standard_gamma"):
        agrees(torch._standard_gamma, torch.ones(2))


def test_a_sparse_tensor_of_plain_numbers_is_recorded_as_a_dense_one() -> None:
    x = torch.randn(3, 2, dtype=torch.float64)
    sparse = (torch.eye(3, dtype=torch.float64) * 3).to_sparse()
    agrees(lambda a: torch.sparse.mm(sparse, a) + sparse @ a, x)
    agrees(lambda a: sparse.to_sparse_csr() @ a, x)


def test_a_view_in_place_makes_no_nodes() -> None:
    views: dict[str, Callable[[Tensor], Tensor]] = {
        "transpose_": lambda a: a.transpose_(0, 1),
        "swapaxes_": lambda a: a.swapaxes_(0, 1),
        "t_": lambda a: a.t_(),
        "unsqueeze_": lambda a: a.unsqueeze_(1),
        "squeeze_": lambda a: a.unsqueeze(1).squeeze_(),
        "as_strided_": lambda a: a.as_strided_((3, 2), (1, 3)),
    }
    leaf = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    with stepgrad.record(), watch() as tensors:
        for name, view in views.items():
            result = leaf * 2
            made = len(tensors.made)
            view(result)
            assert len(tensors.made) == made, name
    for view in views.values():
        agrees(lambda a, view=view: [view(b := a * 2) * 3, b.mul_(3) + 1], leaf)


def test_a_result_that_is_cut_off_is_no_leaf() -> None:
    x = torch.randn(3, dtype=torch.float64)
    agrees(lambda a: a * a.round() + F.gelu(a.detach()) + F.layer_norm(a.detach(), [3], a), x)


def test_nodes_that_were_moved_are_found_in_a_later_pass() -> None:
    leaf = torch.ones(3, dtype=torch.float64, requires_grad=True)
    with stepgrad.record(), watch() as tensors:
        moved = leaf.flip(0).clone()
        (leaf * 2).sum().backward()
        (moved * moved).sum().backward()
        (known,) = tensors.leaves.values()
        assert known.left.view(known.shape).tolist() == [4.0, 4.0, 4.0]


def test_a_write_to_a_copy_of_a_leaf_is_no_write_to_the_leaf() -> None:
    leaf = torch.full((2,), 0.5, dtype=torch.float64, requires_grad=True)
    with stepgrad.record() as recording, watch():
        copy = leaf.clone()
        with torch.no_grad():
            copy.clamp_(min=1)
        (copy * copy).sum().backward()
    assert recording.history.value(0, recording.length) == 0.5
