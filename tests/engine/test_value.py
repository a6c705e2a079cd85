"""`Value` in the place of the Value classes that people learn from."""

import copy
import gc
import math
import operator
import pickle
import random
from collections.abc import Callable, Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import Graph, graphs, wild
from reference import all_bits
from stepgrad import Value, record, scope


def total(values: Iterable[Value]) -> Value:
    """What `sum` gives, to a type checker: a sum of Values is one."""
    return sum(values)  # type: ignore[return-value]


def values_alive() -> int:
    gc.collect()
    return sum(type(thing) is Value for thing in gc.get_objects())


# Programs written for other Value classes.


def test_micrograds_readme() -> None:
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert f"{g.data:.4f} {a.grad:.4f} {b.grad:.4f}" == "24.7041 138.8338 645.5773"


def test_a_network_in_the_style_of_micrograd_learns() -> None:
    draw = random.Random(1)

    class Unit:
        def __init__(self, inputs: int, nonlinear: bool) -> None:
            self.w = [Value(draw.uniform(-1, 1)) for _ in range(inputs)]
            self.b = Value(0)
            self.nonlinear = nonlinear

        def __call__(self, x: list[Any]) -> Value:
            act = sum((wi * xi for wi, xi in zip(self.w, x, strict=True)), self.b)
            return act.relu() if self.nonlinear else act

        def parameters(self) -> list[Value]:
            return [*self.w, self.b]

    hidden, out = [Unit(2, True) for _ in range(6)], Unit(6, False)
    parameters = [p for unit in [*hidden, out] for p in unit.parameters()]
    rows = [([0, 0], -1), ([0, 1], 1), ([1, 0], 1), ([1, 1], -1)]
    losses = []
    for _ in range(60):
        scores = [out([unit(x) for unit in hidden]) for x, _ in rows]
        margins = [(1 + -y * score).relu() for (_, y), score in zip(rows, scores, strict=True)]
        loss = total(margins) * (1.0 / len(rows)) + 1e-4 * total(p * p for p in parameters)
        for p in parameters:
            p.grad = 0
        loss.backward()
        for p in parameters:
            p.data -= 0.1 * p.grad
        losses.append(loss.data)
    assert losses[-1] < 0.2 * losses[0]


def test_a_language_model_in_the_style_of_microgpt_learns() -> None:
    draw = random.Random(2)
    table = [[Value(draw.gauss(0, 0.5)) for _ in range(4)] for _ in range(4)]
    parameters = [p for row in table for p in row]
    first, second = [0.0] * len(parameters), [0.0] * len(parameters)

    def rmsnorm(x: list[Value]) -> list[Value]:
        ms = total(xi * xi for xi in x) / len(x)
        scale = (ms + 1e-5) ** -0.5
        return [xi * scale for xi in x]

    def softmax(logits: list[Value]) -> list[Value]:
        largest = max(val.data for val in logits)
        exps = [(val - largest).exp() for val in logits]
        return [e / total(exps) for e in exps]

    losses = []
    for step in range(30):
        terms = [-softmax(rmsnorm(table[i]))[(i + 1) % 4].log() for i in range(4)]
        loss = (1 / len(terms)) * total(terms)
        loss.backward()
        for i, p in enumerate(parameters):
            first[i] = 0.85 * first[i] + 0.15 * p.grad
            second[i] = 0.99 * second[i] + 0.01 * p.grad**2
            m_hat, v_hat = first[i] / (1 - 0.85 ** (step + 1)), second[i] / (1 - 0.99 ** (step + 1))
            p.data -= 0.1 * m_hat / (v_hat**0.5 + 1e-8)
            p.grad = 0
        losses.append(loss.data)
    assert losses[-1] < 0.5 * losses[0]


def test_a_program_hangs_its_own_attributes_on_values() -> None:
    p = Value(1.0)
    p.m = p.v = 0.0  # type: ignore[attr-defined]
    p.m += 0.5  # type: ignore[attr-defined]
    assert (p.m, p.v) == (0.5, 0.0)  # type: ignore[attr-defined]


