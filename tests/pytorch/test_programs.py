"""PyTorch programs as people write them: what is recorded has their names, scopes and lines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from torch import Tensor, nn  # noqa: E402
from torch.utils.checkpoint import checkpoint  # noqa: E402

import stepgrad  # noqa: E402
from processes import run, started  # noqa: E402
from processes import stepgrad as in_a_process  # noqa: E402
from stepgrad import headless  # noqa: E402
from stepgrad.cli import main  # noqa: E402
from stepgrad.engine.world import World  # noqa: E402
from stepgrad.errors import StepgradError  # noqa: E402
from stepgrad.program import run_program, usual  # noqa: E402
from stepgrad.recording.blocks import Backward  # noqa: E402
from stepgrad.recording.recording import Recording  # noqa: E402
from stepgrad.torch import watch  # noqa: E402
from stepgrad.torch.refused import RefusedError  # noqa: E402

TRAIN = """
import torch
from torch import nn

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn = nn.Linear(2, 2)

    def forward(self, x):
        h = torch.tanh(self.attn(x))
        return h + x

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Block(), Block()])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

def main():
    torch.manual_seed(0)
    model = Net()
    scale = torch.ones((), requires_grad=True)
    data = torch.randn(3, 2)
    for _ in range(2):
        predicted = model(data) * scale
        loss = (predicted ** 2).mean()
        loss.backward()

