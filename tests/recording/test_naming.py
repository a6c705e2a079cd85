"""Names and scopes that a program gives without saying so."""

from __future__ import annotations

import gc
import sys
import weakref
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepgrad import Recording, Value, record
from stepgrad.program import run_program
from stepgrad.recording import described, holders
from stepgrad.recording.blocks import Forward
from stepgrad.recording.naming.variables import variables
from stepgrad.recording.naming.walk import name_all
from stepgrad.replay.telling.titles import short_title, title


@pytest.fixture
def ran(tmp_path: Path) -> Callable[[str], Recording]:
    """Runs a program, and returns its recording."""

    def run(text: str) -> Recording:
        path = tmp_path / "program.py"
        path.write_text(f"from stepgrad import *\n{dedent(text)}", "utf-8")
        ended = run_program(str(path))
        assert (ended.status, ended.failure) == (0, "")
        return ended.recording

    return run


def names(recording: Recording) -> list[str]:
    """The labels of all nodes but constants; `–` for none."""
    nodes = map(recording.node, range(recording.size))
    return [node.label or "–" for node in nodes if not node.constant]


def scopes(recording: Recording) -> list[str]:
    """The scopes of all nodes but constants, each once where several follow each other."""
    nodes = map(recording.node, range(recording.size))
    found = [node.place.scope for node in nodes if not node.constant]
    return [scope for scope, before in zip(found, [None, *found], strict=False) if scope != before]


