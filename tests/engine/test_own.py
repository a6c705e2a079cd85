"""Operations that a program defines: `op`, and the constructors of other Value classes."""

import copy
import math
import re
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from math import isclose
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs import tame
from stepgrad import Value, op, record
from stepgrad.engine.numeric import BY_DIFFERENCES, BY_STEPS, derivative
from stepgrad.engine.own import OwnOp


def operation(value: Value) -> OwnOp:
    found = value._operation
    assert isinstance(found, OwnOp)
    return found


@op
def cube(x: Any) -> Any:
    return x * x * x


@op(partials=(lambda x, y: y * math.cos(x * y), lambda x, y: x * math.cos(x * y)))
def wave(x: Any, y: Any) -> Any:
    return math.sin(x * y)


@op(partials=lambda *xs: [2 * x for x in xs])
def squares(*xs: Any) -> Any:
    return sum(x * x for x in xs)


@op
def softplus(x: Any, slope: float = 1.0) -> Any:
    return math.log1p(math.exp(slope * x)) / slope


# `op`.


def test_partials_are_what_passes_back() -> None:
    x, y = Value(0.5), Value(2.0)
    (wave(x, y) * 3).backward()
    assert wave(x, y).data == math.sin(1.0)
    assert (x.grad, y.grad) == (3 * 2.0 * math.cos(1.0), 3 * 0.5 * math.cos(1.0))


def test_an_operation_is_one_node_named_after_its_function() -> None:
    class Own(Value):
        __add__ = op(name="__add__")(lambda one, other: one + other)

        @op
        def __matmul__(self, other: Any) -> Any:
            return self * other

    x = Own(2.0, label="x")
    y = cube(x)
    assert (y._prev, y._op, operation(y).written({"a": "x"})) == ((x,), "cube", "cube(x)")
    assert [operation(each).written({}) for each in (x + x, x @ x)] == ["a + b", "matmul(a, b)"]
    assert op(name="third power")(lambda x: x * x * x)(x)._op == "third power"


@pytest.mark.parametrize("count", [1, 2, 3, 300])
def test_it_may_have_any_number_of_operands(count: int) -> None:
    xs = [Value(float(i)) for i in range(count)]
    y = squares(*xs)
    y.backward()
    assert len(y._prev) == count
    assert [x.grad for x in xs] == [2.0 * i for i in range(count)]


def test_what_many_operands_are_written_as() -> None:
    assert operation(squares(*map(Value, range(200)))).written({}) == "squares(x1, x2, …, x200)"


@pytest.mark.parametrize(
    ("name", "children", "text"),
    [
        ("**2", 1, "a²"), ("**-1", 1, "a⁻¹"), ("**(-2)", 1, "a⁻²"), ("^3", 1, "a³"),
        ("**0.5", 1, "a^0.5"), ("+", 2, "a + b"), ("*", 2, "a·b"), ("-", 1, "−a"),
        ("mul", 2, "a·b"), ("truediv", 2, "a / b"), ("relu", 1, "relu(a)"),
        ("-", 2, "-(a, b)"), ("*", 1, "*(a)"), ("leaf", 1, "leaf(a)"),
        ("shut_relu", 1, "shut_relu(a)"),
    ],
)  # fmt: skip
def test_a_name_of_the_table_is_written_as_there(name: str, children: int, text: str) -> None:
    given = tuple(Value(2.0) for _ in range(children))
    assert operation(Value(1.0, given, name)).written({}) == text


def test_plain_numbers_are_constants() -> None:
    x = Value(3.0)
    y = squares(1.0, x, True, x)
    y.backward()
    assert (y.data, x.grad) == (20.0, 12.0)
    assert [each._operation.name for each in y._prev] == ["constant", "leaf", "constant", "leaf"]


def test_among_plain_numbers_it_is_the_function() -> None:
    assert cube(2.0) == 8.0
    assert isinstance(cube(2), int)


