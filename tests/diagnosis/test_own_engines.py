"""Engines that people write: right ones are not blamed, in the others the line is named."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent, indent

import pytest

from diagnosing import recorded, verdicts
from mistakes import FOREIGN, MISTAKES, Mistake
from stepgrad.checking.result import judge
from stepgrad.diagnosis.rules.judgement import judgement

HEALTHY = sorted((FOREIGN / "healthy").glob("*.py"))
MISUSED = {"gradients_kept": "not_cleared"}
"""Engines that are right and used wrongly, with the verdict on that."""


@pytest.mark.parametrize("path", HEALTHY, ids=lambda path: path.stem)
def test_an_engine_that_is_right_is_not_blamed(path: Path) -> None:
    recording = recorded(path)
    assert "engine" not in [each.name for each in verdicts(recording)]
    assert not judge(path.name, recording).failed
    found = judgement(recording)
    if found is not None and found.passes:
        assert re.match(r"\d+ gradient writes in \d+ backward pass(es)? agree", found.agrees)


@pytest.mark.parametrize("name", ["dict_sums", "pull", "local_sums"])
def test_gradients_that_are_written_once_are_in_the_recording_once(name: str) -> None:
    recording = recorded(FOREIGN / "healthy" / f"{name}.py")
    assert not verdicts(recording)


SEVERAL = {
    "rows": """
        for x in (1.0 + step, 0.5):
            h = (w * Value(x) + b).tanh()
            (h * h * 3.0 + h * w).backward()
        """,
    "losses": "one.backward(); other.backward()",
    "losses, one kept": """
        one.backward()
        kept = w.grad, b.grad
        w.grad = b.grad = 0.0
        other.backward()
        w.grad, b.grad = w.grad + kept[0], b.grad + kept[1]
        """,
    "roots": "one.backward(other)",
}


@pytest.mark.parametrize("sign", ["=", "+="])
@pytest.mark.parametrize("passes", SEVERAL)
def test_several_passes_of_an_engine_that_sums_in_a_dict_are_not_blamed(
    sign: str, passes: str, tmp_path: Path
) -> None:
    engine, loop = (FOREIGN / "healthy" / "dict_sums.py").read_text().split("w, b = ")
    engine = engine.replace("def backward(self):", "def backward(self, *others):")
    engine = engine.replace("build(self)", "[build(root) for root in (self, *others)]")
    engine = engine.replace(
        "grads[id(self)] = 1.0", "grads |= {id(root): 1.0 for root in (self, *others)}"
    )
    loop = loop.replace("    loss = ", "    one = ").replace("loss.data", "one.data")
    loop = loop.replace(
        "    loss.backward()\n",
        "    other = h * w + b * b\n" + indent(dedent(SEVERAL[passes]), "    ") + "\n",
    )
    path = tmp_path / "mine.py"
    path.write_text(f"{engine.replace('v.grad = grads', f'v.grad {sign} grads')}w, b = {loop}")
    assert [each.text for each in verdicts(recorded(path))] == []


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=lambda mistake: mistake.name)
def test_the_first_complaint_is_the_mistake(mistake: Mistake, tmp_path: Path) -> None:
    path = mistake.planted(tmp_path)
    recording = recorded(path)
    first, *_ = verdicts(recording)
    assert first.name == MISUSED.get(mistake.name, "engine")
    assert f"{path.name}:{mistake.line}" in first.lines(recording)
    if mistake.name not in MISUSED:
        found = judgement(recording)
        assert found is not None
        assert found.faults[0].kind == mistake.kind
        assert judge(path.name, recording).failed


MINUS_ONE = """
import math

class V:
    def __init__(self, data, kids=()):
        self.data, self.grad, self._prev, self._backward = data, 0.0, kids, None
    def __neg__(self):
        out = V(-self.data, (self,))
        def _backward():
            self.grad += -out.grad
        out._backward = _backward
        return out
    def __mul__(self, other):
        return V(self.data * other.data, (self, other))
    def tanh(self):
        out = V(math.tanh(self.data), (self,))
        def _backward():
            g = out.grad
            LINE
        out._backward = _backward
        return out

