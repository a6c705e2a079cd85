"""The story of one element, against PyTorch's gradient of it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from torch import Tensor, nn  # noqa: E402

from stepgrad.errors import StepgradError  # noqa: E402
from stepgrad.recording.recording import Recording  # noqa: E402
from stepgrad.torch.zoom import zoom  # noqa: E402


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
    with zoom(attention, element, depth=depth, top=top) as found:
        nn.functional.cross_entropy(attention(tokens), tokens).backward()
    assert found.recording is not None
    wanted = found.find(dict(attention.named_parameters()))
    assert wanted.tensor.grad is not None
    return found.recording, float(wanted.tensor.grad.reshape(-1)[wanted.at])


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
    node = next(i for i in range(recording.size) if "addmm" in (recording.node(i).name or ""))
    place = [int(each) for each in (recording.node(node).name or "")[:-1].split("[")[1].split(",")]
    value = recording.history.value(node, recording.length)
    assert value == pytest.approx(float(logits[tuple(place)]), rel=1e-12)


def test_an_element_elsewhere_that_has_no_derivative_spoils_nothing() -> None:
    weights = nn.ParameterDict({"w": torch.tensor([4.0, 0.0], dtype=torch.float64)})
    with zoom(weights, "w[0]") as found:
        (weights["w"].sqrt() * torch.tensor([1.0, 0.0])).sum().backward()
    assert found.recording is not None
    assert found.recording.history.grad(0, found.recording.length) == 0.25


@pytest.mark.parametrize(
    ("element", "said"),
    [
        ("qkv.weigth[3,2]", "no parameter 'qkv.weigth'; there are embed.weight"),
        ("qkv.weight[3]", r"qkv.weight has the shape \(18, 6\): name one element"),
        ("qkv.weight[18,0]", r"qkv.weight has the shape \(18, 6\): name one element"),
    ],
)
def test_an_element_that_is_not_there_is_refused(element: str, said: str) -> None:
    with pytest.raises(StepgradError, match=said), zoom(model()[0], element):
        pass


def test_an_element_that_no_gradient_reaches_is_said() -> None:
    attention, tokens = model()
    said = "no gradient has reached qkv"
    with pytest.raises(StepgradError, match=said), zoom(attention, "qkv.bias[0]"):
        attention.embed(tokens).sum().backward()
