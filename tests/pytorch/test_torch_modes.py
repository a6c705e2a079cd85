"""Models in the wrong mode: evaluated as in training, or trained as in evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from stepgrad.diagnosis import diagnose
from stepgrad.program import run_program

START = """
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
x, y = torch.randn(8, 3), torch.tensor([0, 1] * 4)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 2)
        self.act = nn.Sequential({acting})

    def forward(self, x):
        return self.second(self.act(torch.tanh(self.first(x))))


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train(scale=1.0):
    loss = F.cross_entropy(model(x) * scale, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def evaluate():
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()

"""
DROPOUT = "nn.Dropout(0.5)"
NORM = "nn.BatchNorm1d(4)"
BOTH = f"{DROPOUT}, {NORM}"


def found(folder: Path, text: str, acting: str = BOTH) -> list[tuple[str, Sequence[str], bool]]:
    """What is said of modes: the text, the lines of the program, and whether it is a note."""
    path = folder / "train.py"
    text = START.replace("{acting}", acting) + text
    path.write_text(text)
    recorded = run_program(str(path))
    assert not recorded.status
    lines = text.splitlines()
    return [
        (
            each.text,
            [
                lines[int(at.rpartition(":")[2]) - 1].strip()
                for at in each.lines(recorded.recording)
            ],
            each.note,
        )
        for each in diagnose(recorded.recording)
        if " mode" in each.text
    ]


@pytest.mark.parametrize(
    ("acting", "said"),
    [
        (DROPOUT, "Dropout acts as in training"),
        (NORM, "BatchNorm1d acts as in training"),
        (BOTH, "Dropout and BatchNorm1d act as in training"),
    ],
)
def test_a_forgotten_eval_is_named_where_the_model_is_called(
    acting: str, said: str, tmp_path: Path
) -> None:
    text = "for _ in range(3):\n    train()\n    print(evaluate())\n"
    [(found_text, [line], note)] = found(tmp_path, text, acting)
    assert found_text.startswith("`model` is evaluated in training mode")
    assert found_text.endswith(said)
    assert "model(x).argmax(1)" in line
    assert not note


def test_a_forgotten_eval_is_found_where_gradients_are_on(tmp_path: Path) -> None:
    text = "train()\ntrain()\nprint(f'{F.cross_entropy(model(x), y):.3f}')\n"
    [(said, [line], _)] = found(tmp_path, text)
    assert "evaluated in training mode" in said
    assert "print" in line


def test_a_forgotten_train_is_named_where_the_model_is_trained(tmp_path: Path) -> None:
    text = "for _ in range(4):\n    train()\n    model.eval()\n    print(evaluate())\n"
    [(said, [line], note)] = found(tmp_path, text)
    assert said == (
        "`model` is trained in evaluation mode in 3 of 4 steps: Dropout and BatchNorm1d act as in "
        "evaluation"
    )
    assert "F.cross_entropy(model(x)" in line
    assert not note


def test_a_model_that_is_only_trained_in_evaluation_mode_is_a_note(tmp_path: Path) -> None:
    [(said, _, note)] = found(tmp_path, "model.eval()\nfor _ in range(3):\n    train()\n")
    assert "in 3 of 3 steps" in said
    assert note


FUNCTION = """
class Dropping(Net):
    def forward(self, x):
        return super().forward(F.dropout(x, 0.5{training}))

model = Dropping()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    model.train()
    train()
    model.eval()
    print(evaluate())
"""


def test_a_function_that_drops_in_evaluation_mode_is_named_at_its_line(tmp_path: Path) -> None:
    [(said, [line], _)] = found(tmp_path, FUNCTION.replace("{training}", ""))
    assert said == "dropout drops numbers though `model` is in evaluation mode"
    assert "F.dropout(x" in line
    assert found(tmp_path, FUNCTION.replace("{training}", ", self.training")) == []


RIGHT = {
    "in order": """
for _ in range(3):
    model.train()
    train()
    model.eval()
    print(evaluate())
""",
    "the accuracy of the results that are trained": """
for _ in range(3):
    out = model(x)
    print((out.argmax(1) == y).float().mean().item())
    loss = F.cross_entropy(out, y)
    print(loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "a spread of random results": """
for _ in range(3):
    train()
with torch.no_grad():
    print(torch.stack([model(x).softmax(1) for _ in range(8)]).std(0).mean().item())
""",
    "averages of batch norm": """
train()
with torch.no_grad():
    for _ in range(3):
        model(torch.randn(8, 3))
""",
    "what a judge is trained with": """
judge = nn.Linear(2, 1)
second = torch.optim.SGD(judge.parameters(), lr=0.1)
for _ in range(3):
    train()
    with torch.no_grad():
        made = model(x)
    print(made.mean().item())
    second.zero_grad()
    judge(made).mean().backward()
    second.step()
""",
    "targets of another model": """
import copy
target = copy.deepcopy(model)
for _ in range(3):
    with torch.no_grad():
        scale = target(x).max().item()
    train(scale)
""",
    "norms that are frozen": """
for _ in range(3):
    model.act.eval()
    train()
    print(evaluate())
""",
    "an attack in evaluation mode": """
for _ in range(3):
    model.eval()
    near = x.clone().requires_grad_()
    F.cross_entropy(model(near), y).backward()
    x = (near + 0.1 * near.grad.sign()).detach()
    model.train()
    train()
""",
    "actions": """
for _ in range(3):
    with torch.no_grad():
        print(torch.multinomial(model(x).softmax(1), 1).flatten().tolist())
    train()
""",
    "pictures": """
for _ in range(3):
    train()
    with torch.no_grad():
        model(x).view(8, 2, 1).numpy()
""",
}


@pytest.mark.parametrize("case", RIGHT)
def test_what_nearly_looks_like_it_gets_no_verdict(case: str, tmp_path: Path) -> None:
    assert found(tmp_path, RIGHT[case]) == []


def test_a_model_without_modules_that_act_otherwise_may_stay_in_training_mode(
    tmp_path: Path,
) -> None:
    text = "for _ in range(3):\n    train()\n    print(evaluate())\n"
    assert found(tmp_path, text, "nn.Dropout(0.0)") == []
    assert (
        found(tmp_path, f"model.rnn = nn.LSTM(2, 2)\nmodel.rnn.dropout = 0.5\n{text}", "nn.Tanh()")
        == []
    )
