"""The local derivatives of an operation that the op table does not have.

The function that computes it runs again, with slightly different operands: complex ones where it
takes them, else at two step sizes, whose answers must agree. It does so apart from the program: its
operands are twins of the objects, and it ends where it makes its result, which is never made. One
that might do anything besides computing does not run again, and its derivatives are not known.
"""

from __future__ import annotations

import builtins
import cmath
import dis
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

from stepgrad.foreign.classes import Kind
from stepgrad.foreign.makers import Call
from stepgrad.foreign.nodes import Shadow, number, same

COMPLEX, DIFFERENCES, UNKNOWN = "complex steps", "differences", "unknown"

_STEP = 1e-3
_AGREE = 1e-5
_IMAGINARY = 1e-20
_NESTED = 3
_PURE = {
    "abs", "bool", "enumerate", "float", "getattr", "hasattr", "int", "isinstance", "len", "list",
    "max", "min", "pow", "print", "range", "reversed", "round", "sorted", "sum", "super", "tuple",
    "type", "zip", "ValueError", "TypeError", "AssertionError", "NotImplemented",
}  # fmt: skip
_ANALYTIC = {
    "exp", "log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos",
    "atan",
}  # fmt: skip
_IMPURE = {"append", "extend", "insert", "remove", "pop", "add", "update", "write", "seed", "send"}
_WRITES = ("STORE_GLOBAL", "DELETE_GLOBAL", "STORE_SUBSCR", "IMPORT_NAME", "YIELD_VALUE")


class _MadeError(BaseException):
    """The function has made its result: that is all there is to know."""


class Forward:
    """The function that computes the objects which are made at one place of the code.

    Args:
        call: one of its calls.
        cls: the class of the objects.
        kind: where it keeps their numbers.
    """

    def __init__(self, call: Call, cls: type, kind: Kind) -> None:
        self.by = UNKNOWN
        self._kind = kind
        self._twin = _twin(cls, kind)
        self._run: Callable[..., Any] | None = None
        if self._twin is not None and _is_pure(call.code, call.names, call.cells, cls):
            self._run = self._function(call)

    def derivatives(self, call: Call, operands: Sequence[Shadow], data: float) -> list[float]:
        """Return the derivative with respect to each operand; nan where it is not known."""
        nowhere = [math.nan] * len(operands)
        if self._run is None or not same(self._real(call, {}), data, 1e-12):
            return nowhere
        if self.by == UNKNOWN:
            self.by = COMPLEX if self._takes_complex(call, operands, data) else DIFFERENCES
        by = self._by_complex if self.by == COMPLEX else self._by_differences
        return [by(call, each) for each in operands]

    def _takes_complex(self, call: Call, operands: Sequence[Shadow], data: float) -> bool:
        for each in operands:
            at = self._value(call, {each: complex(each._data, _IMAGINARY)})
            if not isinstance(at, complex) or not same(at.real, data, 1e-12):
                return False
            differences = self._by_differences(call, each)
            if not same(at.imag / _IMAGINARY, differences, 1e-4) and abs(differences) > 1e-6:
                return False
        return True

    def _by_complex(self, call: Call, operand: Shadow) -> float:
        at = self._value(call, {operand: complex(operand._data, _IMAGINARY)})
        if isinstance(at, complex):
            return at.imag / _IMAGINARY
        return 0.0 if number(at) is not None else math.nan

    def _by_differences(self, call: Call, operand: Shadow) -> float:
        x = operand._data
        step = _STEP * max(1.0, abs(x))
        if not math.isfinite(step):
            return math.nan

        def slope(h: float) -> float:
            at = [self._real(call, {operand: x + k * h}) for k in (1, -1, 2, -2)]
            return (8 * (at[0] - at[1]) - (at[2] - at[3])) / (12 * h)

        for _ in range(3):  # nearer, where a domain ends
            wide, narrow = slope(step), slope(step / 4)
            if same(wide, narrow, _AGREE) or abs(wide - narrow) < _AGREE * 1e-4:
                return narrow
            if not math.isnan(wide):
                return math.nan  # a kink
            step /= 64
        return math.nan

    def _real(self, call: Call, moved: Mapping[Shadow, float]) -> float:
        value = number(self._value(call, moved))
        return math.nan if value is None else value

    def _value(self, call: Call, moved: Mapping[Shadow, complex]) -> Any:
        assert self._run is not None
        code, given = call.code, {n: self._given(a, moved) for n, a in call.arguments.items()}
        plain = code.co_varnames[: code.co_argcount]
        named = code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]
        rest = (
            code.co_varnames[code.co_argcount + code.co_kwonlyargcount] if code.co_flags & 4 else ""
        )
        try:
            result = self._run(
                *[given[name] for name in plain],
                *given.get(rest, ()),
                **{name: given[name] for name in named},
            )
        except _MadeError as made:
            return made.args[0]
        except Exception:  # whatever it is: the function does not take such numbers
            return math.nan
        return getattr(result, self._kind.data, math.nan)

    def _given(self, argument: Any, moved: Mapping[Shadow, complex]) -> Any:
        if isinstance(argument, Shadow):
            assert self._twin is not None
            twin: Any = object.__new__(self._twin)
            object.__setattr__(twin, self._kind.data, moved.get(argument, argument._data))
            object.__setattr__(twin, self._kind.grad, 0.0)
            return twin
        if isinstance(argument, list | tuple):
            return type(argument)([self._given(each, moved) for each in argument])
        if isinstance(argument, type) and self._twin is not None:
            return self._twin if issubclass(self._twin, argument) else argument
        return argument

    def _function(self, call: Call) -> Callable[..., Any]:
        code, here = call.code, {"__builtins__": vars(builtins) | {"abs": _abs, "print": _nothing}}
        for name in {each for code in _codes(call.code) for each in code.co_names}:
            if name in call.names:
                here[name] = self._shimmed(call.names[name])
        cells = [CellType(self._shimmed(call.cells[name])) for name in code.co_freevars]
        return FunctionType(code, here, code.co_name, None, tuple(cells))

    def _shimmed(self, value: Any) -> Any:
        if value is math:
            return _MATH
        if isinstance(value, type) and self._twin is not None and issubclass(self._twin, value):
            return self._twin
        if isinstance(value, BuiltinFunctionType) and value.__module__ == "math":
            return getattr(_MATH, value.__name__)
        return self._given(value, {})


