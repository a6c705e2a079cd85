"""What cannot be recorded of a PyTorch program is refused, with what can be done."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

import torch.nn.functional as F  # noqa: E402, N812
from click.testing import CliRunner  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402

import stepgrad  # noqa: E402
from stepgrad.cli import main  # noqa: E402
from stepgrad.engine.world import World  # noqa: E402
from stepgrad.opening import How, open_typed  # noqa: E402
from stepgrad.program import Selection, run_program  # noqa: E402
from stepgrad.recording.memory import as_bytes  # noqa: E402
from stepgrad.recording.recording import Recording  # noqa: E402
from stepgrad.torch import watch  # noqa: E402
from stepgrad.torch.frames import Frames  # noqa: E402
from stepgrad.torch.modules import Modules  # noqa: E402
from stepgrad.torch.refused import RefusedError  # noqa: E402
from stepgrad.torch.table import TABLE  # noqa: E402
from torch_runs import TRAIN, names, program, untouched  # noqa: E402


class Inner(nn.Module):
    """A module that does something."""

    def __init__(self, work: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(4))
        self._work = work

    def forward(self) -> Tensor:
        return self._work(self.w)


REFUSED: Mapping[str, tuple[Callable[[Tensor], Any], str]] = {
    "complex numbers": (torch.fft.fft, "fft_fft at .*two tensors"),
    "sparse tensors": (lambda w: w.to_sparse(), "to_sparse at .*to_dense"),
    "nested tensors": (
        lambda w: torch.nested.as_nested_tensor([w[:1] * 2, w]),
        "nested tensors cannot be recorded.*pad",
    ),
    "jagged tensors": (
        lambda w: torch.nested.as_nested_tensor([w[:1] * 2, w], layout=torch.jagged),
        "nested tensors cannot be recorded.*pad",
    ),
    "other devices": (lambda w: w.to("meta"), r"to at .*model\.cpu\(\)"),
    "torch.func.grad": (
        lambda w: torch.func.grad(lambda a: (a * a).sum())(w.detach()),
        "torch.func.grad.*loss.backward",
    ),
    "reentrant checkpoints": (
        lambda w: checkpoint(torch.exp, w, use_reentrant=True) * 2,
        "reentrant checkpoints.*use_reentrant=False",
    ),
    "an embedding whose gradient is scaled": (
        lambda w: F.embedding(torch.tensor([0, 0]), w.view(2, 2), scale_grad_by_freq=True),
        r"embedding at .*\(with scale_grad_by_freq=True, its gradient is not the derivative\)",
    ),
    "an embedding bag whose gradient is scaled": (
        lambda w: F.embedding_bag(torch.tensor([[0, 0]]), w.view(2, 2), scale_grad_by_freq=True),
        r"embedding_bag at .*\(with scale_grad_by_freq=True, its gradient is not the derivative\)",
    ),
    "what is not in the table": (
        torch._standard_gamma,
        "standard_gamma at .*aten::_standard_gamma",
    ),
}


@pytest.mark.parametrize(("work", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_recorded_is_refused(work: Callable[[Tensor], Any], message: str) -> None:
    model = nn.ModuleDict({"mixer": Inner(work)})
    before = untouched()
    with (
        stepgrad.record(lines=True),
        watch(model),
        pytest.raises(RefusedError, match=f"(?s){message}") as refused,
    ):
        model["mixer"]()
    assert f"{Path(__file__).name}:" in str(refused.value)
    assert "in mixer" in str(refused.value)
    assert untouched() == before


def test_a_mistake_of_ours_is_told_as_what_cannot_be_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_: object) -> object:
        raise AttributeError("nothing has no\ntags, " + 99 * "and more ")

    monkeypatch.setitem(TABLE, "tanh", broken)
    with stepgrad.record(), watch(), pytest.raises(RefusedError) as refused:
        torch.ones(2, requires_grad=True).tanh()
    first, *_ = str(refused.value).splitlines()
    said = "aten::tanh cannot be recorded yet (AttributeError: nothing has no tags, and more"
    assert said in first
    assert len(first) < 240
    assert refused.value.__suppress_context__


def test_a_bug_in_the_world_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run_program(program(tmp_path, TRAIN), world=World.read("overwrite"))
    assert found.status == 1
    assert "cannot be changed by --bug" in capsys.readouterr().err


def test_a_refusal_is_called_as_a_person_finds_it(tmp_path: Path) -> None:
    text = TRAIN.replace("loss.backward()", "loss.backward(create_graph=True)")
    told = CliRunner().invoke(main, ["diagnose", program(tmp_path, text)])
    assert re.search(r"^stepgrad\.torch\.RefusedError: .*gradients of gradients", told.stderr, re.M)
    assert "the program failed: backward at" in told.stdout
    assert stepgrad.torch.RefusedError is RefusedError


def test_what_is_refused_ends_the_recording_there() -> None:
    w = torch.ones(2, requires_grad=True)
    with stepgrad.record() as recording, watch():
        kept = w * 3
        with pytest.raises(RefusedError):
            torch.fft.fft(kept)
        (w * 5).sum().backward()
    assert names(recording).keys() == {"w[0]", "w[1]", "kept[0]", "kept[1]"}


def test_what_no_gradients_go_through_is_not_refused() -> None:
    w = torch.ones(2, requires_grad=True)
    with stepgrad.record() as recording, watch():
        torch.fft.fft(w.detach())
        w.detach().to_sparse()
        w.sum().backward()
    assert recording.size


def test_a_vectorised_map_is_recorded() -> None:
    w = torch.ones(2, requires_grad=True)
    with stepgrad.record() as recording, watch():
        torch.func.vmap(lambda a: a * 2)(w).sum().backward()
    assert recording.size


def test_a_checkpoint_that_is_not_reentrant_is_recorded() -> None:
    w = torch.ones(2, requires_grad=True)
    with stepgrad.record() as recording, watch() as tensors:
        checkpoint(torch.exp, w, use_reentrant=False).sum().backward()
        (leaf,) = tensors.leaves.values()
        assert torch.equal(leaf.left.view(leaf.shape).float(), w.grad)
    assert recording.size


def test_too_much_is_refused_before_it_is_made() -> None:
    a = torch.ones(100, 1000, requires_grad=True)
    said = r"(?s)20,000,000 nodes are too many.*memory='2\.56GB'"
    with (
        stepgrad.record(memory="100MB") as recording,
        pytest.raises(RefusedError, match=said),
        watch(),
    ):
        torch.matmul(a, torch.ones(1000, 100))
    assert recording.size == a.numel()


WIDE = """
import sys
import torch
from torch import nn
torch.manual_seed(0)
size, batch = map(int, sys.argv[1:])
model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, size), nn.Linear(size, 1))
for _ in range(2):
    model(torch.randn(batch, 4)).mean().backward()
