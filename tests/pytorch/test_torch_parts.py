"""A part of a program is recorded: one sample of a batch, or some modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from click.testing import CliRunner  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

import stepgrad  # noqa: E402
from stepgrad.cli import main  # noqa: E402
from stepgrad.errors import StepgradError  # noqa: E402
from stepgrad.opening import How, open_typed  # noqa: E402
from stepgrad.program import Selection  # noqa: E402
from stepgrad.recording.blocks import Backward  # noqa: E402
from stepgrad.recording.foreign.remark import AGREES, DIFFERS, PART  # noqa: E402
from stepgrad.recording.recording import Recording  # noqa: E402
from stepgrad.torch import watch  # noqa: E402
from stepgrad.torch.refused import RefusedError  # noqa: E402
from stepgrad.torch.tensors import Tensors  # noqa: E402
from torch_runs import TRAIN, program  # noqa: E402


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


class Stack(nn.Module):
    """Layers with a residual path around each, whose last weights are those of the first layer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 4)
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        self.head = nn.Linear(4, 7, bias=False)
        self.head.weight = self.embed.weight
        self.stray: Tensor | None = None

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        for layer in self.layers:
            x = x + torch.tanh(layer(x))
        return self.head(x.relu_())


def stack() -> tuple[nn.Module, Tensor, Tensor]:
    torch.manual_seed(0)
    return Stack().double(), torch.randint(7, (3,)), torch.randint(7, (3,))


@pytest.mark.parametrize(
    "layers", [["layers.1"], ["layers.0", "layers.2"], ["head"], ["embed"], ["embed", "head"]]
)
def test_a_module_has_pytorch_gradients_at_its_border(layers: list[str]) -> None:
    model, x, y = stack()
    with stepgrad.record() as recording, watch(model, layers=layers) as tensors:
        loss = functional.cross_entropy(model(x), y)
        found = arriving(tensors, loss)
    parts = [dict(model.named_modules())[each] for each in layers]
    wanted = {id(each) for part in parts for each in part.parameters()}
    names = {name for name, each in model.named_parameters() if id(each) in wanted}
    assert {*found} == names
    for name, each in model.named_parameters():
        if name.startswith("layers") and name in names:
            assert each.grad is not None
            assert torch.allclose(found[name], each.grad, rtol=0, atol=1e-15)
    kinds = {each.kind for each in recording.remarks}
    assert PART in kinds
    assert DIFFERS not in kinds
    backward = next(each for each in recording.blocks if isinstance(each, Backward))
    forward = recording.history.forward_of(backward.root)
    assert recording.node(backward.root).name == "loss"
    assert forward.values[backward.root - forward.base] == float(loss.detach())


def test_what_arrives_at_the_input_of_a_module_is_compared() -> None:
    model, x, y = stack()
    with stepgrad.record() as recording, watch(model, layers=["layers.1"]):
        functional.cross_entropy(model(x), y).backward()
    (said,) = (each.text for each in recording.remarks if each.kind == AGREES)
    assert "3 tensors" in said  # the weight, the bias and the input


def test_a_module_without_a_rule_outside_is_no_obstacle() -> None:
    layer = nn.Linear(3, 3).double()
    with stepgrad.record() as recording, watch(nn.Sequential(layer), layers=["0"]):
        torch.linalg.svdvals(nn.Sequential(layer)(torch.eye(3).double())).sum().backward()
    assert recording.size


def test_several_backward_passes_cross_the_border() -> None:
    model, x, y = stack()
    with stepgrad.record() as recording, watch(model, layers=["layers.1"]):
        loss = functional.cross_entropy(model(x), y)
        loss.backward(retain_graph=True)
        model.zero_grad()
        loss.backward()
        functional.cross_entropy(model(x), y).backward()
    kinds = {each.kind for each in recording.remarks}
    assert AGREES in kinds
    assert DIFFERS not in kinds


def test_a_module_that_does_not_exist_is_refused() -> None:
    model, x, y = stack()
    with stepgrad.record(), watch(model, layers=["layer.1"]):
        loss = functional.cross_entropy(model(x), y)
        with pytest.raises(RefusedError, match=r"(?s)no module `layer\.1`.*layers\.1"):
            loss.backward()


class Leaking(nn.Module):
    """A module that hands on what it computes by an attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(2))
        self.inner = torch.zeros(2)

    def forward(self, x: Tensor) -> Tensor:
        self.inner = x * self.w
        return self.inner * 2


def test_what_leaves_a_module_on_another_way_is_refused() -> None:
    model = nn.Sequential(Leaking())
    with stepgrad.record(), watch(model, layers=["0"]):
        out = model(torch.ones(2))
        with pytest.raises(RefusedError, match="no result of it"):
            out + model[0].inner


def test_one_sample_of_some_modules_is_too_little() -> None:
    with (
        stepgrad.record(),
        pytest.raises(StepgradError, match="not both"),
        watch(layers=["0"], batch_row=0),
    ):
        pass


def test_parts_are_for_programs() -> None:
    with pytest.raises(StepgradError, match="is not a program"):
        open_typed("two_layer", how=How(selection=Selection(batch_row=0)))


def test_each_command_takes_the_options(tmp_path: Path) -> None:
    path = program(tmp_path, TRAIN)
    for command in (
        ["replay"],
        ["check"],
        ["diagnose"],
        ["export", "--to", "json"],
        ["quiz", "--answers", "1"],
        ["run"],
    ):
        found = CliRunner().invoke(main, [*command, "--layers", "layers.9", path])
        assert found.exit_code, command
        assert "there is no module `layers.9`" in found.output, command


@pytest.mark.parametrize("memory", [30_000, None])
def test_where_memory_ends_a_recording_the_options_for_another_part_are_named(
    memory: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = program(
        tmp_path, f"{TRAIN}\nfor step in range(20):\n    Net()(torch.ones(2, 2)).sum().backward()"
    )
    opened = open_typed(str(path), (), How(memory))
    assert opened.recording.spent == (memory is not None)
    named = "--only-steps, --batch-row and --layers record another part" in capsys.readouterr().err
    assert named == opened.recording.spent
