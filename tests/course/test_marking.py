"""Programs are marked: right ones, wrong ones, and those that do not behave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from stepgrad.cli import main
from stepgrad.errors import ScenarioError
from stepgrad.marking import grade_program
from stepgrad.scenario import open_scenario

SCENARIO = """\
title: A neuron
inputs: {{x: 3.0, t: 1.0}}
params: {{w: 2.0, b: 0.5}}
graph:
  - z = w*x + b
  - y = tanh(z)
  - L = (y - t)**2 + w*w
backward: L
exercises:
  - {{asks: value, of: z}}
  - {{asks: program, of: {of}}}
"""

FORWARD = """\
from math import tanh

def forward(x, t, w, b):
    return (tanh(w*x + b) - t)**2 + w*w
"""

BACKWARD = """\
def backward(x, t, w, b):
    y = tanh(w*x + b)
    d = 2*(y - t)*(1 - y*y)
    return d*x + 2*w, d
"""

ENGINE = """\
from math import tanh

class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents
        self._backward = lambda: None

    def __add__(self, other):
        out = Value(self.data + other.data, (self, other))
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __sub__(self, other):
        out = Value(self.data - other.data, (self, other))
        def _backward():
            self.grad += out.grad
            other.grad -= out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other))
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out

    def __pow__(self, n):
        out = Value(self.data ** n, (self,))
        def _backward():
            self.grad += n * self.data ** (n - 1) * out.grad
        out._backward = _backward
        return out

    def tanh(self):
        t = tanh(self.data)
        out = Value(t, (self,))
        def _backward():
            self.grad += (1 - t * t) * out.grad
        out._backward = _backward
        return out

    def backward(self):
        order, seen = [], set()
        def visit(node):
            if node not in seen:
                seen.add(node)
                for each in node.parents:
                    visit(each)
                order.append(node)
        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node._backward()
"""

TRAIN = """\
from stepgrad import Value

def train():
    w = Value(1.0, "w")
    for _ in range(3):
        w.grad = 0.0
        loss = (w - 3.0) ** 2
        loss.backward()
        w.data -= 0.1 * w.grad
