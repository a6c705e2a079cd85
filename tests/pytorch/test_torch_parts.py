"""A part of a program is recorded: one sample of a batch, or some modules."""

from __future__ import annotations

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

import stepgrad  # noqa: E402
from stepgrad.recording.foreign.remark import DIFFERS, PART  # noqa: E402
from stepgrad.recording.recording import Recording  # noqa: E402
from stepgrad.torch import watch  # noqa: E402
from stepgrad.torch.refused import RefusedError  # noqa: E402
from stepgrad.torch.tensors import Tensors  # noqa: E402


class Reader(nn.Module):
    """A small transformer whose last weights are those of its first layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(7, 4), nn.Embedding(3, 4)
        self.norm = nn.LayerNorm(4)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens) + self.place(torch.arange(3))
        y = self.norm(x)
        y, _ = self.attention(y, y, y, need_weights=False)
        return self.head(torch.relu(x + y)).transpose(1, 2)


class Seer(nn.Module):
    """A small convolutional network; `mixes` is whether it normalises by batch."""

    def __init__(self, *, mixes: bool = False) -> None:
        super().__init__()
        self.look = nn.Conv2d(1, 2, 2, padding=1)
        self.norm = nn.BatchNorm2d(2)
        self.norm.train(mixes)
        self.head = nn.Linear(8, 7)

    def forward(self, picture: Tensor) -> Tensor:
        x = torch.relu(self.norm(self.look(picture / 2)))
        return self.head(functional.max_pool2d(x, 2).flatten(1))


def reader() -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    return Reader().double(), torch.randint(7, (3, 3)), torch.randint(7, (3, 3))


def seer(*, mixes: bool = False) -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    x = torch.randn(3, 1, 3, 3, dtype=torch.float64)
    return Seer(mixes=mixes).double(), x, torch.randint(7, (3,))


def arriving(tensors: Tensors, loss: Tensor) -> dict[str, Tensor]:
    """Run the backward pass; return the gradients that the recording has at its end."""
    found: dict[str, Tensor] = {}
    backward = tensors.backward

    def logged(*args: object) -> object:
        done = backward(*args)  # type: ignore[arg-type]
        for leaf in tensors.leaves.values():
            found[leaf.name] = leaf.left.view(*leaf.shape).clone()
        return done

    tensors.backward = logged  # type: ignore[assignment, method-assign]
    loss.backward()
    return found


Make = Callable[[], tuple[nn.Module, Tensor, Tensor]]


@pytest.mark.parametrize("make", [reader, seer])
@pytest.mark.parametrize("row", range(3))
def test_one_sample_brings_its_part_of_the_gradients(make: Make, row: int) -> None:
    model, x, y = make()
    one = slice(row, row + 1)
    (functional.cross_entropy(model(x[one]), y[one]) / len(x)).backward()
    wanted = {name: each.grad for name, each in model.named_parameters()}
    model.zero_grad(set_to_none=True)
    with stepgrad.record() as recording, watch(model, batch_row=row) as tensors:
        found = arriving(tensors, functional.cross_entropy(model(x), y))
    for name, each in wanted.items():
        assert each is not None
        assert torch.allclose(found[name], each, rtol=0, atol=1e-15), name
    kinds = {each.kind for each in recording.remarks}
    assert PART in kinds
    assert DIFFERS not in kinds


def recorded(make: Make, row: int | None) -> Recording:
    model, x, y = make()
    with stepgrad.record() as recording, watch(model, batch_row=row):
        functional.cross_entropy(model(x), y).backward()
    return recording


@pytest.mark.parametrize("make", [reader, seer])
def test_one_sample_of_three_takes_about_a_third(make: Make) -> None:
    leaves = sum(each.numel() for each in make()[0].parameters())
    part, whole = (recorded(make, row).size - leaves for row in (0, None))
    assert part < 0.4 * whole


def test_what_mixes_samples_is_followed_into_all_of_them() -> None:
    model, x, y = seer(mixes=True)
    x.requires_grad_()
    with stepgrad.record(), watch(model, batch_row=1) as tensors:
        found = arriving(tensors, functional.cross_entropy(model(x), y))
    assert x.grad is not None
    assert torch.allclose(found["x"][1], x.grad[1], rtol=0, atol=1e-15)
    assert not found["x"][[0, 2]].any()


def test_a_batch_without_the_sample_is_refused() -> None:
    model, x, _ = seer()
    said = r"(?s)the batch has no sample 3.*it has 3"
    with stepgrad.record(), watch(batch_row=3), pytest.raises(RefusedError, match=said):
        model(x)


def test_a_program_without_modules_has_no_batch() -> None:
    w = torch.ones(2, requires_grad=True)
    with stepgrad.record(), watch(batch_row=0), pytest.raises(RefusedError, match="no batch"):
        (w * 2).sum().backward()
