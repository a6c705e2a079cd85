"""The story of one element, against PyTorch's gradient of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from click.testing import CliRunner  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from stepgrad.cli import main  # noqa: E402
from stepgrad.errors import StepgradError  # noqa: E402
from stepgrad.recording.recording import Recording  # noqa: E402
from stepgrad.torch import zoom  # noqa: E402


class Attention(nn.Module):
    """A head that looks at what came before, in a residual stream with a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(7, 6)
        self.norm = nn.LayerNorm(6)
        self.qkv = nn.Linear(6, 18)
        self.out = nn.Linear(6, 7)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        q, k, v = self.qkv(self.norm(x)).split(6, dim=-1)
        mask = torch.ones(len(tokens), len(tokens)).tril().bool()
        weights = (q @ k.t() / 6**0.5).masked_fill(~mask, -torch.inf).softmax(-1)
        return self.out(torch.relu(x + weights @ v))


def model() -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    return Attention().double(), torch.tensor([1, 4, 2, 4])


def told(element: str, *, depth: int = 3, top: int = 5) -> tuple[Recording, float]:
    """Return the story of an element, and PyTorch's gradient of it."""
    attention, tokens = model()
    with zoom(element, attention, depth=depth, top=top) as found:
        nn.functional.cross_entropy(attention(tokens), tokens).backward()
    path, _, place = element[:-1].partition("[")
    gradient = dict(attention.named_parameters())[path].grad
    assert gradient is not None
    return found.recording, float(gradient[tuple(map(int, place.split(",")))])


@pytest.mark.parametrize("depth", [1, 2, 3, 6, 30])
@pytest.mark.parametrize("top", [1, 5, 1000])
@pytest.mark.parametrize("element", ["qkv.weight[3,2]", "qkv.bias[13]", "norm.weight[1]"])
def test_the_parts_and_the_rest_are_the_gradient(element: str, depth: int, top: int) -> None:
    if depth > 3 and top > 5:
        depth = 4  # all ways at once are many
    recording, wanted = told(element, depth=depth, top=top)
    found = recording.history.grad(0, recording.length)
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-13)


def test_what_is_not_followed_is_counted_and_summed_up() -> None:
    recording, _ = told("qkv.weight[3,2]", depth=1, top=2)
    names = [recording.node(index).name for index in range(recording.size)]
    assert names[0] == "qkv.weight[3,2]"
    assert "2 others" in names  # four tokens, of which two are followed
    assert names[-1] == "loss"


def test_values_on_the_way_are_those_of_the_program() -> None:
    attention, tokens = model()
    recording, _ = told("out.weight[0,0]", depth=1, top=1)
    logits = attention(tokens).detach()
    names = [recording.node(index).name or "" for index in range(recording.size)]
    node = next(at for at, name in enumerate(names) if name.startswith("out/out["))
    place = [int(each) for each in names[node][:-1].split("[")[1].split(",")]
    value = recording.history.value(node, recording.length)
    assert value == pytest.approx(float(logits[tuple(place)]), rel=1e-12)


def test_an_element_elsewhere_that_has_no_derivative_spoils_nothing() -> None:
    weights = nn.ParameterDict({"w": torch.tensor([4.0, 0.0], dtype=torch.float64)})
    with zoom("w[0]", weights) as found:
        (weights["w"].sqrt() * torch.tensor([1.0, 0.0])).sum().backward()
    assert found.recording.history.grad(0, found.recording.length) == 0.25


@pytest.mark.parametrize(
    ("element", "said"),
    [
        ("qkv.weigth[3,2]", "no gradient goes to `qkv.weigth`; did you mean `qkv.weight`"),
        ("qkv.weight[3]", "no such element; qkv.weight is 18×6"),
        ("qkv.weight[18,0]", "no such element; qkv.weight is 18×6"),
    ],
)
def test_an_element_that_is_not_there_is_refused(element: str, said: str) -> None:
    with pytest.raises(StepgradError, match=said), zoom(element, model()[0]):
        pass


def test_an_element_that_no_gradient_reaches_is_said() -> None:
    attention, tokens = model()
    said = "no gradient goes to `qkv.bias`; there are embed.weight"
    with pytest.raises(StepgradError, match=said), zoom("qkv.bias[0]", attention):
        attention.embed(tokens).sum().backward()


PROGRAM = """
import torch
from torch import nn

torch.manual_seed(0)
layers = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = torch.optim.SGD(layers.parameters(), lr=0.1)
for step in range(3):
    optimizer.zero_grad()
    loss = (layers(torch.ones(2, 3)) ** 2).mean()
    loss.backward()
    optimizer.step()
    print(layers[0].weight.grad[2, 1].item())
"""


@pytest.mark.parametrize("step", [0, 2])
def test_a_program_runs_up_to_the_backward_pass_that_is_asked_for(
    tmp_path: Path, step: int
) -> None:
    program = tmp_path / "train.py"
    program.write_text(PROGRAM)
    plain = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, timeout=120, check=True
    )
    saved = tmp_path / "story.stepgrad"
    command = [
        sys.executable,
        "-m",
        "stepgrad",
        "torch-zoom",
        "--element",
        "0.weight[2,1]",
        "--step",
        str(step),
        "-o",
        str(saved),
        str(program),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == step  # it ends with the pass
    recording = Recording.load(saved)
    wanted = float(plain.stdout.splitlines()[step])
    assert recording.history.grad(0, recording.length) == pytest.approx(wanted, rel=1e-5)
    place = recording.node(recording.size - 2).place
    assert place.file == str(program)


def test_a_lesson_is_a_program(tmp_path: Path) -> None:
    saved = tmp_path / "story.stepgrad"
    command = ["torch-zoom", "--element", "0.weight[1,1]", "-o", str(saved), "torch_xor"]
    found = CliRunner().invoke(main, command)
    assert not found.exit_code, found.output
    assert Recording.load(saved).length


def test_a_scenario_is_no_program() -> None:
    found = CliRunner().invoke(main, ["torch-zoom", "--element", "w", "two_layer"])
    assert found.exit_code == 2
    assert "two_layer: is no program" in found.output