"""


@pytest.mark.parametrize(
    ("arguments", "memory", "ways"),
    [
        ("4 100", "100kB", ["--batch-row 0"]),
        ("100 100", "1MB", ["--batch-row 0", "--layers 0"]),
        ("500 1", "600kB", ["--layers 3"]),
    ],
)
def test_what_would_fit_is_proposed_and_fits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: str, memory: str, ways: list[str]
) -> None:
    path = program(tmp_path, WIDE)
    assert open_typed(path, arguments.split(), How(as_bytes(memory))).status
    said = capsys.readouterr().err
    typed = f"{shlex.quote(path)} {arguments}"
    assert "nodes are too many to record" in said
    assert re.findall(rf"stepgrad run (--[bl].*) {re.escape(typed)}: ", said) == ways
    assert f"stepgrad torch-zoom --element 'NAME[0,0]' {typed}: " in said
    for option, value in map(str.split, ways):
        part = {"batch_row": int(value)} if option == "--batch-row" else {"layers": (value,)}
        selection = Selection()._replace(**part)
        how = How(as_bytes(memory), selection=selection)
        assert not open_typed(path, arguments.split(), how).status


def test_parameters_that_are_too_many_are_not_logged(tmp_path: Path) -> None:
    opened = open_typed(program(tmp_path, WIDE), ["100000", "1"], How(as_bytes("1MB")))
    assert opened.status
    assert not opened.recording.length


def test_what_is_recorded_before_an_error_is_kept_in_a_file(tmp_path: Path) -> None:
    w = torch.ones(3, requires_grad=True)
    with stepgrad.record() as recording, watch(), pytest.raises(RefusedError):
        torch._standard_gamma(w)
    recording.save(tmp_path / "before.stepgrad")
    assert Recording.load(tmp_path / "before.stepgrad").length == len(w)


def test_what_is_compiled_runs_uncompiled_and_that_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = nn.Sequential(nn.Linear(1, 1))
    with stepgrad.record() as recording, watch(model):
        compiled = torch.compile(model, backend="eager")
        compiled(torch.ones(1, 1)).sum().backward()
    assert "uncompiled" in capsys.readouterr().err
    assert "0.weight[0,0]" in names(recording)


def test_what_a_compiled_model_gets_later_is_called_as_its_other_parts() -> None:
    model = nn.Sequential(nn.Linear(1, 1))
    modules = Modules(Frames())
    modules.add(model)
    model.append(nn.Linear(1, 1))
    modules.add(torch.compile(model, backend="eager"), "optimized_module.")
    assert [*map(modules.leaf, model.parameters())][-1] == "1.bias"