x = V(0.5)
y = x.tanh()
z = -y
z.grad = 1.0
z._backward()
y._backward()
"""


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("self.grad += 1 - out.data ** 2", "upstream missing"),
        ("self.grad += -(1 - out.data ** 2) * out.grad", "sign"),
        ("self.grad += -(1 - out.data ** 2) * g", "sign"),
    ],
)
def test_where_minus_one_arrives_the_line_tells_whether_it_is_multiplied_by(
    tmp_path: Path, line: str, kind: str
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(MINUS_ONE.replace("LINE", line))
    found = judgement(recorded(path))
    assert found is not None
    assert [each.kind for each in found.faults] == [kind]


POWER = """
class V:
    def __init__(self, data, kids=()):
        self.data, self.grad, self._prev, self._backward = data, 0.0, kids, None
    def __mul__(self, other):
        out = V(self.data * other.data, (self, other))
        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out
    def __pow__(self, n):
        out = V(self.data**n, (self,))
        def _backward():
            self.grad += LOCAL * out.grad
        out._backward = _backward
        return out

x = V(3.0)
y = x**2
z = y * x
z.grad = 1.0
z._backward()
y._backward()
"""


@pytest.mark.parametrize("local", ["n * self.data**n", "(n - 1) * self.data ** (n - 1)"])
def test_a_coincidence_of_numbers_is_no_cause_that_the_line_rules_out(
    tmp_path: Path, local: str
) -> None:
    """18 · 3 is also 6 · 9, with the value of the result; 3 · 3 more makes what `=` would leave."""
    path = tmp_path / "mine.py"
    path.write_text(POWER.replace("LOCAL", local))
    found = judgement(recorded(path))
    assert found is not None
    (fault,) = found.faults
    assert fault.kind == "local derivative"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("", ["h has children but no rule, neither `local_grads` nor `_backward`: x.grad receives "
              "nothing from it"]),
        ("h._backward = lambda: setattr(x, 'grad', x.grad + 0.5 * h.grad)", []),
    ],
)  # fmt: skip
def test_a_value_with_children_and_no_rule_is_named(
    tmp_path: Path, rule: str, said: list[str]
) -> None:
    path = tmp_path / "ours.py"
    path.write_text(
        f"from stepgrad import Value\nx = Value(2.0)\nh = Value(1.0, (x,), 'half')\n{rule}\n"
        "(h * 3).backward()\n"
    )
    found = [each for each in verdicts(recorded(path)) if each.name == "engine"]
    assert [each.text for each in found] == said
    assert not any(each.wrong for each in found)


@pytest.mark.parametrize(
    ("parameter", "seed", "call"),
    [
        ("gradient=1.0", "gradient", "g.backward(gradient=0.5)"),
        ("gradient=1.0", "gradient", "g.backward(0.5)"),
        ("gradient=2.0", "gradient", "g.backward(2.0)"),
        ("gradient=2.0", "gradient", "g.backward(*[2.0])"),
        ("count=4", "1 / count", "g.backward()"),
    ],
)
def test_a_pass_that_begins_with_what_was_asked_for_is_not_blamed(
    tmp_path: Path, parameter: str, seed: str, call: str
) -> None:
    path = tmp_path / "mine.py"
    text = (FOREIGN / "healthy" / "closures.py").read_text()
    text = text.replace("def backward(self)", f"def backward(self, {parameter})")
    text = text.replace("self.grad = 1.0", f"self.grad = {seed}").replace("g.backward()", call)
    path.write_text(text)
    found = judgement(recorded(path))
    assert found is not None
    assert found.passes
    assert not found.faults


KEPT = """
class V:
    def __init__(self, data, kids=(), local=()):
        self.data, self.grad, self._prev, self.local = data, 0.0, kids, local
    def __mul__(self, other):
        return V(self.data * other.data, (self, other), (other.data, self.data))
    def backward(self):
        self.grad = 1.0
        grads = {self: 1.0}
        for kid, local in zip(self._prev, self.local):
            grads[kid] = grads.get(kid, 0.0) + local * grads[self]
        return grads

