"""Engines that differ only in what they call things, and in who makes their objects."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import product
from pathlib import Path

import pytest

from stepgrad.diagnosis.rules.judgement import Judgement, judgement
from stepgrad.foreign.classes import GRADIENTS, NUMBERS
from stepgrad.program import run_program

NAMES = [each for each in product(NUMBERS, GRADIENTS) if len({*each}) == 2]

CLOSURES = """
import math
TAPE = []
class V:
    def __init__(self, data, grad=0.0):
        self.data, self.grad = data, grad
    def __mul__(self, other):
        out = V(self.data * other.data)
        def rule():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        TAPE.append(rule)
        return out
    def __add__(self, other):
        out = V(self.data + other.data)
        def rule():
            self.grad += out.grad
            other.grad += out.grad
        TAPE.append(rule)
        return out
    def tanh(self):
        t = math.tanh(self.data)
        out = V(t)
        def rule():
            self.grad += (1 - t * t) * out.grad
        TAPE.append(rule)
        return out
def backward(root):
    root.grad = 1.0
    for rule in reversed(TAPE):
        rule()
"""

CHILDREN = """
import math
class V:
    def __init__(self, data, children=()):
        self.data, self.grad, self.children, self.rule = data, 0.0, children, None
    def __mul__(self, other):
        out = V(self.data * other.data, (self, other))
        def rule():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.rule = rule
        return out
    def __add__(self, other):
        out = V(self.data + other.data, (self, other))
        def rule():
            self.grad += out.grad
            other.grad += out.grad
        out.rule = rule
        return out
    def tanh(self):
        t = math.tanh(self.data)
        out = V(t, (self,))
        def rule():
            self.grad += (1 - t * t) * out.grad
        out.rule = rule
        return out
def visit(node, seen):
    if node not in seen:
        for child in node.children:
            yield from visit(child, seen)
        seen.add(node)
        yield node
def backward(root):
    root.grad = 1.0
    for node in reversed([*visit(root, set())]):
        if node.rule:
            node.rule()
"""

STORED = """
import math
class V:
    def __init__(self, data, children=(), local_grads=()):
        self.data, self.grad = data, 0.0
        self.children, self.local_grads = children, local_grads
    def __mul__(self, other):
        return V(self.data * other.data, (self, other), (other.data, self.data))
    def __add__(self, other):
        return V(self.data + other.data, (self, other), (1.0, 1.0))
    def tanh(self):
        t = math.tanh(self.data)
        return V(t, (self,), (1 - t * t,))
def visit(node, seen):
    if node not in seen:
        for child in node.children:
            yield from visit(child, seen)
        seen.add(node)
        yield node
def backward(root):
    root.grad = 1.0
    for out in reversed([*visit(root, set())]):
        for child, local in zip(out.children, out.local_grads):
            child.grad += local * out.grad
"""

HELPED = """
import math
TAPE = []
class V:
    def __init__(self, data):
        self.data, self.grad = data, 0.0
    def made(self, data, *parents):
        out = V(data)
        TAPE.append((out, parents))
        return out
    def __mul__(self, other):
        return self.made(self.data * other.data, (self, other.data), (other, self.data))
    def __add__(self, other):
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))
    def tanh(self):
        t = math.tanh(self.data)
        return self.made(t, (self, 1 - t * t))
def backward(root):
    root.grad = 1.0
    for out, parents in reversed(TAPE):
        for parent, local in parents:
            parent.grad += local * out.grad
"""

FUNCTION = """
def made(data, *parents):
    out = V(data)
    TAPE.append((out, parents))
    return out