NAMES = {
    "a variable": ("w = Value(1)\n(w * 2).backward()", ["w", "–"]),
    "two at once": ("a, b = Value(1), Value(2)", ["a", "b"]),
    "a result": ("w = Value(1)\nloss = (w - 2) ** 2\nloss.backward()", ["w", "–", "loss"]),
    "a method": ("w = Value(1)\nh = w.tanh()", ["w", "h"]),
    "methods on lines": ("w = Value(1)\nh = (w\n  .exp()\n  .tanh())", ["w", "–", "h"]),
    "added to": ("t = Value(1)\nt += t\nt *= 3", ["t", "t", "t"]),
    "one of two": ("w = Value(1)\nh = w * 2 if w.data else w * 3", ["w", "h"]),
    "a list": ("ws = [Value(i) for i in range(3)]", ["ws[0]", "ws[1]", "ws[2]"]),
    "a list again": (
        "w = Value(1)\nfor _ in range(2):\n    hs = [w * i for i in range(2)]",
        ["w", "hs[0]", "hs[1]", "hs[0]", "hs[1]"],
    ),
    "a display": ("d = {'a': [Value(1), Value(2)]}", ["d['a'][0]", "d['a'][1]"]),
    "a sum": ("ws = [Value(1), Value(2)]\ns = sum(ws)", ["ws[0]", "ws[1]", "–", "s"]),
    "a loss": (
        "a, b = Value(1), Value(2)\nL = binary_cross_entropy((a * b).sigmoid(), 0)",
        ["a", "b", *["–"] * 10, "L"],
    ),
    "sums in a list": (
        "ws = [Value(1), Value(2)]\nss = [sum(w * i for w in ws) for i in range(2)]",
        ["ws[0]", "ws[1]", "–", "–", "–", "ss[0]", "–", "–", "–", "ss[1]"],
    ),
    "what a call returns": (
        "def f(x):\n    return x.exp() * 3\nw = Value(1)\ny = f(w)",
        ["w", "–", "y"],
    ),
    "elements that a call returns": (
        "def f(x):\n    return [x * i for i in range(2)]\nw = Value(1)\ny = f(w)",
        ["w", "y[0]", "y[1]"],
    ),
    "what a call returns by a variable": (
        "def f(x):\n    out = x.exp() * 3\n    return out\nw = Value(1)\ny = f(w)",
        ["w", "–", "y"],
    ),
    "elements that a call returns by a variable": (
        "def f(x):\n    out = [x * i for i in range(2)]\n    return out\nw = Value(1)\ny = f(w)",
        ["w", "y[0]", "y[1]"],
    ),
    "a leaf that a call returns": (
        "def f(x):\n    out = Value(x)\n    return out\nw = [f(i) for i in range(2)]",
        ["w[0]", "w[1]"],
    ),
    "through two calls": (
        "def f(x):\n    out = x.exp()\n    return out\n"
        "def g(x):\n    r: Value = f(x)\n    return r\nw = Value(1)\ny = g(w)",
        ["w", "y"],
    ),
    "nothing outside the call": (
        "def f(x):\n    out = x.exp() * 3\n    return out\nw = Value(1)\ny = f(w) + 1",
        ["w", "–", "out", "y"],
    ),
    "nothing outside a call that is no scope": (
        "def f(x):\n    out = x.exp()\n    return out\nw = Value(1)\ny = f(w) + 1",
        ["w", "–", "y"],
    ),
    "a variable with several values": (
        "def f(x):\n    out = x * 2\n    out = out * 3\n    return out\nw = Value(1)\ny = f(w)",
        ["w", "out", "out"],
    ),
    "a variable of a loop": (
        "def f(x):\n    for i in range(2):\n        out = x * i\n    return out\n"
        "w = Value(1)\ny = f(w)",
        ["w", "out", "out"],
    ),
    "a variable that may not be returned": (
        "def f(x):\n    out = x.exp() * 2\n    if out.data < 0:\n        return out\n"
        "    return x\nw = Value(1)\ny = f(w)",
        ["w", "–", "out"],
    ),
    "a variable of a function in the function": (
        "def f(x):\n    out = x.exp() * 2\n    def g():\n        return out\n    return x\n"
        "w = Value(1)\ny = f(w)",
        ["w", "–", "out"],
    ),
    "a list of what is not a node": ("hs = list(map(Value, [1, 2]))", ["hs[0]", "hs[1]"]),
    "nested lists": (
        "ws = [[Value(i) for i in range(2)] for _ in range(2)]",
        ["ws[0][0]", "ws[0][1]", "ws[1][0]", "ws[1][1]"],
    ),
    "a list of all comes later": (
        "s = {'w': [Value(1)], 'b': Value(2)}\nps = [s['w'][0], s['b']]\nfor p in ps: p.grad = 0",
        ["s['w'][0]", "s['b']"],
    ),
    "made by a function": (
        "def make():\n    w = Value(1)\n    w.exp()\n    return {'w': w}\nm = make()",
        ["m['w']", "–"],
    ),
    "in a function that is left": (
        """
        def main():
            model = {"w": [Value(float(i)) for i in range(2)]}
            for w in model["w"]:
                w.grad = 0
            loss = model["w"][0] * model["w"][1]
            loss.backward()
        main()
        """,
        ["model['w'][0]", "model['w'][1]", "loss"],
    ),
    "by a closure": (
        """
        def counter():
            w = [float(i) for i in range(2)]
            w = tuple(map(Value, w))
            def f(x):
                return w[0] * x
            return f
        f = counter()
        f(2.0).backward()
        """,
        ["f.w[0]", "f.w[1]", "–"],
    ),
    "two models": (
        """
        class Model:
            def __init__(self):
                self.w = Value(1.0)
            def __call__(self, x):
                return self.w * x
        one, two = Model(), Model()
        (one(2) + two(3)).backward()
        """,
        ["one.w", "two.w", "–", "–", "–"],
    ),
    "a label wins": ("w = Value(1, label='mine')\nh = w * 2\nh.label = 'h1'", ["mine", "h1"]),
    "slots": (
        "class A:\n    __slots__ = 'w', 'x'\n    def __init__(self): self.w = Value(1)\na = A()",
        ["a.w"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_nodes_are_called_after_variables(name: str, ran: Callable[[str], Recording]) -> None:
    text, expected = NAMES[name]
    recording = ran(text)
    assert [each.rpartition("/")[2] for each in names(recording)] == expected


def test_a_label_by_hand_is_never_replaced(ran: Callable[[str], Recording]) -> None:
    recording = ran(
        """
        class A: pass
        a = A()
        a.w = [Value(1.0, label='first'), Value(2.0)]
        a.w[0].grad = 0
        """
    )
    assert names(recording) == ["first", "a.w[1]"]


ENGINE = """
class V:
    def __init__(self, data, children=(), local_grads=()):
        self.data, self.grad = data, 0.0
        self.children, self.local_grads = children, local_grads
    def __add__(self, other):
        other = other if isinstance(other, V) else V(other)
        return V(self.data + other.data, (self, other), (1.0, 1.0))
    def __mul__(self, other):
        other = other if isinstance(other, V) else V(other)
        return V(self.data * other.data, (self, other), (other.data, self.data))
    def __pow__(self, k):
        return V(self.data ** k, (self,), (k * self.data ** (k - 1),))
    def __sub__(self, other): return self + (-other)
    def __truediv__(self, other):
        inverse = other ** -1
        out = (
            self
            .__mul__(inverse)
        )
        return out
    __neg__ = lambda self: self * -1
    __radd__ = lambda self, other: self + other
    def backward(self):
        self.grad = 1.0
        for child, local in zip(self.children, self.local_grads):
            child.grad += local * self.grad
a, b = V(1.0), V(2.0)
"""

OWN = {
    "several nodes, one result": ("d = a - b", ["–", "d"]),
    "with variables": ("q = a / b", ["–", "q"]),
    "elements": ("ps = [e / b for e in (a, b)]", ["–", "ps[0]", "–", "ps[1]"]),
    "one node": ("n = -a\nn = n * b", ["n", "n"]),
    "a sum": ("s = sum([a, b])", ["–", "s"]),
    "returned": ("def mean(x, y):\n    return (x + y) / b\nm = mean(a, b)", ["–", "–", "m"]),
}


@pytest.mark.parametrize("name", OWN)
def test_the_result_of_an_own_method_has_the_name(
    name: str, ran: Callable[[str], Recording]
) -> None:
    text, expected = OWN[name]
    found = names(ran(f"{ENGINE}{text}\na.grad = b.grad = 0"))
    assert [each.rpartition("/")[2] for each in found] == ["a", "b", *expected]


ARRAYS = {
    "leaves": (
        "w = np.array([[Value(1), Value(2)]])\nb = np.array(Value(3))",
        ["w[0][0]", "w[0][1]", "b[()]"],
    ),
    "elementwise": (
        "v = np.array([Value(1), Value(2)])\nh = np.tanh(v)",
        ["v[0]", "v[1]", "h[0]", "h[1]"],
    ),
    "elementwise in two dimensions": (
        "w = np.array([[Value(1), Value(2)]])\nk = w * 2",
        ["w[0][0]", "w[0][1]", "k[0][0]", "k[0][1]"],
    ),
    "in a function": (
        "v = np.array([Value(1), Value(2)])\n"
        "def f(v):\n    h = v * 2\n    h.sum().backward()\nf(v)",
        ["v[0]", "v[1]", "h[0]", "h[1]", "–"],
    ),
    "in a loop": (
        "v = np.array([Value(1), Value(2)])\nfor _ in range(2):\n    h = v * 2",
        ["v[0]", "v[1]", "h", "h", "h[0]", "h[1]"],
    ),
    "no array, but a loop": ("h = Value(1)\nfor x in (2, 3):\n    h = h * x", ["h", "h", "h"]),
    "a product of matrices": (
        "w = np.array([[Value(1), Value(2)]])\nh = w @ [3, 4]\nhs = [r @ [1, 2] for r in w]",
        ["w[0][0]", "w[0][1]", *["–"] * 6],
    ),
    "reduced": (
        "v = np.array([Value(1), Value(2)])\ns = v.sum() + 1\nm = np.mean(v)\nd = np.dot(v, v)",
        ["v[0]", "v[1]", "–", "s", "–", "m", "–", "–", "d"],
    ),
    "a dot of the program": (
        "def dot(a, b):\n    return a.exp() * b\nw = Value(1)\nd = dot(w, 2)", ["w", "–", "d"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS)
def test_values_in_arrays_have_names(name: str, ran: Callable[[str], Recording]) -> None:
    pytest.importorskip("numpy")
    text, expected = ARRAYS[name]
    recording = ran(f"import numpy as np\n{text}\nValue(0, label='last').grad = 0")
    assert [each.rpartition("/")[2] for each in names(recording)] == [*expected, "last"]


def test_numpy_is_no_place_and_no_scope(ran: Callable[[str], Recording]) -> None:
    pytest.importorskip("numpy")
    recording = ran(
        "import numpy as np\nw = np.array([Value(1), Value(2)])\nnp.mean(w)\n"
        "np.vectorize(lambda x: x * 2 + 1)(w)"
    )
    files = {recording.node(node).place.file for node in range(recording.size)}
    assert files == {*recording.sources}
    assert {Path(str(file)).name for file in files} == {"program.py"}
    assert {*scopes(recording)} <= {"", "w"}


MLP = """
class Neuron:
    def __init__(self, n):
        self.w = [Value(0.1 * i) for i in range(n)]
        self.b = Value(0.0)
    def __call__(self, x):
        act = sum((w * xi for w, xi in zip(self.w, x)), self.b)
        return act.tanh()
class Layer:
    def __init__(self, n, m):
        self.neurons = [Neuron(n) for _ in range(m)]
    def __call__(self, x):
        return [neuron(x) for neuron in self.neurons]
class MLP:
    def __init__(self):
        self.layers = [Layer(2, 2), Layer(2, 1)]
    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x[0]
"""


SCOPES = {
    "classes, numbered": (
        MLP + "model = MLP()\nmodel([1.0, 2.0]).backward()",
        [
            "mlp/layer0/neuron0", "mlp/layer0/neuron1", "mlp/layer1/neuron",
            "mlp/layer0/neuron0", "mlp/layer0/neuron1", "mlp/layer1/neuron",
        ],
    ),
    "what runs the passes is no part": (
        "def main():\n    w = Value(1.0)\n    def model(x):\n        return (w * x).tanh()\n"
        "    for _ in range(2):\n        loss = model(2) + model(3)\n        loss.backward()\n"
        "main()",
        ["", "model0", "model1", "", "model0", "model1", ""],
    ),
    "what clears gradients is no part": (
        "class Model:\n    def __init__(self):\n        self.w = Value(1.0)\n"
        "    def zero_grad(self):\n        self.w.grad = 0\n"
        "    def __call__(self, x):\n        return (self.w * x).tanh()\n"
        "def fit(model):\n    for _ in range(2):\n        loss = (model(2) - 1) ** 2\n"
        "        model.zero_grad()\n        loss.backward()\n"
        "fit(Model())",
        ["model", "", "model", ""],
    ),
    "what has an optimizer clear them is no part": (
        "def model(w):\n    return (w * 2).tanh()\n"
        "def fit(w):\n    sgd = SGD([w], 0.1)\n    for _ in range(2):\n"
        "        loss = (model(w) - 1) ** 2\n        sgd.zero_grad()\n        loss.backward()\n"
        "fit(Value(1.0))",
        ["", "model", "", "model", ""],
    ),
    "by what the results are called": (
        "w = Value(2.0)\ndef f(x):\n    return (w * x).exp()\nq = f(1)\nk = f(2)\nk = f(3)",
        ["", "f_q", "f_k0", "f_k1"],
    ),
    "one node is no scope": ("def f(x):\n    return x * 2\ny = f(Value(1.0))", [""]),
    "recursion is one scope": (
        "def f(x, n):\n    return f((x * x).exp(), n - 1) if n else x\ny = f(Value(1.0), 50)",
        ["", "f"],
    ),
    "scope() wins": (
        "def f(x):\n    with scope('mine'):\n        return (x * 2).exp()\ny = f(Value(1.0))",
        ["", "mine"],
    ),
    "a subclass has its own name": (
        "class Part:\n    def __call__(self, x):\n        return self.forward(x)\n"
        "class SelfAttention(Part):\n    def forward(self, x):\n        return (x * 2).exp()\n"
        "class RMSNorm(Part):\n    def forward(self, x):\n        return (x * 3).exp()\n"
        "y = SelfAttention()(Value(1.0))\nz = RMSNorm()(y)",
        ["", "self_attention", "rms_norm"],
    ),
    "leaves, by what holds them": (
        "m = lambda: [[Value(1.0), Value(2.0)] for _ in range(2)]\nd = {'a': m(), 'b.c': m()}",
        ["d/a/0", "d/a/1", "d/b.c/0", "d/b.c/1"],
    ),
    "leaves that a function only makes": (
        "def row(n):\n    return [Value(0.1 * i) for i in range(n)]\n"
        "def init():\n    p = {}\n    p['a'] = row(2)\n    for i in range(2):\n"
        "        p[f'l{i}'] = row(2)\n    return p\n"
        "def model(x):\n    zero = [Value(0.0), Value(1.0)]\n    return (zero[0] + x).exp()\n"
        "p = init()\nkept = model(p['a'][0])\nkept.backward()",
        ["p/a", "p/l0", "p/l1", "model"],
    ),
    "generators": (
        "def parts(x):\n    for i in range(2):\n        yield (x * i).exp()\n"
        "w = Value(1.0)\ns = sum(parts(w))\n",
        ["", "parts", "", "parts", ""],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCOPES)
def test_calls_are_scopes(name: str, ran: Callable[[str], Recording]) -> None:
    text, expected = SCOPES[name]
    assert scopes(ran(text)) == expected


def test_a_training_loop_keeps_its_names_once(ran: Callable[[str], Recording]) -> None:
    recording = ran(
        MLP
        + """
model = MLP()
for _ in range(20):
    y = model([1.0, 2.0])
    loss = (y - 1) ** 2
    loss.backward()
    for layer in model.layers:
        for neuron in layer.neurons:
            for p in neuron.w + [neuron.b]:
                p.data -= 0.1 * p.grad
                p.grad = 0
"""
    )
    first, *others = [block for block in recording.blocks if isinstance(block, Forward)]
    assert len({id(block.context) for block in others}) == 1
    assert not recording.labels
    assert recording.node(first.base).name == "model.layers[0].neurons[0].w[0]"
    product = others[-1].base + 1
    assert short_title(recording, product) == "w[0]·1"
    assert recording.node(recording.names(recording.length)["loss"]).name == "loss"
    leaf = recording.names(recording.length)["model.layers[1].neurons[0].b"]
    assert (title(recording, leaf), short_title(recording, leaf)) == (
        "model.layers[1].neurons[0].b", "b",
    )  # fmt: skip


MANY_ROWS = """
w, kept = Value(2.0), []
def loss(row):
    x = Value(row)
    kept.append(x)
    total = x * w
    for _ in range(1100):
        total = total + w
    return total.data
losses = [loss(row) for row in range(20)]
"""


def test_what_is_called_on_many_rows_is_described_once(
    ran: Callable[[str], Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = count()
    monkeypatch.setattr(described, "variables", lambda made: (next(asked), variables(made))[1])
    recording = ran(MANY_ROWS)
    passes = [block for block in recording.blocks if isinstance(block, Forward)]
    assert len(passes) >= 10
    assert len({id(block.structure) for block in passes}) >= next(asked)


def test_rows_that_are_described_once_have_leaves_of_their_own(
    ran: Callable[[str], Recording],
) -> None:
    recording = ran(MANY_ROWS)
    found = [name for name in names(recording) if name.startswith("kept")]
    assert found == [f"kept[{row}]" for row in range(20)]


@pytest.mark.parametrize("every", [1, 7, 13])
def test_a_look_at_what_is_over_in_the_middle_of_a_call_leaves_its_scopes(
    ran: Callable[[str], Recording], every: int
) -> None:
    recording = ran(
        f"""
        from stepgrad.recording.record import active_recorder
        from stepgrad.recording import pending, released
        pending.MANY, released._LEAST = 64, 8
        w = Value(2.0)
        def small(x):
            return x * w
        def loss(row):
            total = w * row
            for part in range(12):
                total = total + small(total)
                if part == 5 and row % {every} == 0:
                    active_recorder()._look()
            return total.data
        losses = [loss(row) for row in range(60)]
        """
    )
    # A call that makes a single node is no scope.
    assert not [scope for scope in scopes(recording) if "small" in scope]
    assert len([block for block in recording.blocks if isinstance(block, Forward)]) > 4


def test_where_no_leaf_is_held_later_ones_are_looked_for_at_the_end(
    ran: Callable[[str], Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = count()
    monkeypatch.setattr(
        holders, "name_all", lambda *arguments: (next(searches), name_all(*arguments))[1]
    )
    recording = ran(
        """
        w, kept = Value(2.0), []
        def start():
            return Value(0.0)
        for step in range(20):
            total = start() + w
            for _ in range(step):
                total = total * w
            total.backward()
        kept.append(start())
        last = kept[0] + w
        """
    )
    assert next(searches) < 6
    assert names(recording)[-2:] == ["kept[0]", "last"]


def test_names_are_there_while_the_program_runs(ran: Callable[[str], Recording]) -> None:
    ran(
        """
        from stepgrad.recording.record import active_recorder
        def main():
            ws = {"a": list(map(Value, [1.0, 2.0]))}
            (ws["a"][0] * ws["a"][1]).backward()
            log = active_recorder().log
            assert [log.node(i).name for i in range(2)] == ["ws['a'][0]", "ws['a'][1]"]
        main()
        """
    )


def test_the_leaves_of_another_engine_are_named(ran: Callable[[str], Recording]) -> None:
    recording = ran(
        """
        class Number:
            def __init__(self, data, children=()):
                self.data, self.grad, self.children = data, 0.0, children
                self._backward = lambda: None
            def __mul__(self, other):
                out = Number(self.data * other.data, (self, other))
                def _backward():
                    self.grad += other.data * out.grad
                    other.grad += self.data * out.grad
                out._backward = _backward
                return out
        model = {"w": [Number(2.0), Number(3.0)]}
        loss = model["w"][0] * model["w"][1]
        loss.grad = 1.0
        loss._backward()
        """
    )
    assert names(recording)[:2] == ["model['w'][0]", "model['w'][1]"]


def test_the_rules_on_a_tape_name_nothing(ran: Callable[[str], Recording]) -> None:
    recording = ran(
        """
        tape = []
        class Number:
            def __init__(self, data):
                self.data, self.grad = data, 0.0
            def __mul__(self, other):
                out = Number(self.data * other.data)
                def rule():
                    self.grad += other.data * out.grad
                    other.grad += self.data * out.grad
                tape.append(rule)
                return out
        class Model:
            def __init__(self):
                self.w = Number(2.0)
            def __call__(self, x):
                return self.w * Number(x)
        model = Model()
        loss = model(3.0)
        loss.grad = 1.0
        tape.pop()()
        """
    )
    assert names(recording) == ["model.w", "–", "loss"]


def test_what_an_engine_holds_while_it_works_names_nothing(ran: Callable[[str], Recording]) -> None:
    recording = ran(
        """
        class Number:
            def __init__(self, data, children=()):
                self.data, self.grad, self.children = data, 0.0, children
            def __mul__(self, other):
                return Number(self.data * other.data, (self, other))
            def backward(self):
                order = []
                def visit(node):
                    for child in node.children:
                        visit(child)
                    order.append(node)
                visit(self)
                self.grad = 1.0
                for node in reversed(order):
                    if node.children:
                        a, b = node.children
                        a.grad += node.grad * b.data
                        b.grad += node.grad * a.data
        w = Number(2.0)
        def model(x):
            return w * Number(x)
        model(3.0).backward()
        """
    )
    assert names(recording) == ["w", "–", "–"]


def test_values_from_before_are_named_too() -> None:
    model = {"w": [Value(1.0)]}
    with record(lines=True) as recording:
        (model["w"][0] * 2).backward()
    assert names(recording) == ["model['w'][0]", "–"]


def test_without_lines_nothing_is_named() -> None:
    with record() as recording:
        w = Value(1.0)
        loss = w * 2
        loss.backward()
    assert names(recording) == ["–", "–"]


def test_nothing_of_the_program_is_kept_alive() -> None:
    class Model:
        def __init__(self) -> None:
            self.w = Value(1.0)

        def __call__(self) -> Value:
            return (self.w * 2).exp()

    def made() -> weakref.ref[Model]:
        model = Model()
        model().backward()
        return weakref.ref(model)

    with record(lines=True) as recording:
        alive = made()
        gc.collect()
        assert alive() is None
    assert recording.length


def test_a_debugger_keeps_its_trace_function() -> None:
    seen: list[int] = []

    def trace(frame: Any, _event: str, _: object) -> Any:
        if frame.f_code.co_name == "traced":
            seen.append(frame.f_lineno)
        return trace

    def traced() -> Value:
        x = Value(1.0)
        return x * 2

    before = sys.gettrace()
    with record(lines=True) as recording:
        sys.settrace(trace)
        try:
            y = traced()
        finally:
            sys.settrace(before)
        later = y * 3
    assert later.data == 6.0
    line = traced.__code__.co_firstlineno
    assert sorted({*seen}) == [line, line + 1, line + 2]
    made = [recording.node(i).place.line for i in range(3)]
    assert made == [line + 1, line + 2, line + 2]


def test_names_and_scopes_are_the_same_under_a_debugger(ran: Callable[[str], Recording]) -> None:
    text = """
        import sys
        class Head:
            def __init__(self, w):
                self.w = Value(w)
            def __call__(self, x):
                h = x * self.w
                return h.tanh()
        def trace(frame, event, _):
            return trace
        before = sys.gettrace()
        sys.settrace({})
        model = [Head(1.0), Head(2.0)]
        for _ in range(2):
            loss = sum(head(Value(3.0)) for head in model)
            loss.backward()
        sys.settrace(before)
        """
    alone, traced = ran(text.format("before")), ran(text.format("trace"))
    assert (names(traced), scopes(traced)) == (names(alone), scopes(alone))


# What holds an object.

Pair = namedtuple("Pair", "first second")


class Thing:
    """An object of a program."""


class Slotted:
    """An object without a dictionary."""

    __slots__ = ("left", "right")


def an_object(kind: type, attributes: list[tuple[str, object]]) -> object:
    made = kind()
    for name, held in attributes:
        setattr(made, name, held)
    return made


LEAVES = st.builds(Value, st.just(1.0))
KEYS = st.one_of(
    st.text(max_size=5), st.integers(), st.booleans(), st.none(), st.binary(max_size=3),
    st.tuples(st.integers(), st.text(max_size=3)),
)  # fmt: skip
HELD = st.recursive(
    LEAVES | st.integers(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(KEYS, inner, max_size=3),
        st.dictionaries(KEYS, inner, max_size=3).map(OrderedDict),
        st.builds(Pair, inner, inner),
        st.lists(st.tuples(st.sampled_from(["a", "b", "w"]), inner), max_size=3).map(
            partial(an_object, Thing)
        ),
        st.lists(st.tuples(st.sampled_from(["left", "right"]), inner), max_size=2).map(
            partial(an_object, Slotted)
        ),
    ),
    max_leaves=12,
)


def values_only(thing: object) -> Value | None:
    return thing if isinstance(thing, Value) else None


@given(st.dictionaries(st.sampled_from(["x", "y", "model", "_hidden"]), HELD))
def test_a_name_is_an_expression_that_gives_what_it_names(variables: dict[str, object]) -> None:
    found = list(name_all(values_only, [variables]))
    for value, held in found:
        assert eval(held.text, {}, dict(variables)) is value
    assert len({id(value) for value, _ in found}) == len(found)


def test_of_several_ways_the_first_variable_counts_and_then_the_shortest() -> None:
    w = Value(1.0)
    variables = {"deep": [[w], w], "near": w}
    assert [held.text for _, held in name_all(values_only, [variables])] == ["deep[1]"]


def test_what_ipython_holds_has_the_names_of_the_program() -> None:
    w = Value(1.0)
    shell = {"user": {"w": w}}
    variables = {"Out": {3: w}, "get_ipython": partial(print, shell), "_3": w, "w": w}
    assert [held.text for _, held in name_all(values_only, [variables])] == ["w"]


def test_what_the_program_defines_never_runs() -> None:
    class Meta(type):
        @property
        def __mro__(cls) -> Any:
            raise AssertionError

        def __getattribute__(cls, name: str) -> Any:
            raise AssertionError(name)

    class Loud:
        @property  # type: ignore[misc]
        def __class__(self) -> Any:
            raise AssertionError

        def __getattribute__(self, name: str) -> Any:
            raise AssertionError(name)

    class Secret:
        @property
        def w(self) -> Any:
            raise AssertionError

        @property
        def __dict__(self) -> Any:  # type: ignore[override]
            raise AssertionError

    class Listed(list[Any]):
        def __iter__(self) -> Any:
            raise AssertionError

        def __len__(self) -> int:
            raise AssertionError

    class Mapped(dict[str, Any]):
        def items(self) -> Any:
            raise AssertionError

        def __iter__(self) -> Any:
            raise AssertionError

    w = [Value(float(i)) for i in range(3)]
    loud = Loud()
    object.__getattribute__(loud, "__dict__")["w"] = w[0]
    kind = type.__new__(Meta, "Kind", (), {"w": w[1]})
    variables = {
        "loud": loud, "kind": kind, "secret": Secret(), "listed": Listed([1, w[2]]),
        "mapped": Mapped(a=[w[2]]),
    }  # fmt: skip
    found = {held.text: value for value, held in name_all(values_only_by_type, [variables])}
    assert found == {"loud.w": w[0], "kind.w": w[1], "listed[1]": w[2]}


def values_only_by_type(thing: object) -> Value | None:
    return thing if issubclass(type(thing), Value) else None  # type: ignore[return-value]


def test_cycles_depth_and_size_are_bounded() -> None:
    cycle: list[object] = [Value(1.0)]
    cycle.append(cycle)
    deep: list[object] = [Value(2.0)]
    for _ in range(5000):
        deep = [deep]
    wide = [Value(3.0), *[0.0] * 1_000_000, Value(4.0)]
    variables = {"cycle": cycle, "deep": deep, "wide": wide, "last": Value(5.0)}
    found = [held.text for _, held in name_all(values_only, [variables])]
    assert found == ["cycle[0]", "wide[0]", "last"]


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many items each search for what holds leaves has looked at."""
    looked: list[int] = []

    def search(pairs: Any, variables: Any, opaque: Any, count: Any, wanted: Any) -> Any:
        def counted(items: int) -> None:
            looked.append(items)
            count(items)

        yield from name_all(pairs, variables, opaque, counted, wanted)

    monkeypatch.setattr("stepgrad.recording.holders.name_all", search)
    return looked


def test_a_program_that_holds_a_lot_is_searched_in_proportion_to_its_nodes(
    ran: Callable[[str], Recording], looked: list[int]
) -> None:
    recording = ran(
        """
        table = [[0.0] * 10 for _ in range(1000)]
        w = Value(2.0)
        for step in range(100):
            (w * Value(step)).backward()
        last = Value(1.0)
        """
    )
    most = max(looked)
    assert most > 10_000
    assert sum(looked) <= (1 << 13) + recording.size + 10 * most
    assert len(looked) < 20
    assert "last" in names(recording)
    assert names(recording)[0] == "w"


def test_a_leaf_that_is_made_like_another_is_called_after_what_holds_it(
    ran: Callable[[str], Recording],
) -> None:
    recording = ran(
        """
        w, xs, by_key, record = Value(2.0), [], {}, type("Record", (), {})()
        for step in range(4):
            xs.append(Value(step))
            by_key[step, "x"] = Value(step)
            setattr(record, f"x{step}", Value(step))
            loss = w * xs[step] * by_key[step, "x"] * getattr(record, f"x{step}")
            loss.backward()
        """
    )
    found = set(names(recording))
    assert {f"xs[{step}]" for step in range(4)} < found
    assert {f"by_key[({step}, 'x')]" for step in range(4)} < found
    assert {f"record.x{step}" for step in range(4)} < found


def test_each_leaf_of_a_list_is_called_after_its_place_if_it_is_logged_as_it_is_made(
    ran: Callable[[str], Recording], looked: list[int]
) -> None:
    recording = ran(
        """
        table, kept = [[0.0] * 10 for _ in range(1000)], []
        for step in range(100):
            kept.append(Value(step))
            kept[step].grad = 1.0
        """
    )
    assert len(looked) < 20
    assert names(recording) == [f"kept[{step}]" for step in range(100)]


def test_what_runs_a_program_names_nothing(
    ran: Callable[[str], Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    lent: list[Value] = []
    monkeypatch.setattr(sys, "lent", lent, raising=False)
    recording = ran(
        """
        import sys
        sys.lent.append(Value(2.0))
        (sys.lent[0] * 3).backward()
        """
    )
    assert lent
    assert names(recording) == ["–", "–"]


def test_our_classes_and_functions_of_libraries_are_not_searched(
    ran: Callable[[str], Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    node_of = holders._node_of

    def look(thing: object) -> object:
        looked.append(thing)
        return node_of(thing)

    monkeypatch.setattr(holders, "_node_of", look)
    recording = ran(
        """
        class Mine(Value):
            kept = Value(1.0)
        (Mine.kept * 2).backward()
        library = {"__file__": "/lib/site-packages/library.py", "Value": Value}
        exec("def library(state=Value(2.0)): return state * 3", library)
        library = library["library"]
        library().backward()
        """
    )
    assert names(recording) == ["Mine.kept", "–", "–", "–"]
    assert Value in looked
    assert Value.backward not in looked


def test_what_a_library_holds_that_calls_the_program_is_not_searched(
    ran: Callable[[str], Recording], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (library := tmp_path / "site-packages").mkdir()
    (library / "tester.py").write_text(
        "kept = []\ndef call(function):\n    result = function(kept)\n    return result\n"
    )
    looked: list[object] = []
    node_of = holders._node_of

    def look(thing: object) -> object:
        looked.append(thing)
        return node_of(thing)

    monkeypatch.setattr(holders, "_node_of", look)
    recording = ran(
        f"""
        import sys
        sys.path.insert(0, {str(library)!r})
        import tester
        def test(kept):
            kept.append(Value(2.0))
            model = [Value(3.0)]
            (kept[0] * model[0]).backward()
        tester.call(test)
        """
    )
    assert names(recording) == ["kept[0]", "model[0]", "–"]
    assert sys.modules.pop("tester").call not in looked


def test_looking_for_names_keeps_nothing_alive(ran: Callable[[str], Recording]) -> None:
    recording = ran(
        """
        import weakref
        from stepgrad import Value
        class Held: pass
        def train():
            w, held = Value(2.0), Held()
            (w * w).backward()
            gone = weakref.ref(held)
            del held
            assert gone() is None
            seen = locals()
            (w * w).backward()
            assert seen["w"] is w
        train()
        """
    )
    assert names(recording)[0] == "w"