def _abs(x: Any) -> Any:
    if isinstance(x, complex):
        raise TypeError("it is not analytic")
    return abs(x)


def _nothing(*_: object, **__: object) -> None:
    """Print nothing: the program has printed it."""


def _either(real: Callable[..., Any], other: Callable[..., Any]) -> Callable[..., Any]:
    def function(*arguments: Any) -> Any:
        analytic = any(isinstance(each, complex) for each in arguments)
        return (other if analytic else real)(*arguments)

    return function


_MATH = SimpleNamespace(
    **vars(math)
    | {name: _either(getattr(math, name), getattr(cmath, name)) for name in _ANALYTIC}
    | {
        "log1p": _either(math.log1p, lambda z: cmath.log(1 + z)),
        "log2": _either(math.log2, lambda z: cmath.log(z) / math.log(2)),
        "pow": _either(math.pow, pow),
    }
)


def _twin(cls: type, kind: Kind) -> type | None:
    """Return a class like this one whose objects are never made, or only as operands."""
    if type(cls) is not type or any("__init_subclass__" in vars(c) for c in cls.__mro__[:-1]):
        return None
    names = [*_parameters(cls)]
    data = names.index(kind.data) if kind.data in names else 0
    name = names[data] if names else kind.data

    def __init__(_: object, *arguments: Any, **keywords: Any) -> None:  # noqa: N807
        raise _MadeError(keywords[name] if name in keywords else arguments[data])

    members = {"__init__": __init__, "__del__": _nothing, "__setattr__": object.__setattr__}
    return type(cls.__name__, (cls,), {**members, "__new__": lambda c, *_, **__: object.__new__(c)})


def _parameters(cls: type) -> Iterator[str]:
    code = getattr(getattr(cls, "__init__", None), "__code__", None)
    if code is not None:
        yield from code.co_varnames[1 : code.co_argcount]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)


def _is_pure(
    code: CodeType, names: Mapping[str, Any], cells: Mapping[str, Any], cls: type, depth: int = 0
) -> bool:
    """Whether code only computes, as far as it can be seen: it may run again unnoticed."""
    if depth > _NESTED or any(each.opname in _WRITES for each in dis.get_instructions(code)):
        return False
    if _IMPURE & {*code.co_names}:
        return False
    used = [names[name] for name in code.co_names if name in names] + [*cells.values()]
    unknown = [name for name in code.co_names if name not in names and hasattr(builtins, name)]
    if any(name not in _PURE for name in unknown):
        return False
    methods = [vars(c)[name] for c in cls.__mro__[:-1] for name in code.co_names if name in vars(c)]
    called = [each for each in [*used, *methods] if isinstance(each, FunctionType)]
    return all(_is_harmless(each) for each in used) and all(
        each.__code__ is code or _is_pure(each.__code__, each.__globals__, {}, cls, depth + 1)
        for each in called
    )


def _is_harmless(value: Any) -> bool:
    if isinstance(value, ModuleType):
        return value in (math, cmath) or value.__name__ == "numpy"
    if isinstance(value, BuiltinFunctionType):
        return value.__module__ in ("math", "cmath")
    plain = (Shadow, FunctionType, type, str, bool, int, float, tuple, type(None))
    return isinstance(value, plain) or type(value).__name__ == "ufunc"
