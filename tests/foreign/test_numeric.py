"""The derivatives of operations that the op table does not have."""

from __future__ import annotations

import math
import random
import textwrap

import pytest

from hearing import Heard, hear

ENGINE = """
import math, random

class V:
    def __init__(self, data, children=()):
        self.data, self.grad, self.children = data, 0.0, children
    def __add__(self, other):
        return V(self.data + other.data, (self, other))
"""


def derivatives(method: str, call: str) -> tuple[str, list[float], str]:
    """Return the name, the local derivatives, and how they were found, of the last node."""
    text = ENGINE + textwrap.indent(textwrap.dedent(method), "    ") + "\n" + call
    heard, _ = hear(text)
    node = heard.nodes[-1]
    (remark,) = heard.remarks()
    return node._operation.name, [*node._locals], remark[0]


@pytest.mark.parametrize(
    ("method", "call", "expected", "by"),
    [
        (
            "def soft(self):\n    return V(math.log(1 + math.exp(self.data)), (self,))",
            "V(0.5).soft()", [1 / (1 + math.exp(-0.5))], "complex steps",
        ),
        (
            "def soft(self):\n    y = math.log1p(math.exp(self.data))\n"
            "    print('once')\n    return V(y, (self,))",
            "V(0.5).soft()", [1 / (1 + math.exp(-0.5))], "complex steps",
        ),
        (
            "def norm(self, other):\n    n = math.hypot(self.data, other.data)\n"
            "    return V(n, (self, other))",
            "V(3.0).norm(V(4.0))", [0.6, 0.8], "differences",
        ),
        (
            "def scaled(self, k=2.0):\n    return V(k * self.data ** 2, (self,))",
            "V(3.0).scaled(k=5)", [30.0], "complex steps",
        ),
        (
            "@staticmethod\ndef product(*all):\n    return V(math.prod(v.data for v in all), all)",
            "a = V(3.0)\nV.product(a, V(2.0), a)", [6.0, 9.0, 6.0], "complex steps",
        ),
        (
            "def hinge(self):\n    return V(max(0.0, 1 - self.data), (self,))",
            "V(0.25).hinge()", [-1.0], "differences",
        ),
    ],
)  # fmt: skip
def test_they_are_those_of_the_forward_function(
    method: str, call: str, expected: list[float], by: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, found, how = derivatives(method, call)
    assert name in call
    assert found == pytest.approx(expected, rel=1e-8)
    assert how == by
    assert capsys.readouterr().out in ("", "once\n")


@pytest.mark.parametrize("number", ["max(0.0, 1 - self.data)", "abs(self.data - 1) ** 1.0"])
def test_at_a_kink_there_is_none(number: str) -> None:
    method = f"def hinge(self):\n    return V({number}, (self,))"
    _, (found,), _ = derivatives(method, "V(1.0).hinge()")
    assert math.isnan(found)


@pytest.mark.parametrize(
    "body",
    [
        "V(self.data * random.random(), (self,))",
        "V(log.append(self.data) or self.data ** 2, (self,))",
        "V(next(numbers) * self.data, (self,))",
        "V(log[0] * self.data, (self,))",
    ],
)
def test_what_may_do_more_than_compute_does_not_run_again(body: str) -> None:
    method = f"def noisy(self):\n    return {body}"
    random.seed(3)
    expected = random.random(), random.random()
    random.seed(3)
    call = "log, numbers = [2.0], iter([2.0, 3.0])\na = V(2.0)\na.noisy()"
    _, (found,), how = derivatives(method, call)
    assert math.isnan(found)
    assert how == "unknown"
    if "random" in body:
        assert random.random() == expected[1]


def test_an_operand_that_is_no_argument_has_none() -> None:
    function = """
def loss(values):
    p = values[0] + values[1]
    return V(math.log(max(p.data, 1e-10)), (p,))
loss([V(1.0), V(3.0)])
"""
    heard, _ = hear(ENGINE + function)
    (local,) = heard.nodes[-1]._locals
    assert math.isnan(local)
    assert [remark[0] for remark in heard.remarks()] == ["unknown"]


def test_constructors_and_counters_run_once() -> None:
    heard, names = hear("""
import math
class V:
    made = 0
    def __init__(self, data, children=()):
        V.made += 1
        self.data, self.grad, self.children = data, 0.0, children
    def __mul__(self, other):
        return V(self.data * other.data, (self, other))
    def cosh(self):
        return V(math.cosh(self.data), (self,))
    def spread(self):
        return V(math.cosh(self.data) * 2, (self,))
x = V(1.0).spread()
""")
    assert names["V"].made == 2
    assert [*heard.nodes[-1]._locals] == pytest.approx([2 * math.sinh(1.0)])


@pytest.mark.parametrize(
    "body", ["log.append(a); return a**3", "Cubic.runs += 1; return a**3", "return Noisy(a).cube"]
)
def test_what_an_operation_s_class_does_besides_computing_is_done_once(body: str) -> None:
    heard, names = hear(
        ENGINE
        + f"""
log = []
class Noisy:
    def __init__(self, a):
        log.append(a)
        self.cube = a**3
class Cubic:
    runs = 0
    @staticmethod
    def forward(a):
        {body}
    @classmethod
    def apply(cls, a):
        return V(cls.forward(a.data), (a,))
V.cubic = lambda self: Cubic.apply(self)
x = V(2.0).cubic()
"""
    )
    assert heard.nodes[-1]._operation.name == "cubic"
    assert names["x"].data == 8
    assert [names["Cubic"].runs, len(names["log"])] == [runs_once(body, "runs"), runs_once(body)]
    assert math.isnan(heard.nodes[-1]._locals[0])


def runs_once(body: str, what: str = "") -> int:
    """How often a body counts if it runs once."""
    return int(("runs" in body) == bool(what))


def test_a_function_of_the_module_and_a_label_name_operations() -> None:
    heard: Heard
    heard, _ = hear(
        ENGINE
        + "def cube(v):\n    return V(v.data ** 3, (v,))\n"
        + "a = V(2.0)\nb = cube(a)\nc = V(5.0, (b,))"
    )
    assert [name for name, *_ in heard.made()] == ["leaf", "cube", "f"]
    assert [*heard.nodes[1]._locals] == pytest.approx([12.0])
