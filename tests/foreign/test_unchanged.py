"""A program that is watched stays the program that it is, whatever it does."""

from __future__ import annotations

import copy
import dataclasses
import gc
import pickle
import re
import sys
import textwrap
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hearing import Heard, hear
from stepgrad.foreign import watching
from stepgrad.foreign.oddities import UNSEEN

ENGINE = """
import math

class V:
    def __init__(self, data, children=(), label=""):
        self.data = data
        self.grad = 0.0
        self.children = children
        self.rule = lambda: None
        self.label = label

    def __add__(self, other):
        other = other if isinstance(other, V) else V(other)
        out = V(self.data + other.data, (self, other))
        def rule():
            self.grad += out.grad
            other.grad += out.grad
        out.rule = rule
        return out

    def __mul__(self, other):
        other = other if isinstance(other, V) else V(other)
        out = V(self.data * other.data, (self, other))
        def rule():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.rule = rule
        return out

    def __pow__(self, power):
        out = V(self.data**power, (self,))
        def rule():
            self.grad += power * self.data ** (power - 1) * out.grad
        out.rule = rule
        return out

    def __sub__(self, other):
        other = other if isinstance(other, V) else V(other)
        return V(self.data - other.data, (self, other))

    def __rsub__(self, other):
        return V(other - self.data, (self, V(other)))

    def __truediv__(self, other):
        return V(self.data / other.data, {self, other})

    def backward(self):
        order = []
        def visit(v):
            if v not in order:
                for child in v.children:
                    visit(child)
                order.append(v)
        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            v.rule()
"""


def heard(text: str) -> tuple[Heard, dict[str, Any]]:
    return hear(ENGINE + textwrap.dedent(text))


def operations(text: str) -> list[tuple[str, tuple[int | None, ...]]]:
    """Return the operations of a program, with their operands, by number."""
    made = heard(text)[0].made()
    return [(name, operands) for name, _, operands in made if name not in ("leaf", "constant")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("V(2.0) * V(3.0)", [("mul", (0, 1))]),
        ("a, b = V(2.0), V(3.0)\nb * a", [("mul", (1, 0))]),
        ("a, b = V(2.0), V(3.0)\nb / a", [("div", (1, 0))]),
        ("a = V(2.0)\na * a", [("mul", (0, 0))]),
        ("a = V(2.0)\na / a", [("div", (0, 0))]),
        ("V(2.0) * 3", [("mul", (0, 1))]),
        ("V(2.0) ** 3", [("pow", (0, 1))]),
        ("V(2.0) - 5", [("sub", (0, 1))]),
        ("5 - V(2.0)", [("sub", (1, 0))]),
        ("a = V(2.0)\nfor _ in range(3): a = a * a", [("mul", (n, n)) for n in range(3)]),
        ("a = V(2.0)\nfor _ in range(3): a = a ** 2", [("pow", (n, n + 1)) for n in (0, 2, 4)]),
        ("a = V(2.0)\nfor n in (2, -1, 3): a = a ** n", [("pow", (n, n + 1)) for n in (0, 2, 4)]),
        ("a, b = V(2.0), V(2.0)\nfor _ in range(3): a = a / b", [
            ("div", (0, 1)), ("div", (2, 1)), ("div", (3, 1)),
        ]),
    ],
)  # fmt: skip
def test_operands_are_those_of_the_operator_in_order(
    text: str, expected: list[tuple[str, tuple[int, ...]]]
) -> None:
    assert operations(text) == expected


@pytest.mark.parametrize(("data", "grad"), [("d", "g"), ("primal", "adjoint"), ("x", "d")])
def test_an_engine_may_call_its_number_and_gradient_otherwise(data: str, grad: str) -> None:
    text = f"{ENGINE}c = V(2.0) * V(3.0)\nc.grad = 1.0\nc.rule()"
    report, _ = hear(re.sub(r"\.grad\b", f".{grad}", re.sub(r"\.data\b", f".{data}", text)))
    assert [name for name, *_ in report.made()] == ["leaf", "leaf", "mul"]


def test_a_number_in_an_operation_is_a_constant_and_one_of_the_program_a_leaf() -> None:
    made = heard("a = V(2.0)\nb = a * 3 + V(4)\nc = a ** 2")[0].made()
    assert [name for name, *_ in made] == [
        "leaf", "constant", "mul", "leaf", "add", "constant", "pow",
    ]  # fmt: skip