"""


def marked(folder: Path, of: str, program: str, seconds: float = 20) -> tuple[float, str]:
    scenario, submission = folder / "neuron.yaml", folder / "ann.py"
    scenario.write_text(SCENARIO.format(of=of))
    submission.write_text(program)
    graded = grade_program(str(submission), str(scenario), seconds)
    assert (graded.error, graded.student) == ("", "ann")
    [mark] = graded.marks
    return mark.mark, mark.said


def test_a_folder_of_three_right_and_four_wrong_submissions(tmp_path: Path) -> None:
    """As a teacher grades it, with one command for each exercise."""
    right = {
        "ann": ("backward", FORWARD + BACKWARD),
        "bob": ("[forward, backward]", FORWARD + BACKWARD),
        "cem": ("Value", ENGINE),
    }
    wrong = {
        "dan": (
            "backward",
            FORWARD + BACKWARD.replace(" + 2*w,", ","),
            "right is 4; that is only what comes back through",
        ),
        "eve": ("[forward, backward]", FORWARD.replace("- t", "+ t") + BACKWARD, "forward returns"),
        "fay": (
            "Value",
            ENGINE.replace("(1 - t * t)", "(1 - t)"),
            "the rule of y takes ∂y/∂z to be",
        ),
        "gus": (
            "Value",
            ENGINE.replace("other.grad += self", "other.grad = self"),
            "the rule of w·w writes 2 over the 2 in w.grad",
        ),
    }
    for name, (of, program, *said) in {**right, **wrong}.items():
        scenario, file = tmp_path / f"{name}.yaml", tmp_path / f"{name}.py"
        scenario.write_text(SCENARIO.format(of=of))
        file.write_text(program)
        command = ["grade", str(file), "--against", str(scenario), "--json"]
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
        [student] = json.loads(result.stdout)["students"]
        assert (student["student"], student["mark"], student["of"]) == (name, not said, 1), student
        assert all(each in student["exercises"][0]["said"] for each in said), student


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("def backward(x, t, w, b): return 1, 2, 3", "backward returns 3 gradients for 2 inputs"),
        ("import sys\nsys.exit(0)", "it ends the program before there is a result"),
        ("import os\nos._exit(0)", "it ends the program before there is a result"),
        ('print(\'{"right": true, "said": ""}\')', "ann.py has no function or class called"),
        ("backward = 3", "ann.py has no function or class called backward"),
        ("def backward(x, w):\n    return 1 / 0", "line 2: ZeroDivisionError: division by zero"),
        ("x = 1\ndef backward(:", "line 2: SyntaxError"),
        ("x = 1\ny = '\0'", "ann.py:2: contains a null byte"),
        ("def backward(x): return 1", "backward returns 1 gradient for 2 inputs"),
        ("def backward(x):\n    return [0] * 10**10", "it takes too much memory"),
        ("def backward(x):\n    return open('neuron.yaml').read()", "line 2: FileNotFoundError"),
    ],
)
def test_a_program_that_does_not_behave_gets_no_mark(
    tmp_path: Path, program: str, said: str
) -> None:
    mark, told = marked(tmp_path, "backward", program)
    assert mark == 0
    assert said in told


@pytest.mark.parametrize(
    ("of", "prompt"),
    [
        ("backward", "Write backward(x, t, w, b); backward returns dL/dw, dL/db."),
        (
            "[forward, backward]",
            "Write forward(x, t, w, b) and backward(x, t, w, b); backward returns dL/dw, dL/db.",
        ),
        ("Value", "Write the class Value."),
    ],
)
def test_the_question_says_what_to_write(of: str, prompt: str, tmp_path: Path) -> None:
    scenario, submission = tmp_path / "neuron.scenario.yaml", tmp_path / "ann.py"
    scenario.write_text(SCENARIO.format(of=of))
    submission.write_text("")
    [mark] = grade_program(str(submission), str(scenario)).marks
    assert mark.exercise == prompt


def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    hanging = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'while 1: pass'])\n"
    mark, told = marked(tmp_path, "backward", f"{hanging}while True: pass\n", seconds=3)
    assert (mark, told) == (0, "it does not end within 3 seconds")


def test_a_training_loop_is_checked(tmp_path: Path) -> None:
    assert marked(tmp_path, "train", TRAIN)[0] == 1
    mark, told = marked(tmp_path, "train", TRAIN.replace("        w.grad = 0.0\n", ""))
    assert mark == 0
    assert "gradient" in told
    assert marked(tmp_path, "train", "def train(): pass")[0] == 0


def test_a_program_needs_the_exercises_that_ask_for_it(tmp_path: Path) -> None:
    file = tmp_path / "ann.py"
    file.write_text(BACKWARD)
    alone = CliRunner().invoke(main, ["grade", str(file)])
    assert (alone.exit_code, "needs --against FILE" in alone.stderr) == (2, True)
    other = CliRunner().invoke(main, ["grade", str(file), "--against", "square"])
    assert (other.exit_code, "no exercise asks for a program" in other.stderr) == (2, True)


def test_exercises_to_start_from_are_asked_and_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    assert run(main, ["new", "--exercise", "ex.yaml"]).exit_code == 0
    assert run(main, ["check", "ex.yaml"]).exit_code == 0
    asked = run(main, ["quiz", "ex.yaml", "--answers", "-4 open"])
    assert asked.exit_code == 0, asked.output
    Path("ann.py").write_text(
        "def backward(x, target, w, b):\n"
        "    d = 2 * (w*x + b - target) * (w*x + b > 0)\n"
        "    return {'w': d * x, 'db': d}\n"
    )
    marks = run(main, ["grade", "ann.py", "--against", "ex.yaml"])
    assert marks.stdout.startswith("ann: 1 of 1"), marks.output
    assert run(main, ["new", "--exercise", "--network", "other.yaml"]).exit_code == 2


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("of: []", "takes the function or the class to write"),
        ("of: f, vary: {x: [1, 2]}", "leave out `vary`"),
        ("of: f, goal: {x: [1, 2]}", "not for `asks: program`"),
    ],
)
def test_an_exercise_that_asks_for_a_program_wrongly(
    tmp_path: Path, fields: str, message: str
) -> None:
    scenario = tmp_path / "neuron.yaml"
    text = SCENARIO.format(of="f").replace("of: f}", f"{fields}}}")
    scenario.write_text(text)
    with pytest.raises(ScenarioError, match=message):
        open_scenario(str(scenario))


def test_exercises_that_ask_for_programs_are_mentioned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "title: x\ninputs: {x: 2.0}\ngraph: [y = x**2]\nbackward: y\nexercises:\n"
    Path("ex.yaml").write_text(text + "  - {asks: program, of: backward}\n")
    told = "1 exercise asks for a program, which is marked by stepgrad grade FILE.py --against"
    said = CliRunner().invoke(main, ["quiz", "ex.yaml"])
    assert said.exit_code == 2
    assert said.stderr.startswith(f"ex.yaml: {told} ex.yaml")
    with Path("ex.yaml").open("a") as file:
        file.write("  - {asks: value, of: y}\n")
    said = CliRunner().invoke(main, ["quiz", "ex.yaml", "--answers", "4"])
    assert told in " ".join(said.stdout.split())