def test_settings_come_by_name_and_are_those_of_the_derivative_too() -> None:
    x = Value(0.3)
    y = softplus(x, slope=2.0)
    y.backward()
    assert isclose(x.grad, 1 / (1 + math.exp(-0.6)), rel_tol=1e-10)
    assert operation(y).value(0.3) == y.data == softplus(0.3, slope=2.0)
    assert operation(y) is operation(softplus(x, slope=2.0))
    assert operation(y) is not operation(softplus(x))


def test_an_operand_may_come_by_name() -> None:
    x, y = Value(0.5), Value(2.0)
    assert wave(y=y, x=x)._prev == (x, y)


@pytest.mark.parametrize("operand", [[1.0], "1", None, 1j])
def test_operands_are_values_and_numbers(operand: object) -> None:
    with pytest.raises(TypeError, match=r"squares\(\) takes Values and numbers, one by one, not"):
        squares(Value(1.0), operand)


def test_operands_in_a_list_are_refused() -> None:
    for listed in ([Value(1.0)], (Value(1.0), 2.0)):
        with pytest.raises(
            TypeError, match=r"squares\(\) takes Values and numbers, one by one, not"
        ):
            squares(listed)


def one(x: Any) -> Any:
    return x


def two(x: Any, y: Any) -> Any:
    return x + y


def a_list(x: Any, *, c: float = 2.0) -> Any:
    return [x * c]


TAKE = "partials of {} are functions of its operands, one for each, not {}"
GIVE = "{} must be a real number, not {}"


@pytest.mark.parametrize(
    ("partials", "function", "message"),
    [
        ((lambda *xs: xs[0],), two, "two() has partials for 1 operand, and got 2: a setting "),
        ((lambda _: 1, lambda _: 1), one, "one() has partials for 2 operands, and got 1"),
        ((), one, "one() has partials for 0 operands, and got 1"),
        (lambda *xs: xs[0], two, "two() has partials for 1 operand, and got 2"),
        ((1.0,), one, TAKE.format("one()", "float")),
        (1.0, one, TAKE.format("one()", "float")),
        ("x", one, TAKE.format("one()", "str")),
        ((lambda _: None,), one, GIVE.format("partial 1 of one()", "None")),
        ((lambda _: "1",), one, GIVE.format("partial 1 of one()", "str")),
        ((lambda _: Value(1.0),), one, GIVE.format("partial 1 of one()", "Value")),
        (lambda *_: [1, 1j], two, GIVE.format("partial 2 of two()", "complex")),
        ((lambda *_: 1, lambda _: 1), two, "partial 2 of two() must take what two() takes: "),
        (lambda: 1, one, "the partials of one() must take what one() takes: "),
        (None, lambda _: None, GIVE.format("what f() returns", "None")),
        (None, lambda x: 1j * x, GIVE.format("what f() returns", "complex")),
        (None, lambda _: "3", GIVE.format("what f() returns", "str")),
        (None, Value, GIVE.format("what Value() returns", "Value")),
        (None, a_list, GIVE.format("what a_list() returns", "list")),
        (None, 3, "op takes a function, not int"),
        (None, staticmethod(one), "op takes a function: write @staticmethod above @op"),
        (None, classmethod(two), "op takes a function: write @classmethod above @op"),
    ],
)
def test_what_is_wrong_with_an_operation_is_said_with_its_name(
    partials: Any, function: Any, message: str
) -> None:
    with pytest.raises(TypeError, match="^" + re.escape(message)):
        op(partials=partials)(function)(*[Value(1.0)] * (2 if function is two else 1))


def test_an_error_of_the_program_stays_its_own() -> None:
    def fails(_: float) -> float:
        raise ValueError("mine")

    for own in (op(fails), op(partials=(fails,))(one), op(partials=fails)(one)):
        with pytest.raises(ValueError, match=r"^mine$"):
            own(Value(1.0))
    with pytest.raises(TypeError, match="unsupported operand"):
        op(partials=(lambda x: x + "",))(one)(Value(1.0))