def test_drawing_code_of_micrograd_finds_operands_and_operation() -> None:
    a, b = Value(1.0), Value(2.0)
    c = a * b
    assert (c._prev, c._op, a._op) == ((a, b), "·", "")


# Numbers on either side.


@pytest.mark.parametrize(
    "function", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
)
@pytest.mark.parametrize("number", [2, 2.0, True, Fraction(1, 2)])
def test_a_plain_number_may_stand_on_either_side(
    function: Callable[[Any, Any], Any], number: Any
) -> None:
    assert function(Value(3.0), number).data == function(3.0, float(number))
    assert function(number, Value(3.0)).data == function(float(number), 3.0)


@pytest.mark.parametrize("number", ["2", None, 1j, [1.0]])
def test_what_is_no_number_is_refused(number: Any) -> None:
    with pytest.raises(TypeError):
        Value(1.0) + number
    with pytest.raises(TypeError):
        number * Value(1.0)


def test_a_value_is_not_its_number() -> None:
    p = Value(2.0)
    for slip in (
        lambda: setattr(p, "data", p.data - 0.1 * p),
        lambda: setattr(p, "grad", p.grad + p),
        lambda: Value(p),  # type: ignore[arg-type]
        lambda: math.sqrt(p),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError, match=r"v\.data or v\.grad .*, as in p\.data -= "):
            slip()
    assert (p.data, p.grad) == (2.0, 0.0)


def test_a_decimal_is_refused_before_it_runs_and_when_it_does() -> None:
    with pytest.raises(TypeError):
        Value(1.0) + Decimal(2)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Decimal(2) * Value(1.0)  # type: ignore[operator]


def test_a_subclass_takes_part() -> None:
    class Parameter(Value):
        pass

    p, x = Parameter(3.0), Value(2.0)
    (x * p + p * x).backward()
    assert (p.grad, x.grad) == (4.0, 6.0)


def test_plus_makes_no_node() -> None:
    x = Value(1.0)
    assert +x is x


# Labels.


def test_labels_and_scopes() -> None:
    x = Value(1.0, label="x")
    with scope("layer1"), scope("neuron2"):
        w = Value(2.0, label="w")
        y = w * x
        y.label = "y"
    assert (x.label, w.label, y.label) == ("x", "layer1/neuron2/w", "layer1/neuron2/y")
    assert Value(1.0).label is None


@pytest.mark.parametrize(("label", "text"), [(0, "0"), (7, "7"), ("", None), (None, None)])
def test_a_label_is_text(label: Any, text: str | None) -> None:
    x, y = Value(1.0, label=label), Value(1.0)
    y.label = label
    assert (x.label, y.label) == (text, text)


@pytest.mark.parametrize("kind", [tuple, list, set, frozenset, dict.fromkeys, iter])
def test_operands_are_no_label(kind: Callable[[list[Value]], object]) -> None:
    a, b = Value(1.0), Value(2.0, label="b")
    for operands in (kind([a, b]), kind([]), a):
        with record() as recording:
            with pytest.raises(TypeError, match=r"operands come from operations, as in `a \* b`"):
                Value(2.0, label=operands)
            with pytest.raises(TypeError, match='write `label="a"`'):
                b.label = operands
        assert not recording.size
    assert b.label == "b"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Value(2), "Value(data=2.0, grad=0.0)"),
        (Value(2, label="w"), "Value(data=2.0, grad=0.0, label='w')"),
    ],
)
def test_repr(value: Value, text: str) -> None:
    assert repr(value) == text


# Gradients.


def test_grad_takes_what_float_takes_and_none() -> None:
    p = Value(1.0)
    p.grad, p.data = 3, 2
    assert (p.grad, p.data) == (3.0, 2.0)
    p.grad = None
    assert p.grad == 0.0


