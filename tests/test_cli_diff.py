"""`stepgrad diff` and `--bug`, as a user and as a CI system meet them."""

import json
from pathlib import Path
from typing import Any

import pytest

from stepgrad.engine.world import BUGS
from test_cli import stepgrad

TRAIN = """\
from stepgrad import SGD, Value

w = Value(1.0, label="w")
sgd = SGD([w], 0.1)
for _ in range(3):
    sgd.zero_grad()
    h = w.relu()
    h.label = "h"
    loss = h * h
    loss.backward()
    sgd.step()
print("trained")
"""


@pytest.fixture
def train(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(TRAIN)
    return path


def compared(*arguments: str | Path, code: int = 1) -> Any:
    return json.loads(stepgrad("diff", *arguments, "--json", code=code).stdout)


def test_two_that_are_the_same() -> None:
    assert stepgrad("diff", "two_layer", "two_layer").stdout.splitlines()[-1] == (
        "the same, in all 26 events"
    )
    assert compared("two_layer", "two_layer", code=0) == {
        "same": True, "files": ["two_layer", "two_layer"], "bugs": ["", ""], "parting": None,
        "step": None, "positions": [26, 26], "differences": [], "only": [[], []],
    }  # fmt: skip


def test_what_overwriting_does() -> None:
    assert stepgrad("diff", "sum_over_paths", "--bug", "overwrite", code=1).stdout == (
        "A sum_over_paths: 13 events, 9 nodes, 1 backward pass\n"
        "B sum_over_paths: 13 events, 9 nodes, 1 backward pass; bug: overwrite\n"
        "\n"
        "they first differ at event 13 (another number): dL/dh is 15 in A and 12 in B: in\n"
        "B, a contribution replaces what was there\n"
        "  A  dL/dh += dL/dz1 · ∂z1/∂h = 6 · 2 = 12   "
        "[h.grad 3 → 15, contribution 2 of 2]  (sum_over_paths.yaml:16)\n"
        "  B  dL/dh = dL/dz1 · ∂z1/∂h = 6 · 2 = 12   "
        "[h.grad 3 → 12, contribution 2 of 2]  (sum_over_paths.yaml:16)\n"
        "  dL/dz1 = 6\n"
        "  ∂z1/∂h = 2\n"
        "  dL/dh before = 3\n"
        "\n"
        "at the end, 1 name differs:\n"
        "     value A → B  gradient A → B\n"
        "  h  1.5          15 → 12\n"
    )


def test_json_says_where_and_why_with_the_line(train: Path) -> None:
    found = compared(train, "--bug", "shut=h")
    assert found["bugs"] == ["", "shut h"]
    parting = found["parting"]
    assert (parting["event"], parting["reason"]) == (8, "number")
    assert parting["text"] == "∂h/∂w is 1 in A and 0 in B"
    assert parting["operands"][1] == {"name": "∂h/∂w", "numbers": [1.0, 0.0]}
    assert parting["lines"] == ["train.py:7", "train.py:7"]
    assert [row["name"] for row in found["differences"]] == ["w", "h", "loss"]
    assert found["differences"][0]["gradients"] == pytest.approx([1.28, 0.0])
    assert (found["step"], found["positions"]) == (2, [25, 25])


def test_what_cannot_be_opened_is_2(tmp_path: Path) -> None:
    for missing in (("nothing.yaml", "two_layer"), ("two_layer", tmp_path / "no.stepgrad")):
        assert "no " in stepgrad("diff", *missing, code=2).stderr
    empty = tmp_path / "empty.py"
    empty.write_text("")
    assert "nothing was recorded" in stepgrad("diff", empty, "two_layer", code=2).stderr
    assert "`x` is not a bug" in stepgrad("diff", "two_layer", "--bug", "x", code=2).stderr
    assert (
        "no gate is called `g`; use `relu` or `h`"
        in stepgrad("diff", "two_layer", "--bug", "shut=g", code=2).stderr
    )


def test_what_a_program_prints_is_not_in_the_way(train: Path) -> None:
    result = stepgrad("diff", train, train)
    assert "trained" not in result.stdout
    assert result.stderr.count("trained") == 2


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug not in ("open", "overwrite")])
def test_a_saved_recording_keeps_its_bug(bug: str, train: Path, tmp_path: Path) -> None:
    which = {"shut": "shut relu", "skip_update": "skip_update 2"}.get(bug, bug)
    saved = tmp_path / "bug.stepgrad"
    summary = stepgrad("record", "--bug", which, "-o", saved, train).stderr
    assert f"bug: {which}" in summary
    found = compared(train, saved)
    assert found["bugs"] == ["", which]
    assert found["same"] is False
    assert compared(saved, saved, code=0)["same"]
    assert "keeps its world" in stepgrad("diff", saved, "--bug", "overwrite", code=2).stderr
    report = stepgrad("check", saved, code=1).stdout
    assert "FAILED" in report
    assert f"recorded in a world with a bug: {which}" in report


def test_replay_in_a_world_shows_what_it_changes() -> None:
    keys = ["--bug", "wrong_order", "--keys", "G D"]
    told = stepgrad("replay", "two_layer", *keys).stdout
    assert "h       1.5             −8 → 0" in told
    found = json.loads(stepgrad("replay", "two_layer", "--bug", "shut h", "--json").stdout)
    assert found["bug"] == "shut h"
    assert found["grads"]["w1"] == 0
    assert "bug: shut h" in stepgrad("replay", "two_layer", "--bug", "shut h", "--at", "9").stdout


def test_run_without_a_terminal_says_in_which_world_a_program_ran(train: Path) -> None:
    assert "bug: no_zero_grad" in stepgrad("run", "--bug", "no_zero_grad", train).stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--bug", "skip_update=4", "first_descent"), "update 4: first_descent has 3 updates"),
        (("--bug", "skip_update=1", "two_layer"), "two_layer has no updates"),
        (("--bug", "shut=h", "--bug", "open=h", "relu_gate"), "a world has one bug, not 2"),
    ],
)
def test_a_bug_that_would_change_nothing_is_refused(options: tuple[str, ...], said: str) -> None:
    assert said in stepgrad("replay", *options, code=2).stderr