def test_a_setting_is_no_value() -> None:
    with pytest.raises(TypeError, match=r"^c is a setting of a_list\(\), and may not be a Value"):
        op(a_list)(Value(1.0), c=Value(2.0))


def test_a_setting_that_may_change_is_refused() -> None:
    @op
    def poly(x: Any, *, c: Any) -> Any:
        return sum(each * x**power for power, each in enumerate(c))

    x = Value(2.0)
    poly(x, c=(1, 2, 3)).backward()
    assert isclose(x.grad, 14.0)
    with pytest.raises(TypeError, match=r"settings of poly\(\) stay the same: .* not a list"):
        poly(x, c=[1, 2, 3])


@pytest.mark.parametrize(
    ("function", "name"),
    [(lambda x: x, "f"), (partial(pow, 2.0), "partial"), (math.sinh, "sinh")],
)
def test_every_function_has_a_name(function: Callable[..., Any], name: str) -> None:
    assert op(function)(Value(1.0))._op == name


def test_how_derivatives_are_found_is_said() -> None:
    x = Value(0.5)
    made = cube(x), softplus(x), wave(x, x)
    assert [operation(each).found for each in made] == [
        "by complex steps", "by differences", "stored",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "at", "due", "by"),
    [
        (lambda x: x * x * x, 2.0, 12.0, BY_STEPS),
        (lambda x: 1 / x, 1e-12, -1e24, BY_STEPS),
        (math.exp, 1.0, math.e, BY_DIFFERENCES),
        (math.exp, 50.0, math.exp(50.0), BY_DIFFERENCES),
        (math.log, 1e-6, 1e6, BY_DIFFERENCES),
        (math.log, 1e6, 1e-6, BY_DIFFERENCES),
        (math.sin, 1e3, math.cos(1e3), BY_DIFFERENCES),
        (abs, -3.0, -1.0, BY_DIFFERENCES),  # abs drops the imaginary part
        (lambda x: x.real * 2, 5.0, 2.0, BY_DIFFERENCES),
        (lambda _: 3.0, 5.0, 0.0, BY_DIFFERENCES),
    ],
)
def test_the_derivative_of_a_function(
    function: Callable[..., float], at: float, due: float, by: str
) -> None:
    found = derivative(function, [at], 0)
    assert isclose(found.value, due, rel_tol=1e-9, abs_tol=1e-10)
    assert found.by == by


@pytest.mark.parametrize(
    ("function", "at", "due"),
    [
        (math.asin, 0.999999, 707.1069579492319),
        (math.asin, -0.9999999, 2236.068033403962),
        (math.acosh, 1.0000001, 2236.0679216067026),
        (math.atanh, 1 - 1e-8, 5e7),
    ],
)
def test_the_derivative_near_the_end_of_a_domain(
    function: Callable[..., float], at: float, due: float
) -> None:
    assert isclose(derivative(function, [at], 0).value, due, rel_tol=1e-4)


def test_numbers_of_numpy_become_floats() -> None:
    np = pytest.importorskip("numpy")
    x = Value(0.5)
    (op(np.tanh)(x) + op(lambda x: np.exp(x) * 2)(x)).backward()
    assert type(x.grad) is float
    assert isclose(x.grad, 1 - math.tanh(0.5) ** 2 + 2 * math.exp(0.5), rel_tol=1e-9)


@pytest.mark.parametrize("action", ["always", "error"])
def test_what_numpy_says_of_complex_steps_is_not_shown(action: Any) -> None:
    np = pytest.importorskip("numpy")
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter(action)
        y = op(lambda *xs: float(np.dot(xs, xs)))(x := Value(3.0), 2.0)
        warnings.simplefilter("always")
        warnings.warn("mine", stacklevel=1)
    y.backward()
    assert isclose(x.grad, 6.0)
    assert [str(each.message) for each in shown] == ["mine"]


