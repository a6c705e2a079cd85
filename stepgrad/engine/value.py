"""`Value`: a number that remembers what it was made from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import copysign, inf
from numbers import Real
from sys import intern
from types import FunctionType
from typing import Any, Self, SupportsFloat

from stepgrad.engine import codegen, ops
from stepgrad.engine.backward import ancestors, propagate
from stepgrad.engine.closure import close, closure_of
from stepgrad.engine.formula import namespace
from stepgrad.engine.given import check_label, connect
from stepgrad.engine.node import Node, tick
from stepgrad.engine.ops import Op
from stepgrad.engine.own import KEPT
from stepgrad.engine.protocols import Protocols, RealNumber
from stepgrad.engine.tape import active_tape, clears, current_place

Operand = float | RealNumber
"""The other operand of a `Value`: another one, or any real number."""

_engine: dict[str, Any] = namespace() | {
    "type": type,
    "NotImplemented": NotImplemented,
    "new": object.__new__,
    "tick": tick,
    "active_tape": active_tape,
}

_of_constants: dict[object, Callable[..., Any]] = {}
"""The methods of `Constant`, by those of `Value` that they stand for."""


def _method(op: Op, *, reflected: bool = False) -> Callable[..., Any]:
    write = partial(codegen.method, op.name, op.operands, op.forward, _engine, reflected=reflected)
    own = int(reflected)  # the slot of `self`
    of_value = write("type(self)")(op, op.beside(1 - own))
    of_constant = write("Value")(op.beside(own), op.beside(*range(len(op.operands))))
    for function in (of_value, of_constant):
        function.__name__, function.__qualname__ = op.name, f"Value.{op.name}"
        function.__module__, function.__doc__ = __name__, op.described
    _of_constants[of_value] = of_constant
    return of_value


def _binary(op: Op, *, reflected: bool = False) -> Callable[[Value, Value | Operand], Value]:
    return _method(op, reflected=reflected)


def _unary(op: Op) -> Callable[[Value], Value]:
    return _method(op)


class Value(Protocols):
    """A scalar in a computation: its number `data`, and its gradient `grad`.

    Arithmetic and the methods below make new Values, linked to their operands; a plain number on
    either side is a constant. `backward()` on a result fills in the gradients::

        x, w = Value(3.0), Value(0.5)
        y = (w * x).tanh()
        y.backward()
        w.grad  # dy/dw

    Arithmetic is IEEE 754 float64, as in PyTorch: log(0) is −inf and nothing raises. Code written
    for the Value classes of micrograd and its relatives runs with this one in their place.

    Args:
        data: the number. Anything `float()` takes.
        label: a name to show; it may come second. In a `scope("layer1")`, `w` is `layer1/w`.
        children: what it was computed from, in an operation of your own, with the `local_grads`:
            the derivative with respect to each. `Value(math.log(p.data), (p,), (1 / p.data,))`, as
            in microgpt. `stepgrad.op` makes an operation of a function.
        op: its name. `Value(data, children, op)` gets its derivatives from the `_backward` that it
            is given next, as in micrograd; until then, nothing passes back.

    Raises:
        TypeError: `data` is not a number, or `children` are not Values and numbers.
        ValueError: there are not as many `local_grads` as children.

    Gradients follow PyTorch's rule: those of leaves (values that are not computed) add up over
    backward passes until they are cleared; those of results belong to one pass.
    """

    __slots__ = ()

    def __init__(
        self,
        data: SupportsFloat,
        children: Any = None,
        local_grads: Any = None,
        label: object = None,
        op: object = None,
        _children: Any = None,
        _op: object = None,
    ) -> None:
        self._data = float(data)
        self._grad = 0.0
        self._operation = ops.LEAF
        self._first = self._second = None
        if children is not None or _children is not None:
            given = _children if children is None else children
            label = connect(self, given, local_grads, (op or _op, label), lift)
        if label is not None:
            check_label(label)  # before a tape knows of this Value
        self._stamp = tick()
        tape = active_tape()
        if tape is not None:
            tape.append(self)
        if label is not None:
            self.label = label

    __add__, __radd__ = _binary(ops.ADD), _binary(ops.ADD, reflected=True)
    __sub__, __rsub__ = _binary(ops.SUB), _binary(ops.SUB, reflected=True)
    __mul__, __rmul__ = _binary(ops.MUL), _binary(ops.MUL, reflected=True)
    __truediv__, __rtruediv__ = _binary(ops.DIV), _binary(ops.DIV, reflected=True)
    __pow__, __rpow__ = _binary(ops.POW), _binary(ops.POW, reflected=True)
    __neg__ = neg = _unary(ops.NEG)
    __abs__ = abs = _unary(ops.ABS)
    max, min = _binary(ops.MAX), _binary(ops.MIN)
    relu, leaky_relu = _unary(ops.RELU), _unary(ops.LEAKY_RELU)
    tanh, sigmoid = _unary(ops.TANH), _unary(ops.SIGMOID)
    exp, log, sqrt = _unary(ops.EXP), _unary(ops.LOG), _unary(ops.SQRT)
    sin, cos, atan = _unary(ops.SIN), _unary(ops.COS), _unary(ops.ATAN)
    sinh, cosh, erf = _unary(ops.SINH), _unary(ops.COSH), _unary(ops.ERF)
    expm1, log1p = _unary(ops.EXPM1), _unary(ops.LOG1P)
    softplus, gelu = _unary(ops.SOFTPLUS), _unary(ops.GELU)

    def __pos__(self) -> Value:
        return self

    def backward(self) -> None:
        """Compute the derivatives of this value with respect to everything it was made from.

        One sweep in the reverse order of creation: each node multiplies its gradient by its local
        derivatives and adds the products to its operands' `grad`.
        """
        tape = active_tape()
        if tape is None:
            propagate(self, ancestors(self))
        else:
            tape.backward(self)

    @property
    def data(self) -> float:
        """The number. Assigning changes it in place, but nothing that was computed from it."""
        return self._data

    @data.setter
    def data(self, data: SupportsFloat) -> None:
        after = float(data)
        tape = active_tape()
        if tape is None:
            self._data = after
        else:
            tape.write("update", self, after)

    @property
    def _backward(self) -> Callable[[], object]:
        """A function that adds to the gradients of the operands, as in micrograd (`closure.py`).

        Assigning one stores the local derivatives that follow from it. Others have none.
        """
        return closure_of(self)

    @_backward.setter
    def _backward(self, function: Callable[[], object]) -> None:
        close(self, function)

    @property
    def grad(self) -> float:
        """The gradient; 0.0 before a backward pass reaches it. Assigning None clears it too."""
        return self._grad

    @grad.setter
    def grad(self, grad: SupportsFloat | None) -> None:
        after = 0.0 if grad is None else float(grad)
        tape = active_tape()
        if tape is None:
            self._grad = after
        else:
            tape.write("zero" if clears(after) else "set", self, after)

    @property
    def label(self) -> str | None:
        """The name to show, scopes included; None for a Value without one."""
        return self._label

    @label.setter
    def label(self, label: object) -> None:
        check_label(label)
        name = "" if label is None else str(label)
        if not name:
            self.__dict__.pop("_label", None)
            return
        scope = current_place().scope
        # Every training step gives the same names: a recording keeps each of them once.
        self._label = intern(f"{scope}/{name}" if scope else name)
        tape = active_tape()
        if tape is not None:
            tape.name(self)

    @property
    def _prev(self) -> tuple[Self, ...]:
        """The operands, under the name that micrograd's drawing code asks for."""
        return self._operands

    @property
    def _op(self) -> str:
        """The operation's symbol, under the name that micrograd's drawing code asks for."""
        return self._operation.symbol

    def __repr__(self) -> str:
        named = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data!r}, grad={self._grad!r}{named})"

    def __reduce__(self) -> tuple[object, ...]:
        # A copy is a leaf of its own: sharing history would make two nodes one.
        return _leaf, (type(self), self._data, self._grad, self.label), self.__getstate__()

    def __getstate__(self) -> object:
        """Return what a program or a subclass keeps on this Value, for a copy."""
        state = super().__getstate__()
        attributes, slots = state if isinstance(state, tuple) else (state, {})
        attributes = {key: kept for key, kept in (attributes or {}).items() if key not in KEPT}
        return attributes or None, {key: slots[key] for key in slots if key not in Node.__slots__}