def test_a_number_that_is_made_into_an_operand_is_that_operand() -> None:
    text = """
class Node:
    def __init__(self, *inputs):
        self.inputs, self.value, self.gradient = inputs, None, 0.0
        self.forward()
    def __add__(self, other):
        return Add(self, Input(other))
class Input(Node):
    def __init__(self, value):
        self.inputs, self.value, self.gradient = (), value, 0.0
class Add(Node):
    def forward(self):
        self.value = self.inputs[0].value + self.inputs[1].value
Input(1.0) + 2.0
"""
    assert hear(text)[0].made() == [
        ("leaf", 1.0, ()), ("constant", 2.0, ()), ("add", 3.0, (0, 1)),
    ]  # fmt: skip


def test_places_are_the_lines_of_the_program_and_of_its_rules() -> None:
    first = ENGINE.count("\n") + 1
    report, _ = heard("a = V(2.0)\nb = (a *\n     a)\nb.backward()")
    assert [spot and spot[0] for spot in report.lines] == [first, first + 1]
    rules = [each[-1] for each in report.said if each[0] == "received"]
    lines = ENGINE.splitlines()
    assert [lines[line - 1].strip() for line in rules] == [
        "self.grad += other.data * out.grad",
        "other.grad += self.data * out.grad",
    ]


def test_labels_are_names() -> None:
    report, _ = heard("a = V(2.0, label='a')\nb = a + 1\nb.label = 'b'")
    assert [each for each in report.said if each[0] == "name"] == [
        ("name", 0, "a"),
        ("name", 2, "b"),
    ]


def test_nodes_stand_in_for_the_living_objects() -> None:
    report = Heard()
    with watching(report):
        names: dict[str, Any] = {}
        exec(ENGINE + "a = V(2.0)\nb = a * V(3.0)\na.rule = None", names)
        assert report.stands_for(names["a"]) is report.nodes[0]
        assert report.stands_for(names["b"]) is report.nodes[2]
        assert report.stands_for(2.0) is None
    assert report.stands_for(names["a"]) is None


def test_ids_that_come_again_are_other_objects() -> None:
    report, _ = heard("for i in range(50): V(float(i))")
    assert [data for _, data, _ in report.made()] == [float(i) for i in range(50)]


def test_nothing_is_kept_that_the_program_has_dropped() -> None:
    report = Heard()
    with watching(report):
        names: dict[str, Any] = {"gone": []}
        exec(
            ENGINE
            + textwrap.dedent("""
            import weakref
            class W(V):
                def softplus(self, others):
                    return W(math.log(1 + math.exp(self.data)), (self,))
            a = W(2.0)
            b = a.softplus([W(1.0)])
            refs = [weakref.ref(a), weakref.ref(b)]
            del a, b
            """),
            names,
        )
        assert [reference() for reference in names["refs"]] == [None, None]


def test_a_pending_object_that_is_dropped_lends_its_id_to_no_other() -> None:
    report, _ = heard("V(1.0)\nV(2.0)\nV(3.0).grad = 5.0\nx = V(4.0)")
    assert [data for _, data, _ in report.made()] == [1.0, 2.0, 3.0, 4.0]
    assert ("set", 2, 5.0, ENGINE.count("\n") + 3) in report.said


def test_a_gradient_assigned_to_itself_is_no_contribution() -> None:
    report, _ = heard("""
    a, b = V(2.0), V(3.0)
    c = a * b
    c.backward()
    def again(x):
        x.grad = x.grad
    again(a)
    """)
    assert report.edges() == [(2, 0, 0), (2, 1, 1)]


def test_a_gradient_set_by_hand_begins_a_pass_if_a_rule_follows() -> None:
    report, _ = heard("a = V(2.0)\nc = a * a\nc.grad = 1\nc.rule()\na.grad = 7.0")
    assert [each[:3] for each in report.said] == [
        ("seeded", 1, 1.0),
        ("received", 1, 0),
        ("received", 1, 1),
        ("ended", False),
        ("set", 0, 7.0),
    ]


def test_clipping_and_decay_in_a_function_are_no_rules() -> None:
    report, _ = heard("""
    def main():
        w = V(2.0)
        y = w * 3.0
        y.backward()
        w.grad = max(-1.0, min(1.0, w.grad))
        w.grad *= 0.5
        w.data -= 0.1 * w.grad
        w.grad = 0
    main()
    """)
    kinds = [each[0] for each in report.said]
    assert kinds == ["seeded", "received", "ended", "set", "set", "update", "zero"]