@pytest.mark.parametrize(
    ("function", "at"),
    [(math.sqrt, 0.0), (math.floor, 3.0), (math.ceil, -1.0), (round, 0.5), (lambda x: x > 2, 2.0)],
)
def test_where_there_is_no_derivative_it_is_nan(function: Any, at: float) -> None:
    assert math.isnan(derivative(function, [at], 0).value)


@pytest.mark.parametrize("function", [math.floor, abs, lambda x: x**3, lambda x: max(x, -x) ** 1.5])
def test_where_it_is_0_it_is_0(function: Any) -> None:
    at = 0.5 if function is math.floor else 0.0
    assert isclose(derivative(function, [at], 0).value, 0.0, abs_tol=1e-3)


# Subclasses.


class V(Value):
    __slots__ = ()

    @op
    def gelu(self: Any) -> Any:
        return 0.5 * self * (1 + math.erf(self / math.sqrt(2)))

    def swish(self) -> Value:
        return self * self.sigmoid()


class W(V):
    pass


def test_a_method_of_a_subclass_is_an_operation() -> None:
    x = V(1.0)
    y: Any = (x * 3).gelu()
    y.backward()
    due = 0.5 * (1 + math.erf(3 / math.sqrt(2))) + 3 * math.exp(-4.5) / math.sqrt(2 * math.pi)
    assert isclose(x.grad, 3 * due, rel_tol=1e-9)
    assert isinstance(y, V)
    assert y._op == "gelu"


@pytest.mark.parametrize(
    ("compute", "kind"),
    [
        (lambda: V(2.0) * 3, V),
        (lambda: 3 - V(2.0), V),
        (lambda: V(2.0) ** 2, V),
        (lambda: 2 ** V(2.0), V),
        (lambda: V(2.0).tanh(), V),
        (lambda: -V(2.0), V),
        (lambda: V(2.0) + V(1.0), V),
        (lambda: V(2.0) + Value(1.0), V),
        (lambda: Value(2.0) / V(1.0), V),
        (lambda: V(2.0) * W(1.0), W),
        (lambda: W(2.0) * V(1.0), W),
        (lambda: sum([V(1.0), V(2.0)]), V),
        (lambda: cube(V(2.0)), V),
        (lambda: squares(1.0, Value(1.0), W(2.0)), W),
        (lambda: Value(2.0) * 3, Value),
        (lambda: Value(2.0) * (Value(1.0) + 2), Value),
    ],
)
def test_results_are_of_the_subclass(compute: Callable[[], Any], kind: type[Value]) -> None:
    assert type(compute()) is kind


def test_a_subclass_calls_its_methods_on_results() -> None:
    x = V(2.0)
    y: Any = (x + 1).swish()  # type: ignore[attr-defined]
    y.backward()
    slope = 1 / (1 + math.exp(-3))
    assert isclose(x.grad, slope + 3 * slope * (1 - slope), rel_tol=1e-12)


# microgpt's constructor.


def test_a_value_may_be_given_with_its_local_derivatives() -> None:
    p = Value(0.25)
    loss = -Value(math.log(p.data), (p,), (1 / p.data,))
    loss.backward()
    assert p.grad == -4.0


@pytest.mark.parametrize(
    "make",
    [
        lambda a, b: Value(6.0, (a, b), (3.0, 2.0)),
        lambda a, b: Value(6.0, [a, b], [3.0, 2.0]),
        lambda a, b: Value(6.0, children=(a, b), local_grads=(3.0, 2.0)),
        lambda a, b: Value(6.0, iter([a, b]), iter([3.0, 2.0])),
        lambda a, b: Value(6.0, (a, b), (3, 2), label="c", op="times"),
    ],
)
def test_every_spelling_of_children_and_derivatives(make: Callable[..., Value]) -> None:
    a, b = Value(2.0), Value(3.0)
    c = make(a, b)
    (c * 2).backward()
    assert (a.grad, b.grad, c._prev) == (6.0, 4.0, (a, b))


def log_of(x: Value) -> Value:
    return Value(math.log(x.data), (x,), (1 / x.data,))


