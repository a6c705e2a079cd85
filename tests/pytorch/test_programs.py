"""PyTorch programs as people write them: what is recorded has their names, scopes and lines."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from torch import nn  # noqa: E402

import stepgrad  # noqa: E402
from processes import run  # noqa: E402
from processes import stepgrad as in_a_process  # noqa: E402
from stepgrad import headless  # noqa: E402
from stepgrad.cli import main  # noqa: E402
from stepgrad.errors import StepgradError  # noqa: E402
from stepgrad.program import Selection, run_program, usual  # noqa: E402
from stepgrad.recording.blocks import Backward  # noqa: E402
from stepgrad.recording.recording import Recording  # noqa: E402
from stepgrad.replay.telling.titles import title  # noqa: E402
from stepgrad.torch import watch  # noqa: E402
from torch_runs import TRAIN, names, program, recorded, scopes  # noqa: E402


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


UNNAMED = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 3), nn.Linear(3, 1)])

    def forward(self, x):
        first, second = self.layers
        return second(torch.relu(torch.relu(first(x)) + 1).T.T)

x = torch.randn(2, 2)
Net()(x).sum().backward()
"""


def test_results_that_no_variable_holds_are_called_after_their_functions(tmp_path: Path) -> None:
    recording = recorded(tmp_path, UNNAMED)
    found = names(recording)
    assert found["relu0[1,2]"][0] == "relu0 (2×3)"
    assert found["relu1[1,2]"][0] == "relu1 (2×3)"
    every = {title(recording, node) for node in range(recording.size)}
    assert not any(each.startswith("#") for each in every)
    assert "relu0[0,0] + 1" in every  # what an expression says has no other name
    # In its module, a parameter is called by what it is there.
    assert {"x[0,1]·weight[2,1]", "… + relu1[0,2]·weight[0,2]"} <= every


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
    part = run_program(path, tensors=partial(usual, Selection(steps))).recording
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


def test_a_step_that_there_is_not_is_named(tmp_path: Path) -> None:
    path = program(tmp_path, STEPS)
    for command in ("diagnose", "record"):
        found = CliRunner().invoke(main, [command, "--only-steps", "7", path])
        assert found.exit_code == 2
        assert "nothing was recorded: there is no training step 7: it has 4 steps" in found.output


def test_only_a_part_of_two_programs_is_compared(tmp_path: Path) -> None:
    first = program(tmp_path, TRAIN)
    second = tmp_path / "other.py"
    second.write_text(TRAIN.replace("loss.backward()", "(loss if _ == 0 else loss * 2).backward()"))
    whole = CliRunner().invoke(main, ["diff", first, str(second)])
    assert whole.exit_code == 1
    part = CliRunner().invoke(main, ["diff", "--only-steps", "0", first, str(second)])
    assert part.exit_code == 0, part.output
    assert "the same, in all" in part.output
