"""`stepgrad why`, as a user and as a script meet it."""

import json
from pathlib import Path

import pytest

from stepgrad import Recording
from test_cli import stepgrad

PROGRAM = """\
import sys
from stepgrad import Value, scope
x = Value(float(sys.argv[1]), label="x")
with scope("a"):
    y = (x - 3).log()
    y.label = "y"
with scope("b"):
    z = x * 2
    z.label = "y"
y.backward()
print("said by the program")
sys.exit(3)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    return path


def test_a_name_asks_for_the_value_and_the_gradient() -> None:
    assert stepgrad("why", "dead_relu", "z").stdout.splitlines() == [
        "z = −1 at event 18",
        "   6  z = w·x + b = 3 + (−4) = −1",
        "   4  b is given: −4",
        "   5  w·x = 1.5·2 = 3",
        "   1  x is given: 2",
        "   3  w is given: 1.5",
        "",
        "z.grad = 0 at event 18",
        "  14  dL/dz += dL/da · ∂a/∂z = −6 · 0 (z ≤ 0) = 0: the gate is shut",
        "   6  z = w·x + b = 3 + (−4) = −1",
        "   4  b is given: −4",
        "   5  w·x = 1.5·2 = 3",
        "   1  x is given: 2",
        "   3  w is given: 1.5",
    ]


@pytest.mark.parametrize("typed", ["w·x", "w*x", "w * x", "(w·x)", "w times x"])
def test_a_node_without_a_name_is_called_by_what_it_computes(typed: str) -> None:
    assert stepgrad("why", "dead_relu", typed).stdout.startswith("w·x = 3 at event 18\n")
    gradient = stepgrad("why", "dead_relu", f"{typed}.grad").stdout
    assert gradient.startswith("(w·x).grad = 0 at event 18\n")


def test_its_gradient_alone() -> None:
    both = stepgrad("why", "dead_relu", "w").stdout
    alone = stepgrad("why", "dead_relu", "w.grad").stdout
    assert alone.startswith("w.grad = 0 at event 18\n")
    assert both.split("\n\n")[1] == alone


@pytest.mark.parametrize(
    ("where", "position"), [("9", 9), ("50%", 33), ("step 2", 37), ("u", 4), ("0", 0)]
)
def test_at_a_position(where: str, position: int) -> None:
    shown = stepgrad("why", "nan_origin", "p.grad", "--at", where).stdout
    assert shown.splitlines()[0].endswith(f" at event {position}")


def test_json() -> None:
    found = json.loads(stepgrad("why", "nan_origin", "L", "--json").stdout)
    assert (found["file"], found["position"]) == ("nan_origin", 61)
    value, gradient = found["numbers"]
    assert (value["node"], value["of"], value["number"]) == ("L", "value", "nan")
    assert gradient["of"] == "gradient"
    assert value["reasons"][3] == {
        "event": 28,
        "node": "u",
        "line": None,
        "text": "u = log(p) = log(−0.581124) = nan: a logarithm is undefined below 0",
    }


def test_a_program_has_lines_and_its_own_arguments_and_status(
    program: Path, tmp_path: Path
) -> None:
    result = stepgrad("why", "--at", "2", program, "x", "3", code=3)
    assert result.stdout.splitlines()[:2] == [
        "x = 3 at event 2", "  1  x is given: 3   [program.py:3]",
    ]  # fmt: skip
    assert "said by the program" in result.stderr
    saved = tmp_path / "saved.stepgrad"
    stepgrad("record", "-o", saved, program, "3", code=3)
    assert stepgrad("why", saved, "a/y").stdout.splitlines()[:4] == [
        "a/y = −inf at event 7",
        "  3  a/y = log(x − 3) = log(0) = −inf   [program.py:5]",
        "  2  a: x − 3 = 3 − 3 = 0: equal numbers cancel   [program.py:5]",
        "  1  x is given: 3   [program.py:3]",
    ]


def test_in_forward_mode_a_name_asks_for_the_tangent_as_well() -> None:
    shown = stepgrad("why", "dual_numbers", "a", "--at", "4").stdout
    assert [part.partition(" at ")[0] for part in shown.split("\n\n")] == [
        "a = 4", "the tangent of a = 4", "a.grad = –",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["two_layer", "los"], "no node matches `los`; did you mean `loss`?"),
        (["two_layer", "los.grad"], "no node matches `los`; did you mean `loss`?"),
        (["two_layer", "w1.gard"], "no node matches `w1.gard`; did you mean `w1.grad`?"),
        (["two_layer", ".grad"], "no node matches ``"),
        (["two_layer"], "NODE"),
        (["two_layer", "h", "--at", "999"], "no event 999"),
        (["two_layer", "h", "more"], "unexpected extra argument (more)"),
        (["xor_tanh", "h.grad"], "`h` matches"),
    ],
)
def test_what_is_not_there(arguments: list[str], words: str) -> None:
    assert words in stepgrad("why", *arguments, code=2).stderr


def test_nothing_is_recorded(tmp_path: Path) -> None:
    Recording().save(tmp_path / "empty.stepgrad")
    result = stepgrad("why", tmp_path / "empty.stepgrad", "w", code=2)
    assert "the recording is empty" in result.stderr


def test_a_gradient_has_no_gradient() -> None:
    said = stepgrad("why", "two_layer", "h.grad.grad", code=2).stderr
    assert said == "`h.grad.grad`: a gradient has no gradient of its own\n"