class Guide(Value):
    """A class whose operations are like those of the guides, without names for them."""

    def __init__(self, data: float, *rest: Any) -> None:
        super().__init__(data, *rest)

    def square(self) -> Value:
        out = Guide(self.data**2, (self,))

        def _backward() -> None:
            self.grad += 2 * self.data * out.grad

        out._backward = _backward
        return out

    def loss(self) -> float:
        worse = Guide(self.data + 1, (self,), (1.0,))
        assert worse._op == "op"
        return worse.data


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (log_of, "log_of"),
        (lambda x: Value(1.0, (x,), (1.0,)), "op"),
        (lambda x: [Value(1.0, (x,), (1.0,))][0], "op"),
        (lambda x: Guide(x.data).square(), "square"),
    ],
)
def test_an_operation_without_a_name_is_called_like_the_function_that_returns_it(
    make: Callable[[Value], Value], name: str
) -> None:
    assert make(Value(2.0))._op == name
    Guide(2.0).loss()


def test_functions_that_come_and_go_have_names_of_their_own() -> None:
    """A later one may lie where an earlier one did."""
    for each in range(50):
        found: dict[str, Any] = {}
        exec(f"def made{each}(x): return Value(1.0, (x,), (1.0,))", {"Value": Value}, found)
        (make,) = found.values()
        assert make(Value(2.0))._op == f"made{each}"


def test_without_children_it_is_a_leaf() -> None:
    for leaf in (Value(1.0, ()), Value(1.0, (), ()), Value(1.0, (), ""), Value(1.0, [], label="x")):
        leaf.backward()
        assert (leaf.grad, leaf._prev, leaf._op) == (1.0, (), "")


def test_a_number_of_derivatives_that_does_not_fit_is_refused() -> None:
    a = Value(2.0)
    with record() as recording:
        for wrong in ((), (1.0, 2.0)):
            with pytest.raises(ValueError, match=f"1 children, but {len(wrong)} local_grads"):
                Value(1.0, (a,), wrong)
        with pytest.raises(TypeError, match="children are Values and numbers, not list"):
            Value(1.0, ([a],), (1.0,))
        with pytest.raises(TypeError, match="have no order"):
            Value(1.0, {a}, (1.0,))
        with pytest.raises(TypeError, match="children are several Values"):
            Value(1.0, a, (1.0,))
    assert not recording.size


def test_a_copy_of_a_computed_value_is_a_leaf() -> None:
    xs = [Value(float(i)) for i in range(4)]
    y = squares(*xs)
    for twin in (copy.copy(y), copy.deepcopy(y)):
        assert (twin.data, twin._prev) == (y.data, ())
        twin.backward()
    assert y.grad == 0.0


# micrograd's constructor, and `_backward`.


def squared(x: Value, *, again: bool = False, kind: type[Value] = Value) -> Value:
    out = kind(x.data**2, (x, x) if again else (x,), "square")

    def _backward() -> None:
        if again:
            x.grad += x.data * out.grad
            x.grad += x.data * out.grad
        else:
            x.grad += 2 * x.data * out.grad

    out._backward = _backward
    return out


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("recorded", [False, True])
def test_a_closure_is_the_rule(again: bool, recorded: bool) -> None:
    x = Value(3.0)

    def run() -> None:
        y = squared(x, again=again)
        (y * 5 + y).backward()

    if recorded:
        with record() as recording:
            run()
        made = [recording.node(i).op.name for i in range(recording.size)]
        assert made == ["leaf", "square", "constant", "mul", "add"]
        writes = sum(type(event).__name__ == "SetGrad" for event in recording.events)
        assert not writes
    else:
        run()
    assert x.grad == 36.0
    assert squared(x)._op == "square"


def test_children_in_a_set_are_in_the_order_in_which_they_were_made() -> None:
    values = [Value(float(i)) for i in range(20)]
    assert Value(1.0, set(values), "sum")._prev == tuple(values)