def _leaf(kind: type[Value], data: float, grad: float, label: str | None) -> Value:
    """Make a leaf of a class, whatever its constructor takes."""
    node = object.__new__(kind)
    node._data = data
    node._grad = 0.0
    node._operation = ops.LEAF
    node._first = node._second = None
    node._stamp = tick()
    tape = active_tape()
    if tape is not None:
        tape.append(node)
    if label is not None:
        node._label = label
        if tape is not None:
            tape.name(node)
    if not clears(grad):
        node.grad = grad
    return node


def common(one: type[Value], other: type[Value]) -> type[Value]:
    """Return the class of what is computed from Values of two: the one that is more special."""
    return other if issubclass(other, one) else one


def lift(number: object) -> Any:
    """Make a constant of a plain number; return NotImplemented for anything else."""
    if isinstance(number, Value):  # of a subclass
        return number
    if not isinstance(number, (float, int, Real)):  # asking whether it is a Real takes longest
        return NotImplemented
    try:
        return constant(float(number))
    except OverflowError:  # a number beyond all floats
        return constant(copysign(inf, bool(number > 0) - 0.5))  # type: ignore[operator]


class Constant(Value):
    """A plain number in an expression: it takes no gradient.

    It has a class of its own so that operations on others need not ask whether they have one. So
    its methods are called on it: unbound ones of `Value` would hand it a gradient.
    """

    __slots__ = ()


for _name, _of_value in [*vars(Value).items()]:
    if isinstance(_of_value, FunctionType) and _of_value in _of_constants:
        setattr(Constant, _name, _of_constants[_of_value])


def constant(number: float) -> Value:
    """Make a node of a plain number in an expression."""
    node: Value = object.__new__(Constant)
    node._data = number
    node._grad = 0.0
    node._operation = ops.CONSTANT
    node._first = node._second = None
    node._stamp = tick()
    tape = active_tape()
    if tape is not None:
        tape.append(node)
    return node


_engine |= {"Value": Value, "Constant": Constant, "lift": lift, "common": common}