print((V(2.0) * V(3.0)).backward())
"""


def test_a_pass_whose_gradients_are_kept_in_a_dict_is_not_blamed(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(KEPT)
    found = judgement(recorded(path))
    assert found is not None
    assert not found.faults


def test_rules_that_are_not_judged_are_named_in_one_note(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    text = (FOREIGN / "healthy" / "copies.py").read_text()
    text = text.replace(
        "out = Tensor(ctx.forward(*[c.value for c in copies]))",
        "out = Tensor(ctx.forward(*[c.value for c in copies]), ctx, copies)",
    )
    path.write_text(text.replace("        out.fn, out.inputs = ctx, list(inputs)\n", ""))
    found = judgement(recorded(path))
    assert found is not None
    (note,) = found.hidden
    assert re.fullmatch(r"the rules of .+, .+ and .+ are not judged: .+ are not known", note)


def test_a_method_is_not_blamed_for_what_another_one_leaves_out(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    text = (FOREIGN / "healthy" / "means.py").read_text()
    path.write_text(text.replace("self.data * other.data, (self, other)", "self.data * other.data"))
    found = judgement(recorded(path))
    assert found is not None
    (fault,) = found.faults
    assert fault.kind == "left out"
    assert fault.text.startswith("`__mul__` leaves self and other out")


def test_a_pass_that_begins_at_a_copy_of_the_result_reaches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    text = (FOREIGN / "healthy" / "local_grads.py").read_text()
    path.write_text(text.replace("loss.backward()", "Num(loss.data).backward()"))
    recording = recorded(path)
    (verdict,) = [each for each in verdicts(recording) if not each.note]
    assert verdict.name == "unreached"
    assert "copies loss = " in verdict.text
    assert not judge(path.name, recording).ways


@pytest.mark.parametrize(
    ("forward", "rule", "kind"),
    [
        ("math.tanh(self.data / 2)", "1 - t**2", "wrong forward"),
        ("math.tanh(self.data / 2)", "1 - t", "local derivative"),
        ("math.tanh(self.data / 2)", "(1 - t**2) / 2", ""),
    ],
)
def test_a_method_may_compute_something_else_than_its_name_says(
    tmp_path: Path, forward: str, rule: str, kind: str
) -> None:
    path = tmp_path / "mine.py"
    text = (FOREIGN / "healthy" / "closures.py").read_text()
    text = text.replace("math.tanh(self.data)", forward)
    path.write_text(text.replace("(1 - t**2)", f"({rule})"))
    found = judgement(recorded(path))
    assert found is not None
    assert [each.kind for each in found.faults] == ([kind] if kind else [])
    if kind == "wrong forward":
        assert re.match(r"`tanh` makes \S+ of tanh\(\S+\); right is \S+, and", found.faults[0].text)


def test_what_is_written_over_is_told(tmp_path: Path) -> None:
    found = judgement(recorded(MISTAKES["add_assigns"].planted(tmp_path)))
    assert found is not None
    assert "over the 0 in" not in found.faults[0].text


def test_the_gradient_of_an_operand_may_be_taken_for_its_value(tmp_path: Path) -> None:
    found = judgement(recorded(MISTAKES["mul_of_gradient"].planted(tmp_path)))
    assert found is not None
    assert re.search(r": (.+)\.grad is taken for the value of \1$", found.faults[0].text)


LATE = """
import weakref

class Function:
    def __call__(self, *inputs):
        out = Variable(inputs[0].data * inputs[1].data)
        out.creator = self
        self.inputs, self.output = inputs, weakref.ref(out)
        return out

class Variable:
    def __init__(self, data):
        self.data, self.grad, self.creator = data, None, None
    def __mul__(self, other):
        return Function()(self, other)
    def backward(self):
        self.grad = 1.0
        f = self.creator
        a, b = f.inputs
        a.grad, b.grad = b.data, a.data

x, y = Variable(3.0), Variable(2.0)
product = Function()(x, y)
product.backward()
"""


def test_an_engine_whose_operands_are_not_seen_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "late.py"
    path.write_text(LATE, "utf-8")
    found = judgement(recorded(path))
    assert found is not None
    assert not found.faults
    assert [each for each in found.hidden if "computed from is not seen" in each]


def test_an_operator_that_is_nearly_what_it_stands_for_is_not_blamed(tmp_path: Path) -> None:
    text = (FOREIGN / "healthy" / "nearly.py").read_text()
    path = tmp_path / "exactly_first.py"
    path.write_text(text.replace("s.sigmoid() / p\n", "s.sigmoid() / Value(1e6) / p\n"), "utf-8")
    recording = recorded(path)
    assert "Value(1e6)" in path.read_text("utf-8")
    assert "engine" not in [each.name for each in verdicts(recording)]