def test_clipping_in_a_method_of_the_class_is_no_rule() -> None:
    report, names = heard("""
    class W(V):
        def clip(self, limit):
            for child in self.children:
                child.grad = max(-limit, min(limit, child.grad))
                child.grad /= limit
    a = V(2.0)
    b = W(6.0, (a,))
    a.grad = 5.0
    b.clip(2.0)
    """)
    assert not report.edges()
    kinds = [each[0] for each in report.said if each[0] != "remark"]
    assert (kinds, names["a"].grad) == (["set"] * 3, 1.0)


def test_a_pass_that_fails_is_reported_as_far_as_it_came() -> None:
    report = Heard()
    with pytest.raises(ZeroDivisionError), watching(report):
        exec(
            ENGINE + "a = V(2.0)\nb = a * 3\nc = b + 1\nb.rule = lambda: 1 / 0\nc.backward()",
            {"__name__": "__main__"},
        )
    assert [each[0] for each in report.said] == ["seeded", "received", "ended", "remark"]
    assert [kind for kind, *_ in report.remarks()] == ["unfinished"]


def test_an_error_after_a_pass_leaves_it_finished() -> None:
    report = Heard()
    with pytest.raises(ZeroDivisionError), watching(report):
        exec(ENGINE + "a = V(2.0)\nb = a * 3\nb.backward()\n1 / 0", {"__name__": "__main__"})
    assert not report.remarks()


@pytest.mark.parametrize(
    "write", ["a.__dict__['grad'] = 3.0", "object.__setattr__(a, 'grad', 3.0)"]
)
def test_writes_that_cannot_be_seen_are_said(write: str) -> None:
    report, _ = heard(f"a = V(2.0)\nb = a * 3\n{write}")
    assert [(kind, text) for kind, _, text in report.remarks()] == [("unseen", UNSEEN)]
    report, _ = heard(f"a = V(2.0)\nb = a * 3\n{write}\nb.backward()\ndel a, b")
    assert [(kind, text) for kind, _, text in report.remarks()] == [("unseen", UNSEEN)]
    assert not report.wrong or report.wrong[0][0] == "stale"


def test_a_frozen_dataclass_stays_frozen_and_is_said_not_to_be_observable() -> None:
    report, names = hear("""
from dataclasses import dataclass
@dataclass(frozen=True)
class F:
    data: float
    grad: float = 0.0
    def __add__(self, other):
        return F(self.data + other.data)
    def __mul__(self, other):
        return F(self.data * other.data)
x = F(1.0) + F(2.0)
try:
    x.data = 2.0
except AttributeError as error:
    said = repr(error)
""")
    assert names["said"] == """FrozenInstanceError("cannot assign to field 'data'")"""
    assert [kind for kind, *_ in report.remarks()] == ["unseen"]


def test_a_class_is_as_it_was() -> None:
    own: dict[str, Any] = {}
    exec(ENGINE, own)
    report = Heard()
    with watching(report):
        names: dict[str, Any] = {"__name__": __name__}
        exec(ENGINE, names)
        cls = names["V"]
        x: Any = cls(2.0)
        assert vars(x).keys() == vars(own["V"](2.0)).keys()
        twin = copy.copy(x)
        assert (twin.data, type(twin), isinstance(twin, cls)) == (2.0, cls, True)
        assert weakref.ref(x)() is not None
        y: Any = twin * x
        assert cls.__mro__ == (cls, object)
    assert y.data == 4.0
    assert vars(cls).keys() - {"__slotnames__"} == vars(own["V"]).keys()
    x.grad = 3.0  # while nothing watches
    assert not [each for each in report.said if each[0] == "set"]


class Pickled:
    """What pickle finds by its name."""

    def __init__(self, data: float) -> None:
        self.data, self.grad = data, 0.0

    def __add__(self, other: Pickled) -> Pickled:
        return Pickled(self.data + other.data)


@pytest.fixture
def hooked() -> Iterator[Heard]:
    """A door, while a class is watched that was made before."""
    report = Heard()
    watch_of: Any
    with watching(report) as watch_of:
        assert watch_of is not None
        watch_of._hooks.meet(Pickled)
        yield report