def backward("""

ENGINES = {"closures on a tape": CLOSURES, "children": CHILDREN, "stored derivatives": STORED}


def changed(text: str, *changes: tuple[str, str]) -> str:
    """Return an engine with changes, each by a regular expression that fits somewhere."""
    for was, becomes in changes:
        text, times = re.subn(was, becomes, text, flags=re.MULTILINE)
        assert times, was
    return text


OTHERS = {
    "a method makes them": changed(
        CLOSURES,
        (r"out = V\(", "out = self.new("),
        ("(?=    def __mul__)", "    def new(self, data): return V(data)\n"),
    ),
    "a function makes them": changed(
        CLOSURES, (r"out = V\(", "out = new("), ("def back", "def new(x): return V(x)\ndef back")
    ),
    "a method puts them on the tape": HELPED,
    "a function puts them on the tape": changed(
        HELPED, (r"self\.made", "made"), (r"\ndef backward\(", FUNCTION)
    ),
    "a dict of derivatives": changed(
        HELPED,
        (r"\*parents", "parents"),
        (r"(?<= )\((self|other), ([^()]+)\)", r"\1: \2"),
        (r", (self: .*)\)", r", {\1})"),
        ("in parents:", "in parents.items():"),
    ),
    "rules are given": changed(
        HELPED,
        (r"\*parents", "parents"),
        (r", (\(self, [^()]+\).*)\)", r", lambda: [\1])"),
        ("in parents:", "in parents():"),
    ),
    "the tape is given": changed(
        CLOSURES,
        (r"data, grad=0.0", "tape, data"),
        (r"data, grad$", "data, 0.0; self.tape = tape"),
        (r"out = V\(", "out = V(self.tape, "),
        (r"TAPE\.a", "self.tape.a"),
    ),
    "the name of the operation is given": changed(
        CLOSURES,
        (r"data, grad=0.0", "data, op=''"),
        (r"data, grad$", "data, 0.0; self.op = op"),
        (r"(out = V\(.*)\)", r"\1, 'f')"),
    ),
}  # fmt: skip
"""Engines in which something else makes the objects, or is given to them."""

USE = """
x, y = V(3.0), V(-2.0)
z = x * y + x
loss = z.tanh() * z + x * z
backward(loss)
print(x.grad, y.grad)
"""


def judged(text: str, folder: Path) -> Judgement:
    path = folder / "engine.py"
    path.write_text(text, "utf-8")
    found = judgement(run_program(str(path)).recording)
    assert found is not None
    return found


def program(engine: str, data: str, grad: str) -> str:
    """Return an engine with other names for its attributes, and a program that uses it."""
    use = USE.replace("V(", "V(TAPE, ") if "tape, data" in engine else USE
    text = re.sub(r"\bgrad=0\.0", f"{grad}=0.0", engine + use)
    text = re.sub(r"= data, grad$", f"= data, {grad}", text, flags=re.MULTILINE)
    return re.sub(r"\.grad\b", f".{grad}", re.sub(r"\.data\b", f".{data}", text))


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


def is_right(text: str, folder: Path) -> None:
    found = judged(text, folder)
    assert (*found.faults, *found.hidden) == ()
    assert found.writes == 11


def shows_its_mistake(text: str, folder: Path) -> None:
    assert text.count("1 - t * t") == 1
    text = text.replace("1 - t * t", "1 - t")
    found = judged(text, folder)
    assert found.faults[0].kind == "local derivative"
    place = found.faults[0].place
    assert place is not None
    assert place.line == line_of(text, "1 - t")


def test_the_names_of_the_page_are_among_them() -> None:
    page = " ".join((files("stepgrad.pages") / "engine.md").read_text("utf-8").split())
    found = re.search(r"its number \((.*?)\), and one for its gradient \((.*?)\)", page)
    assert found is not None
    for listed, names in zip(found.groups(), (NUMBERS, GRADIENTS), strict=True):
        assert {*re.findall(r"`(\w+)`", listed)} <= {*names}
        assert len(listed) > 20


@pytest.mark.parametrize(("data", "grad"), NAMES)
@pytest.mark.parametrize("engine", ENGINES)
def test_every_name_is_as_good_as_any(
    engine: str, data: str, grad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = program(ENGINES[engine], data, grad)
    is_right(text, tmp_path)
    shows_its_mistake(text, tmp_path)
    assert capsys.readouterr().out


@pytest.mark.parametrize(("data", "grad"), [("data", "grad"), ("val", "adj")])
@pytest.mark.parametrize("engine", OTHERS)
def test_who_makes_the_objects_does_not_matter(
    engine: str, data: str, grad: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = program(OTHERS[engine], data, grad)
    is_right(text, tmp_path)
    shows_its_mistake(text, tmp_path)
    assert capsys.readouterr().out
