"""Bugs that people have in PyTorch programs: each is named, at its line, and a near miss is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")

from stepgrad.diagnosis import diagnose
from stepgrad.diagnosis.verdict import Verdict
from stepgrad.program import run_program
from stepgrad.recording.recording import Recording
from stepgrad.replay.telling.titles import title

PROGRAM = """
import torch
from torch import nn

torch.manual_seed(0)
encoder, decoder = nn.Linear(3, 2), nn.Linear(2, 3)
both = [*encoder.parameters(), *decoder.parameters()]
optimizer = torch.optim.SGD(both, lr=0.05)
x = torch.tensor([[1.0, -0.5, 0.25], [0.5, 1.0, -1.0]])
for step in range(12):
    code = torch.tanh(encoder(x))
    offset = decoder(code) - x
    loss = (offset**2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

BUGS = {
    "detached": ("tanh(encoder(x))", "tanh(encoder(x)).detach()", "unreached", "code"),
    "never cleared": ("    optimizer.zero_grad()\n", "", "not_cleared", "optimizer.step()"),
    "an old model": (
        "x = torch.tensor",
        "encoder, decoder = nn.Linear(3, 2), nn.Linear(2, 3)\nx = torch.tensor",
        "pytorch",
        "optimizer.step()",
    ),
    "a layer that is replaced": (
        "x = torch.tensor",
        "decoder = nn.Linear(2, 3)\nx = torch.tensor",
        "pytorch",
        "optimizer.step()",
    ),
    "cleared too soon": (
        "    optimizer.zero_grad()\n    loss.backward()\n",
        "    loss.backward()\n    optimizer.zero_grad()\n",
        "pytorch",
        "optimizer.step()",
    ),
    "never stepped": ("    optimizer.step()\n", "", "pytorch", "optimizer.zero_grad()"),
    "a loss that is made again": (
        "    loss.backward()",
        "    loss = torch.tensor(loss.item(), requires_grad=True)\n    loss.backward()",
        "unreached",
        "loss =",
    ),
    "a root at 0": (
        "(offset**2).mean()",
        "((offset * 0) ** 2).sum(dim=1).sqrt().mean()",
        "non_finite",
        "loss =",
    ),
    "a reversed sign": ("(offset**2).mean()", "-(offset**2).mean()", "uphill", "loss ="),
    "a dead relu": (
        "torch.tanh(encoder(x))",
        "torch.relu(encoder(x) - 9)",
        "dead",
        "code =",
    ),
}


def diagnosed(folder: Path, text: str) -> tuple[Recording, Sequence[Verdict]]:
    path = folder / "train.py"
    path.write_text(dedent(text))
    recording = run_program(str(path)).recording
    return recording, [each for each in diagnose(recording) if not each.note]


def test_the_program_without_a_bug_gets_no_verdict(tmp_path: Path) -> None:
    _, verdicts = diagnosed(tmp_path, PROGRAM)
    assert verdicts == []


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_named_at_its_line(bug: str, tmp_path: Path) -> None:
    right, wrong, name, line = BUGS[bug]
    assert right in PROGRAM
    text = PROGRAM.replace(right, wrong, 1)
    recording, verdicts = diagnosed(tmp_path, text)
    [found] = verdicts
    assert found.name == name
    lines = text.splitlines()
    blamed = [lines[int(each.rpartition(":")[2]) - 1] for each in found.lines(recording)]
    assert any(line in each for each in blamed), blamed


DESCENT = """
import torch
from torch import nn
from torch.nn.functional import *

torch.manual_seed(0)
x, y, z = torch.randn(6, 3), torch.tensor([0, 1, 2, 0, 1, 2]), torch.randn(6, 3)
model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
for step in range(6):
    out = model(x)
    loss = LOSS
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

LOSSES = [
    "cross_entropy(out, y)",
    "cross_entropy(out, y, label_smoothing=0.1)",
    "nll_loss(out.log_softmax(1), y)",
    "mse_loss(out, z)",
    "l1_loss(out, z)",
    "binary_cross_entropy(out.sigmoid(), z.sigmoid())",
    "binary_cross_entropy_with_logits(out, (z > 0).float())",
    "((out - z) ** 2).mean().sqrt()",
]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_of_pytorch_with_a_reversed_sign_is_found(loss: str, tmp_path: Path) -> None:
    _, verdicts = diagnosed(tmp_path, DESCENT.replace("LOSS", f"-{loss}"))
    assert [each.name for each in verdicts] == ["uphill"]
    _, verdicts = diagnosed(tmp_path, DESCENT.replace("LOSS", loss))
    assert verdicts == []


def test_what_is_maximised_on_purpose_gets_no_verdict(tmp_path: Path) -> None:
    text = DESCENT.replace("LOSS", "cross_entropy(out, y)")
    text = text.replace("lr=0.05", "lr=0.05, maximize=True")
    assert diagnosed(tmp_path, text)[1] == []


ATTACK = """
import torch
from torch import nn
from torch.nn.functional import cross_entropy

torch.manual_seed(0)
x, y = torch.randn(2, 3), torch.tensor([0, 1])
model = nn.Linear(3, 3)FROZEN
delta = torch.zeros(2, 3, requires_grad=True)
for step in range(6):
    delta.grad = None
    loss = SIGNcross_entropy(model(x + delta), y)
    loss.backward()
    with torch.no_grad():
        delta.sub_(SIGN0.1 * delta.grad.sign())
"""


@pytest.mark.parametrize("sign", ["-", ""])
@pytest.mark.parametrize("frozen", ["", ".requires_grad_(False)"])
def test_an_input_that_is_sought_may_go_uphill(frozen: str, sign: str, tmp_path: Path) -> None:
    text = ATTACK.replace("FROZEN", frozen)
    text = text.replace("SIGNcross", f"{sign}cross").replace("SIGN", "" if sign else "-")
    assert diagnosed(tmp_path, text)[1] == []


def test_a_loss_that_is_made_again_is_a_copy(tmp_path: Path) -> None:
    again = "    loss = torch.tensor(loss.item(), requires_grad=True)\n    loss.backward()"
    _, [found] = diagnosed(tmp_path, PROGRAM.replace("    loss.backward()", again))
    assert "copies loss₁ = " in found.text
    assert "`.item()`" in found.advice


CUTS = {
    "torch.stack(losses).mean()": "",
    "torch.tensor(losses, requires_grad=True).mean()": "copies",
    "torch.tensor([each.item() for each in losses], requires_grad=True).mean()": "copies",
    "offset.argmax(1).float().requires_grad_().mean()": "leads back to 2 numbers",
}


@pytest.mark.parametrize("again", CUTS)
@pytest.mark.filterwarnings("ignore:Converting a tensor")
def test_what_cuts_a_graph_is_told_at_its_line(again: str, tmp_path: Path) -> None:
    text = PROGRAM.replace("(offset**2).mean()", again)
    losses = "losses = [nn.functional.cross_entropy(row, row.argmin()) for row in offset]"
    text = text.replace("    loss =", f"    {losses}\n    loss =")
    recording, verdicts = diagnosed(tmp_path, text)
    assert bool(verdicts) == bool(CUTS[again])
    for found in verdicts:
        assert found.name == "unreached"
        assert CUTS[again] in found.text
        line = 1 + text.splitlines().index(f"    loss = {again}")
        cut = recording.node(found.nodes[-1])
        assert recording.history.made_at(cut.index) == found.events[0]
        assert cut.place.line == line
        assert f"train.py:{line}" in found.lines(recording)


def notes_on_holders(folder: Path, text: str) -> Sequence[str]:
    path = folder / "train.py"
    path.write_text(text)
    found = diagnose(run_program(str(path)).recording)
    return [each.text for each in found if each.note and "no optimizer holds" in each.text]


def test_parameters_that_no_optimizer_holds_are_noted(tmp_path: Path) -> None:
    text = PROGRAM.replace("SGD(both", "SGD(decoder.parameters()")
    assert notes_on_holders(tmp_path, text) == [
        "gradients come to encoder.weight and encoder.bias, which no optimizer holds and nothing "
        "updates"
    ]


@pytest.mark.parametrize(
    ("right", "other"),
    [
        ("", ""),
        ("SGD(both", "SGD(decoder.parameters()"),  # and the others by hand
        ("x = ", "x = torch.ones(2, 3, requires_grad=True) * "),
    ],
)
def test_parameters_that_are_updated_and_inputs_are_not_noted(
    right: str, other: str, tmp_path: Path
) -> None:
    by_hand = """    with torch.no_grad():
        for each in encoder.parameters():
            each -= 0.01 * each.grad
"""
    text = PROGRAM.replace(right, other, 1) + (by_hand if "decoder.p" in other else "")
    assert notes_on_holders(tmp_path, text) == []


def test_an_optimizer_that_only_clears_while_parameters_are_updated_by_hand_is_fine(
    tmp_path: Path,
) -> None:
    by_hand = "with torch.no_grad(): [each.sub_(0.05 * each.grad) for each in both]"
    assert diagnosed(tmp_path, PROGRAM.replace("optimizer.step()", by_hand))[1] == []


def notes(folder: Path, text: str) -> Sequence[str]:
    path = folder / "train.py"
    path.write_text(text)
    return [each.text for each in diagnose(run_program(str(path)).recording) if each.note]


def test_parameters_that_are_frozen_but_held_are_noted(tmp_path: Path) -> None:
    frozen = "encoder.requires_grad_(False)\nx = "
    said = (
        "requires_grad is False for encoder.weight and encoder.bias, which the optimizer holds: "
        "none learns"
    )
    assert said in notes(tmp_path, PROGRAM.replace("x = ", frozen, 1))
    others = PROGRAM.replace("SGD(both", "SGD(decoder.parameters()")
    assert said not in notes(tmp_path, others.replace("x = ", frozen, 1))


def test_parameters_that_are_unfrozen_later_are_not_noted(tmp_path: Path) -> None:
    text = PROGRAM.replace("x = ", "encoder.requires_grad_(False)\nx = ", 1)
    step = "    optimizer.step()\n"
    assert step in text
    said = [each for each in notes(tmp_path, text) if "requires_grad" in each]
    assert len(said) == 1
    all_learn = text.replace(step, step + "    encoder.requires_grad_(True)\n")
    assert not [each for each in notes(tmp_path, all_learn) if "requires_grad" in each]
    one_learns = text.replace(step, step + "    encoder.bias.requires_grad_(True)\n")
    assert [each for each in notes(tmp_path, one_learns) if "requires_grad" in each] == [
        "requires_grad is False for encoder.weight, which the optimizer holds: it does not learn"
    ]
    frozen_later = PROGRAM.replace(step, step + "    encoder.requires_grad_(False)\n")
    assert not [each for each in notes(tmp_path, frozen_later) if "requires_grad" in each]


QUIET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(2, 2), nn.Linear(2, 1)
    def forward(self, x):
        with torch.no_grad():
            h = torch.tanh(self.first(x))
        return self.last(h)

torch.manual_seed(0)
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(3):
    loss = (model(torch.tensor([[1.0, 0.5]])) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with torch.no_grad():
    model(torch.ones(1, 2))
"""


def test_parameters_that_are_used_only_where_gradients_are_off_are_noted(tmp_path: Path) -> None:
    said = "are used only where gradients are off (train.py:11), so they receive no gradient"
    [found] = [each for each in notes(tmp_path, QUIET) if each.endswith(said)]
    assert "first.weight" in found
    assert "first.bias" in found
    right = QUIET.replace("        with torch.no_grad():\n    ", "")
    assert not any("gradients are off" in each for each in notes(tmp_path, right))


def test_parameters_that_an_optimizer_holds_in_vain_are_noted(tmp_path: Path) -> None:
    said = "no gradient comes to encoder.weight and encoder.bias in any of 12 steps"
    unused = PROGRAM.replace("tanh(encoder(x))", "tanh(x[:, :2])")
    assert any(each.startswith(said) for each in notes(tmp_path, unused))
    off = PROGRAM.replace("    code =", "    with torch.no_grad(): code =")
    [found] = [each for each in notes(tmp_path, off) if each.startswith(said)]
    assert found.endswith("gradients are off where they are used")
    for text in (PROGRAM, unused.replace("SGD(both", "SGD(decoder.parameters()")):
        assert not any("no gradient comes" in each for each in notes(tmp_path, text))


CLASSES = """
import torch
from torch.nn import functional as F

torch.manual_seed(0)
model = torch.nn.Linear(3, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
x = torch.tensor([[1.0, -0.5, 0.25], [0.5, 1.0, -1.0], [0.0, 0.5, 1.0]])
y = torch.tensor([0, 1, 2])
truth = torch.eye(3)
for step in range(3):
    logits = model(x)
    loss = {}
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

MISGIVEN = {
    "F.cross_entropy(logits.softmax(-1), y)": "no probability gets above 0.576",
    "F.cross_entropy(logits.softmax(1).view(3, 3), truth)": "no probability gets above 0.576",
    "F.cross_entropy(logits.softmax(1).T[None], y[None]) + logits.mean()": "above 0.576",
    "F.binary_cross_entropy_with_logits(torch.sigmoid(logits), truth)": "below 0.5 or above 0.731",
    "F.nll_loss(logits.softmax(1), y)": "gets the probabilities of a softmax",
    "F.nll_loss(logits.log_softmax(-2), y)": "the log-softmax that it gets is over dim 0",
    "F.nll_loss(logits, y)": "and gets numbers above 0, such as 0.",
    "F.nll_loss(logits.sigmoid() * 0.1 + 0.3, y, reduction='sum')": "such as 0.3",
}

WELL_GIVEN = [
    "F.cross_entropy(logits, y)",
    "F.cross_entropy(logits.log_softmax(1), y)",  # which is its own log-softmax
    "F.cross_entropy(logits.T[None], y[None])",
    "F.nll_loss(logits.log_softmax(-1), y)",
    "F.nll_loss(logits.log_softmax(0).T, y)",
    "F.nll_loss(logits.softmax(1).log(), y)",
    "F.nll_loss(logits - logits.logsumexp(1, keepdim=True), y)",
    "F.nll_loss(logits, y, reduction='none').square().mean()",  # a way to pick numbers
    "F.binary_cross_entropy_with_logits(logits, truth)",
    "F.binary_cross_entropy(torch.sigmoid(logits), truth)",
    "(logits.softmax(1) * F.cross_entropy(logits, y, reduction='none')).sum()",
]


SHAPES = """
import torch
from torch.nn import functional as F

torch.manual_seed(0)
model, x = torch.nn.Linear(3, 1), torch.randn(6, 3)
row, column = torch.randn(6), torch.randn(6, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for step in range(4):
    p = model(x)
    q = p.squeeze(1)
    loss = {}
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""

CROSSED = [
    "((p - row) ** 2).mean()",
    "(row - p).pow(2).sum() / 6",
    "(q - column).abs().mean()",
    "(p.view(-1) - column).square().sum() / 36",
    "F.mse_loss(p, row)",
]

PAIRED = [
    "((p - column) ** 2).mean()",
    "((q - row) ** 2).mean()",
    "((q.unsqueeze(1) - row) ** 2).mean()",  # all pairs, on purpose
    "((q - row[:, None]) ** 2).mean()",
    "((p - q) ** 2).mean() + p.mean() ** 2",
    "torch.exp(-((p - row) ** 2)).mean()",  # a kernel
    "((p - row) ** 2).mean(1).max()",
    "((p[:1] - row) ** 2).mean()",
]


@pytest.mark.parametrize("loss", CROSSED)
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_a_loss_over_each_prediction_with_each_target_is_named(loss: str, tmp_path: Path) -> None:
    recording, [found] = diagnosed(tmp_path, SHAPES.format(loss))
    assert "broadcast to 6 × 6" in found.text
    assert not found.wrong
    [line] = found.lines(recording)
    assert line.endswith("train.py:12")
    event = recording.events[found.events[0] - 1]
    assert event.phase == "forward"
    assert event.focus is not None
    assert recording.node(event.focus).place.line == 12


@pytest.mark.parametrize("loss", PAIRED)
def test_pairs_that_are_meant_are_not(loss: str, tmp_path: Path) -> None:
    _, found = diagnosed(tmp_path, SHAPES.format(loss))
    assert not any("broadcast to" in each.text for each in found)


@pytest.mark.parametrize("loss", MISGIVEN)
def test_a_loss_that_is_not_given_what_it_takes_is_named(loss: str, tmp_path: Path) -> None:
    recording, [found] = diagnosed(tmp_path, CLASSES.format(loss))
    assert MISGIVEN[loss] in found.text
    assert not found.wrong
    [line] = found.lines(recording)
    assert line.endswith("train.py:13")
    [node] = found.nodes
    assert list(found.events) == [recording.history.made_at(node)]  # the loss itself


def test_a_gradient_that_differs_is_shown_where_it_arrives(tmp_path: Path) -> None:
    written = "    code.detach().numpy()[0, 0] = 0.5\n    loss.backward()"
    text = PROGRAM.replace("    loss.backward()", written)
    recording, [found, *_] = diagnosed(tmp_path, text)
    [node] = found.nodes
    event = recording.events[found.events[0] - 1]
    assert (event.phase, event.focus) == ("backward", node)


@pytest.mark.parametrize("loss", WELL_GIVEN)
def test_a_loss_that_is_given_what_it_takes_is_not(loss: str, tmp_path: Path) -> None:
    assert diagnosed(tmp_path, CLASSES.format(loss))[1] == []


BATCHES = """
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
with torch.no_grad():
    model[0].bias[{dead}] = -20.0
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for step in range({steps}):
    x = torch.randn({rows}, 3)
    loss = ((model(x) - x.sum(1, keepdim=True)) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_units_that_are_shut_in_many_batches_are_dead_although_no_row_comes_again(
    tmp_path: Path,
) -> None:
    text = BATCHES.format(dead="1:", steps=12, rows=8)
    recording, [verdict] = diagnosed(tmp_path, text)
    assert verdict.name == "dead"
    assert "exactly 0 in all 12 passes: every path is shut, in all batches" in verdict.text
    assert {title(recording, each) for each in verdict.nodes} >= {"0.bias[1]"}


def test_a_single_unit_that_is_shut_in_many_batches_is_a_note(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(BATCHES.format(dead="1", steps=12, rows=8))
    [note] = [each for each in diagnose(run_program(str(path)).recording) if each.name == "dead"]
    assert note.note


@pytest.mark.parametrize(("steps", "rows"), [(12, 4), (9, 8)])
def test_a_few_rows_do_not_say_that_a_unit_is_dead(steps: int, rows: int, tmp_path: Path) -> None:
    text = BATCHES.format(dead="1:", steps=steps, rows=rows)
    assert diagnosed(tmp_path, text)[1] == []


WAITING = """
import torch
from torch import nn

torch.manual_seed(0)
first, second = nn.Linear(2, 1), nn.Linear(2, 1)
optimizers = [torch.optim.SGD(each.parameters(), lr=0.1) for each in (first, second)]
x = torch.tensor([[1.0, -0.5], [0.5, 1.0]])
for step in range(4):
    loss = (first(x) ** 2).mean()
    if {turn}:
        loss = loss + (second(x) ** 2).mean()
    for each in optimizers:
        each.zero_grad()
    loss.backward()
    for each in optimizers:
        each.step()
"""


@pytest.mark.parametrize("turn", ["step >= 2", "step < 2", "step == 1"])
def test_an_optimizer_that_waits_for_its_turn_is_none_of_an_old_model(
    turn: str, tmp_path: Path
) -> None:
    _, verdicts = diagnosed(tmp_path, WAITING.format(turn=turn))
    assert [each.name for each in verdicts if each.name == "pytorch"] == []


def test_an_optimizer_whose_turn_never_comes_is_named(tmp_path: Path) -> None:
    recording, verdicts = diagnosed(tmp_path, WAITING.format(turn="False"))
    (found,) = [each for each in verdicts if each.name == "pytorch"]
    assert "no gradient has come to its 2 tensors" in found.text
    assert found.lines(recording) == ["train.py:17"]