main()
"""


def program(folder: Path, text: str) -> str:
    path = folder / "train.py"
    path.write_text(dedent(text), "utf-8")
    return str(path)


def recorded(folder: Path, text: str) -> Recording:
    found = run_program(program(folder, text))
    assert not found.status
    return found.recording


def names(recording: Recording) -> dict[str, tuple[str, str]]:
    """Return the scope and the line of each node that has a name, the first of each name."""
    found: dict[str, tuple[str, str]] = {}
    for index in range(recording.size):
        node = recording.node(index)
        if node.name:
            place = node.place
            line = f"{Path(place.file).name}:{place.line}" if place.file else ""
            found.setdefault(node.name, (place.scope, line))
    return found


def scopes(recording: Recording) -> set[str]:
    return {recording.node(index).place.scope for index in range(recording.size)}


def line_of(text: str, part: str) -> str:
    lines = text.split("\n")
    return f"train.py:{1 + next(n for n, line in enumerate(lines) if part in line)}"


def test_a_program_that_is_run_has_its_names_scopes_and_lines(tmp_path: Path) -> None:
    recording = recorded(tmp_path, TRAIN)
    found = names(recording)
    weight = "layers.1.attn.weight[1,0]"
    called = line_of(TRAIN, "predicted = ")
    assert found[weight] == ("layers/1/attn/weight (2×2)", called)
    assert found["scale"] == ("", called)
    assert found["layers/0/attn[2,1]"][0] == "layers/0/attn/linear (3×2)"
    tanh = ("layers/0/tanh (3×2)", line_of(TRAIN, "h = torch.tanh"))
    assert found["layers/0/h[2,1]"] == tanh
    assert found["predicted[0,0]"] == ("mul (3×2)", called)
    assert found["loss"] == ("mean", line_of(TRAIN, "loss = "))
    assert len([block for block in recording.blocks if isinstance(block, Backward)]) == 2
    assert recording.source is not None
    assert recording.source.text == TRAIN


def test_a_program_may_have_imported_pytorch_before(tmp_path: Path) -> None:
    assert "torch" in __import__("sys").modules
    assert recorded(tmp_path, TRAIN).size


def test_a_program_is_watched_from_the_moment_it_imports_pytorch(tmp_path: Path) -> None:
    program(tmp_path, TRAIN)
    found = run(in_a_process("replay", "train.py"), cwd=tmp_path)
    assert "layers/1/h[2,1] = tanh(" in found.stdout
    assert not found.stderr
    assert not found.returncode


def test_a_program_without_gradients_is_told_so(tmp_path: Path) -> None:
    program(tmp_path, "import torch; torch.ones(2) * 3")
    found = run(in_a_process("run", "train.py"), cwd=tmp_path)
    assert "nothing was recorded: no gradients go through its tensors" in found.stderr


def test_a_program_without_pytorch_does_not_import_it(tmp_path: Path) -> None:
    text = """
        import sys
        from stepgrad import Value
        x = Value(2.0, label="x")
        (x * x).backward()
        assert "torch" not in sys.modules and "stepgrad.torch" not in sys.modules
        """
    program(tmp_path, text)
    assert not run(in_a_process("replay", "train.py"), cwd=tmp_path).returncode


def test_each_of_two_models_comes_before_its_parts(tmp_path: Path) -> None:
    text = """
        import torch
        from torch import nn
        generator, critic = nn.Sequential(nn.Linear(1, 2)), nn.Sequential(nn.Linear(2, 1))
        critic(generator(torch.ones(1, 1))).sum().backward()
        """
    recording = recorded(tmp_path, text)
    assert {"generator.0.weight[1,0]", "critic.0.weight[0,1]"} <= {*names(recording)}
    assert {"generator/0/linear (1×2)", "critic/0/linear (1×1)"} <= scopes(recording)


def test_a_module_that_is_called_again_is_numbered(tmp_path: Path) -> None:
    text = """
        import torch
        from torch import nn
        class Twice(nn.Module):
            def __init__(self):
                super().__init__()
                self.cell = nn.Linear(2, 2)
            def forward(self, x):
                return self.cell(torch.relu(self.cell(x)))
        Twice()(torch.ones(1, 2)).sum().backward()
        """
    found = scopes(recorded(tmp_path, text))
    assert {"cell0/linear (1×2)", "cell1/linear (1×2)", "relu (1×2)"} <= found


def test_a_model_that_is_called_again_in_a_pass_is_a_scope(tmp_path: Path) -> None:
    text = """
        import torch
        from torch import nn
        model = nn.Sequential(nn.Linear(2, 2))
        (model(torch.ones(1, 2)) + model(torch.zeros(1, 2))).sum().backward()
        """
    found = scopes(recorded(tmp_path, text))
    assert {"model0/0/linear (1×2)", "model1/0/linear (1×2)"} <= found


def test_leaves_are_named_by_what_holds_them(tmp_path: Path) -> None:
    text = """
        import torch
        class Trainer:
            def __init__(self):
                self.weights = [torch.ones(2, requires_grad=True)]
        trainer = Trainer()
        def loss_of(w):
            return w.sum()
        loss_of(trainer.weights[0]).backward()
        """
    assert "trainer.weights[0][1]" in names(recorded(tmp_path, text))


def test_a_model_inside_a_trainer_is_the_only_one(tmp_path: Path) -> None:
    text = """
        import torch
        from torch import nn
        class Trainer:
            def __init__(self):
                self.model = nn.Linear(2, 1)
                self.loss = nn.MSELoss()
        def main():
            trainer = Trainer()
            trainer.loss(trainer.model(torch.ones(1, 2)), torch.ones(1, 1)).backward()
        main()
        """
    recording = recorded(tmp_path, text)
    assert "weight[0,1]" in names(recording)
    assert "linear (1×1)" in scopes(recording)


def test_parameters_that_are_never_used_are_there(tmp_path: Path) -> None:
    text = """
        import torch
        from torch import nn
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.used, self.forgotten = nn.Linear(1, 1), nn.Linear(1, 1)
            def forward(self, x):
                return self.used(x)
        Net()(torch.ones(1, 1)).sum().backward()
        """
    assert "forgotten.weight[0,0]" in names(recorded(tmp_path, text))


def test_what_several_calls_hold_is_named_by_the_one_that_assigned_it(tmp_path: Path) -> None:
    text = """
        import torch
        w = torch.ones(2, requires_grad=True)
        def inner(argument):
            return argument.sum()
        hidden = w * 3
        inner(hidden).backward()
        """
    found = names(recorded(tmp_path, text))
    assert "hidden[1]" in found
    assert "argument[1]" not in found


def test_a_scope_by_hand_is_around_those_of_modules() -> None:
    model = nn.Sequential(nn.Linear(1, 2))
    with stepgrad.record() as recording, watch(model), stepgrad.scope("mine"):
        model(torch.ones(1, 1)).sum().backward()
    assert "mine/0/linear (1×2)" in scopes(recording)


def test_without_lines_there_are_none() -> None:
    w = torch.ones(2, requires_grad=True)
    with stepgrad.record() as recording, watch():
        (w * w).sum().backward()
    assert {recording.node(index).place.line for index in range(recording.size)} == {None}
    assert not recording.sources


def test_watching_needs_a_recording() -> None:
    with pytest.raises(StepgradError, match="record"), watch():
        pass


def test_watching_twice_records_once(tmp_path: Path) -> None:
    text = """
        import stepgrad.torch, torch
        w = torch.ones(2, requires_grad=True)
        with stepgrad.torch.watch():
            w.sum().backward()
        w.sum().backward()
        """
    recording = recorded(tmp_path, text)
    assert len([block for block in recording.blocks if isinstance(block, Backward)]) == 2


# Only some training steps.

STEPS = """
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(1, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    loss = model(torch.ones(1, 1)).sum()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize("steps", [range(2), range(1, 3), range(3, 9)])
def test_only_some_training_steps_are_recorded(tmp_path: Path, steps: range) -> None:
    def told(recording: Recording, number: int) -> list[str]:
        """Return what happens in a training step, without leaves and the numbers of events."""
        begins = [*recording.steps, recording.length]
        lines = [*headless.narration(recording)][begins[number] : begins[number + 1]]
        told = [line.split(maxsplit=1)[1].replace("grad – →", "grad 0 →") for line in lines]
        return [each for each in told if not each.startswith(("forward   0.w", "forward   0.b"))]

    path = program(tmp_path, STEPS)
    whole = run_program(path).recording
    part = run_program(path, tensors=partial(usual, steps)).recording
    kept = [*steps][: 4 - steps.start]
    assert len(part.steps) == len(kept)
    last = len(kept) - 1
    assert told(part, last) == told(whole, kept[last])


def test_steps_are_an_option_of_the_command(tmp_path: Path) -> None:
    program(tmp_path, STEPS)
    found = run(in_a_process("record", "--only-steps", "1-2", "train.py"), cwd=tmp_path)
    assert not found.returncode
    assert len(Recording.load(tmp_path / "train.stepgrad").steps) == 2


@pytest.mark.parametrize("wrong", ["x", "2-1", "-1", "0-"])
def test_steps_that_are_no_range_are_refused(wrong: str) -> None:
    found = CliRunner().invoke(main, ["run", f"--only-steps={wrong}", "train.py"])
    assert found.exit_code == 2
    assert "write 0-2" in found.output


# How a program ends.


def untouched() -> tuple[object, ...]:
    return (
        nn.Module.__call__,
        torch.compile,
        torch.autograd._engine_run_backward,
        torch.utils._python_dispatch._get_current_dispatch_mode(),
        torch.overrides._get_current_function_mode(),
    )


ENDS: Mapping[str, tuple[str, int]] = {
    "by itself": ("", 0),
    "with an error": ("1 / 0", 1),
    "in a module": ("Failing()(w)", 1),
    "with exit()": ("exit(3)", 3),
    "with Ctrl+C": ("raise KeyboardInterrupt", 130),
    "inside a backward pass": ("w.register_hook(lambda _: exit(4)); w.sum().backward()", 4),
}


@pytest.mark.parametrize(("end", "status"), ENDS.values(), ids=ENDS)
def test_pytorch_is_as_before_however_a_program_ends(tmp_path: Path, end: str, status: int) -> None:
    text = f"""
        import torch
        class Failing(torch.nn.Module):
            def forward(self, x):
                raise ValueError
        w = torch.ones(2, requires_grad=True)
        loss = (w * w).sum()
        loss.backward()
        later = w * 2
        {end}
        """
    before = untouched()
    found = run_program(program(tmp_path, text))
    assert untouched() == before
    assert found.status == status
    assert {"loss", "later[1]"} <= {*names(found.recording)}


def test_ctrl_c_ends_a_program_that_computes(tmp_path: Path) -> None:
    text = """
        import torch
        w = torch.ones(200, requires_grad=True)
        (w * w).sum().backward()
        print("ready", flush=True)
        while True:
            (w * w).sum().backward()
        """
    program(tmp_path, text)
    command = in_a_process("record", "-o", "out.stepgrad", "train.py")
    with started(command, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        process.send_signal(2)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stepgrad/torch" not in said  # no frame of ours
    assert Recording.load(tmp_path / "out.stepgrad").size


def test_other_threads_are_not_recorded_and_work() -> None:
    w = torch.ones(2, requires_grad=True)
    model = nn.Linear(2, 1)
    seen: list[Tensor] = []

    def work() -> None:
        seen.append(model(w.detach()).sum())

    with stepgrad.record() as recording, watch():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        (w * w).sum().backward()
    assert len(seen) == 1
    assert scopes(recording) == {"w (2)", "mul (2)", ""}


def test_workers_of_a_data_loader_are_left_alone(tmp_path: Path) -> None:
    text = """
        import torch
        from torch.utils.data import DataLoader
        w = torch.ones(1, requires_grad=True)
        def collate(batch):
            inside = torch.ones(1, requires_grad=True)
            (inside * 3).sum().backward()
            return torch.stack(batch)
        if __name__ == "__main__":
            data = [torch.ones(1) for _ in range(4)]
            for batch in DataLoader(data, batch_size=2, num_workers=1, collate_fn=collate):
                (batch * w).sum().backward()
        """
    recording = recorded(tmp_path, text)
    assert len([block for block in recording.blocks if isinstance(block, Backward)]) == 2
    assert not any(name.startswith("inside") for name in names(recording))


# What cannot be recorded.


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
    "other devices": (lambda w: w.to("meta"), r"to at .*model\.cpu\(\)"),
    "torch.func.grad": (
        lambda w: torch.func.grad(lambda a: (a * a).sum())(w.detach()),
        "torch.func.grad.*loss.backward",
    ),
    "reentrant checkpoints": (
        lambda w: checkpoint(torch.exp, w, use_reentrant=True) * 2,
        "reentrant checkpoints.*use_reentrant=False",
    ),
    "what is not in the table": (
        lambda w: torch.linalg.svdvals(torch.outer(w, w)),
        "linalg_svdvals at .*aten::_linalg_svd",
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


def test_a_bug_in_the_world_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run_program(program(tmp_path, TRAIN), world=World.read("overwrite"))
    assert found.status == 1
    assert "cannot be changed by --bug" in capsys.readouterr().err


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
        assert torch.equal(tensors.gradient(leaf).float(), w.grad)
    assert recording.size


def test_too_much_is_refused_before_it_is_made() -> None:
    a = torch.ones(100, 1000, requires_grad=True)
    with (
        stepgrad.record(memory="100MB") as recording,
        watch(),
        pytest.raises(
            RefusedError, match=r"(?s)matmul.* 20,000,000 nodes are too many.*--memory 2.56GB"
        ),
    ):
        torch.matmul(a, torch.ones(1000, 100))
    assert recording.size == a.numel()


def test_what_is_compiled_runs_uncompiled_and_that_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = nn.Sequential(nn.Linear(1, 1))
    with stepgrad.record() as recording, watch():
        compiled = torch.compile(model, backend="eager")
        compiled(torch.ones(1, 1)).sum().backward()
    assert "uncompiled" in capsys.readouterr().err
    assert "0.weight[0,0]" in names(recording)