def pickled(value: Value) -> Value:
    twin = pickle.loads(pickle.dumps(value))
    assert isinstance(twin, Value)
    return twin


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, pickled])
def test_a_copy_is_a_leaf_of_its_own(clone: Callable[[Value], Value]) -> None:
    x = Value(3.0)
    y = x * x
    y.label, y.m = "y", [1.0]  # type: ignore[attr-defined]
    y.backward()
    twin = clone(y)
    assert (twin.data, twin.grad, twin.label, twin.m) == (9.0, 1.0, "y", [1.0])  # type: ignore[attr-defined]
    (twin * 2).backward()
    assert (twin.grad, y.grad, x.grad) == (3.0, 1.0, 6.0)


class Parameter(Value):
    """Asks for what `copy` does not know, and keeps it in a slot and in an attribute."""

    __slots__ = ("kept",)

    def __init__(self, data: float, *, kept: list[float], hung: object) -> None:
        super().__init__(data)
        self.kept, self.hung = kept, hung


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, pickled])
@pytest.mark.parametrize("label", ["w", None])
def test_a_copy_of_a_subclass_is_one(clone: Callable[[Value], Value], label: str | None) -> None:
    w = Parameter(2.0, kept=[1.0], hung="here")
    w.label = label
    w.grad = -0.0
    with record() as recording:
        twin = clone(w)
    assert isinstance(twin, Parameter)
    assert (twin.data, str(twin.grad), twin.label) == (2.0, "-0.0", label)
    assert (twin.kept, twin.hung, type(twin * 1)) == ([1.0], "here", Parameter)
    assert (recording.size, recording.node(0).name) == (1, label)
    assert str(recording.history.grad(0, recording.length)) == "-0.0"


def test_a_copy_of_what_refers_to_itself() -> None:
    x = Value(1.0)
    x.self = x  # type: ignore[attr-defined]
    twin = copy.deepcopy(x)
    assert twin.self is twin  # type: ignore[attr-defined]


def test_a_deep_copied_model_trains_apart() -> None:
    model = {"w": [Value(1.0, label="w")]}
    twin = copy.deepcopy(model)
    (twin["w"][0] * 3).backward()
    assert (model["w"][0].grad, twin["w"][0].grad) == (0.0, 3.0)


# Memory.


def test_nothing_is_kept_alive_without_a_recording() -> None:
    before = values_alive()
    p = Value(1.0)
    for _ in range(3):
        (p * p + 1).tanh().backward()
    assert values_alive() == before + 1


def test_a_graph_needs_no_garbage_collector_to_be_freed() -> None:
    p = Value(1.0)
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(50):
            (p * p + p).tanh().backward()
        assert len(gc.get_objects()) < before + 50
    finally:
        gc.enable()


@pytest.mark.parametrize("recorded", [False, True])
def test_a_long_chain_needs_no_recursion(recorded: bool) -> None:
    def run() -> tuple[float, float]:
        x = y = Value(1.0)
        for _ in range(100_000):
            y = y + 1
        y.backward()
        return y.data, x.grad

    before = values_alive()
    if recorded:
        with record() as recording:
            assert run() == (100_001.0, 1.0)
        assert recording.length == 1 + 100_000 + 1 + 100_000
    else:
        assert run() == (100_001.0, 1.0)
    assert values_alive() == before


# Recording changes nothing.


@given(graphs(wild))
def test_recorded_equals_unrecorded(graph: Graph) -> None:
    def results() -> list[float]:
        values = graph.build()
        values[-1].backward()
        return [number for value in values for number in (value.data, value.grad)]

    with record():
        recorded = results()
    assert all_bits(recorded) == all_bits(results())


@given(st.floats(), st.floats())
def test_nothing_raises(a: float, b: float) -> None:
    x, y = Value(a), Value(b)
    z = x**y / (x - y).log() + y.sqrt() * x.exp().sin()
    z.backward()
    assert isinstance(x.grad, float)


def test_not_a_number_travels_on() -> None:
    x = Value(-1.0)
    y = x.log() + 1
    y.backward()
    assert math.isnan(y.data)
    assert x.grad == -1.0


def test_a_value_without_a_closure_says_so() -> None:
    with pytest.raises(AttributeError, match="no _backward"):
        (Value(2.0) * 3.0)._backward()