def test_pickles_hold_what_they_hold(hooked: Heard) -> None:
    x = Pickled(2.0)
    twin = pickle.loads(pickle.dumps(x))
    assert vars(twin) == {"data": 2.0, "grad": 0.0}
    twin.grad = 1.5  # it came to be unseen
    assert [data for _, data, _ in hooked.made()] == [2.0, 2.0]
    twin.grad = 0.0
    assert ("set", 1, 1.5) in [each[:3] for each in hooked.said]


def test_a_class_of_an_earlier_program_is_watched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "engine_of_two.py").write_text(ENGINE, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    for _ in range(2):
        report, _ = hear("from engine_of_two import V\nV(2.0)")
        assert [data for _, data, _ in report.made()] == [2.0]
    monkeypatch.delitem(sys.modules, "engine_of_two")


def test_what_other_threads_compute_is_said_and_not_mixed_in() -> None:
    report = Heard()
    with watching(report):
        names: dict[str, Any] = {}
        exec(ENGINE + "a = V(2.0)", names)
        thread = threading.Thread(target=lambda: names["a"] * 3)
        thread.start()
        thread.join()
        names["a"] + 1
    assert [name for name, *_ in report.made()] == ["leaf", "constant", "add"]
    assert [kind for kind, *_ in report.remarks()] == ["thread"]


def test_a_program_without_an_engine_is_not_searched_for_its_objects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gc, "get_objects", lambda: 1 / 0)
    assert not hear("x = 1")[0].remarks()
    assert heard("a = V(2.0)")[0].remarks()


def test_errors_are_the_program_s_own() -> None:
    report, names = hear("""
class S:
    __slots__ = ("data", "grad")
    def __init__(self, data):
        self.data, self.grad = data, 0.0
    def __add__(self, other):
        return S(self.data + other.data)
try:
    S(1.0).colour = "red"
except AttributeError as error:
    said = str(error)
""")
    assert names["said"] == "'S' object has no attribute 'colour'"
    assert len(report.nodes) == 1


@pytest.mark.parametrize(
    "text",
    [
        "class Money:\n    def __init__(s, value): s.value = value\n"
        "    def __add__(s, o): return Money(s.value + o.value)\nMoney(1) + Money(2)",
        "class I(int):\n    data = grad = 0\n    def __add__(s, o): return I(5)\nI(1) + I(2)",
        "class N:\n    data = grad = 0\nN().data = 3",
    ],
)
def test_other_classes_are_left_alone(text: str) -> None:
    report, _ = hear(text)
    assert not report.nodes
    assert not report.said


def test_a_class_of_arrays_is_no_scalar_engine() -> None:
    report, _ = heard("a = V([1.0, 2.0])\na.grad = [0.5]\nb = V([3.0])")
    assert not report.nodes


def test_no_code_of_the_class_runs_that_would_not() -> None:
    report, names = hear("""
class V:
    asked = []
    def __init__(self, data):
        self.grad = 0.0
        self.data = data
    def __getattr__(self, name):
        V.asked.append(name)
        raise AttributeError(name)
    def __eq__(self, other):
        V.asked.append("eq")
        return False
    def __bool__(self):
        V.asked.append("bool")
        return True
    def __add__(self, other):
        return V(self.data + other.data)
x = V(1.0) + V(2.0)
x.grad = 3.0
""")
    assert names["V"].asked == []
    assert len(report.nodes) == 3


def test_an_object_that_is_refused_is_none() -> None:
    report, _ = hear("""
class V:
    def __init__(self, data):
        self.data = data
        self.grad = 0.0
        if not isinstance(data, float):
            raise TypeError("a number, please")
    def __add__(self, other):
        return V(self.data + other.data)
try:
    V("two")
except TypeError:
    V(2.0) + V(3.0)
""")
    assert [data for _, data, _ in report.made()] == [2.0, 3.0, 5.0]


def test_an_error_of_ours_ends_the_watching_and_not_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Heard, "made_at", lambda *_: 1 / 0)
    report, names = heard("a = V(2.0)\nb = a * a\nb.backward()")
    assert names["a"].grad == 4.0
    assert [kind for kind, *_ in report.remarks()] == ["failed"]


def test_dataclass_is_what_it_was() -> None:
    before = dataclasses.dataclass
    hear("from dataclasses import dataclass")
    assert dataclasses.dataclass is before