def test_a_closure_of_what_an_operator_has_made_replaces_its_rule() -> None:
    a, b = Value(2.0), Value(3.0)
    out = a * b

    def _backward() -> None:  # straight through to a
        a.grad += out.grad

    out._backward = _backward
    out.backward()
    assert (a.grad, b.grad, out._backward) == (1.0, 0.0, _backward)
    assert operation(out).value(2.0, 5.0) == 10.0


def test_where_nothing_arrives_the_local_derivative_is_known_all_the_same() -> None:
    x = Value(3.0)
    with record() as recording:
        (squared(x) * 0).backward()
    [*_, last] = recording.events
    assert last.local == 6.0  # type: ignore[union-attr]


def test_the_gradients_at_hand_are_neither_used_nor_changed() -> None:
    x = Value(3.0)
    x.grad = 7.0
    squared(x)
    assert x.grad == 7.0
    squared(x).backward()
    assert x.grad == 13.0


def test_a_leafs_closure_may_do_nothing() -> None:
    x = Value(1.0)
    x._backward = lambda: None
    x.backward()
    assert x.grad == 1.0


def _assigns(x: Value, out: Value, _: Value) -> None:
    x.grad = 2 * out.grad


def _clips(x: Value, out: Value, _: Value) -> None:
    x.grad += max(-1.0, min(1.0, out.grad))


def _strays(_: Value, out: Value, other: Value) -> None:
    other.grad += out.grad


def _updates(x: Value, out: Value, _: Value) -> None:
    x.data -= out.grad


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (_assigns, r"overwrites the gradient of x: write \+= instead of ="),
        (_clips, "does not add grad times a number to the gradient of x"),
        (_strays, "adds to the gradient of other, which is not an operand"),
        (_updates, "changes the data of a Value"),
    ],
)
def test_a_closure_of_another_form_is_refused(
    rule: Callable[[Value, Value, Value], None], message: str
) -> None:
    x, other = Value(1.0, label="x"), Value(2.0, label="other")
    out = Value(3.0, (x,), "odd")
    with pytest.raises(ValueError, match=message):
        out._backward = lambda: rule(x, out, other)
    assert (x.data, x.grad, other.grad) == (1.0, 0.0, 0.0)


def test_a_closure_that_is_no_function_is_refused() -> None:
    out: Any = Value(3.0, (Value(1.0),), "odd")
    with pytest.raises(TypeError, match=r"^_backward is a function, not float"):
        out._backward = 2.0


def test_a_closure_that_comes_too_late_is_refused() -> None:
    with record():
        x = Value(1.0)
        out = x * 2
        out.backward()
        with pytest.raises(ValueError, match="set it right after the Value is made"):
            out._backward = lambda: None


# Laws.


@given(st.lists(tame, min_size=1, max_size=6), st.data())
def test_however_it_is_spelled_the_gradients_are_the_same(
    numbers: list[float], data: st.DataObject
) -> None:
    which = data.draw(st.lists(st.integers(0, len(numbers) - 1), min_size=1, max_size=8))

    def dot(values: Iterable[Value]) -> Value:
        picked = [list(values)[i] for i in which]
        total = Value(0.0)
        for x in picked:
            total += x * x
        return total

    def own(values: list[Value]) -> Value:
        found: Value = squares(*[values[i] for i in which])
        return found

    def stored(values: list[Value]) -> Value:
        picked = [values[i] for i in which]
        return Value(sum(x.data**2 for x in picked), picked, [2 * x.data for x in picked])

    def closed(values: list[Value]) -> Value:
        picked = [values[i] for i in which]
        out = Value(sum(x.data**2 for x in picked), picked, "squares")

        def _backward() -> None:
            for x in picked:
                x.grad += 2 * x.data * out.grad

        out._backward = _backward
        return out

    found = []
    for way in (dot, own, stored, closed):
        values = [Value(x) for x in numbers]
        (way(values) * 0.5).backward()
        found.append([x.grad for x in values])
    assert all(
        isclose(a, b, rel_tol=1e-12)
        for each in found[1:]
        for a, b in zip(each, found[0], strict=True)
    )
