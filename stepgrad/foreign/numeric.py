"""The local derivatives of an operation that the op table does not have.

The function that computes it runs again, with slightly different operands: complex ones where it
takes them, else at two step sizes, whose answers must agree. It does so apart from the program: its
operands are twins of the objects, and it ends where it makes its result, which is never made. One
that might do anything besides computing does not run again, and its derivatives are not known.

Where the program stores its local derivatives, and these are right each time at first, they are
compared only now and then.
"""

from __future__ import annotations

import builtins
import cmath
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, SimpleNamespace
from typing import Any

from stepgrad.foreign.classes import ASKS, Kind
from stepgrad.foreign.makers import Call, shadows
from stepgrad.foreign.nodes import Shadow, as_float, same
from stepgrad.foreign.purity import is_pure

COMPLEX, DIFFERENCES, UNKNOWN = "complex steps", "differences", "unknown"

_STEP = 1e-3
_AGREE = 1e-5
_IMAGINARY = 1e-20
_MOST_WORK = 1 << 21
"""How many operands one function may get, over all its runs; then its derivatives are unknown."""
_TRUSTED = 32
"""After how many results whose stored derivatives are right only one of as many is looked at."""

_ANALYTIC = {
    "exp", "log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos",
    "atan",
}  # fmt: skip


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
        self._work = self._right = self._unseen = self._missed = 0
        self._kind = kind
        self._twin = _twin(cls, kind)
        self._run: Callable[..., Any] | None = None
        given = [each for each in call.arguments.values() if isinstance(each, type)]
        if self._twin is not None and is_pure(call.code, call.names, call.cells, [cls, *given]):
            self._run = self._function(call)

    def derivatives(self, call: Call, operands: Sequence[Shadow], data: float) -> list[float]:
        """Return the derivative with respect to each operand; nan where it is not known."""
        nowhere = [math.nan] * len(operands)
        self._work += 4 * len(operands) ** 2
        if self._run is None or self._work > _MOST_WORK:
            return nowhere
        if not same(self._real(call, {}), data, 1e-12):
            self._missed += 1
            if self.by == UNKNOWN and self._missed == _TRUSTED:
                self._run = None  # of several results, it is never the first
            return nowhere
        given = shadows(call.arguments.values())
        in_order = list(map(id, given)) == list(map(id, operands))
        slots = [
            [slot] if in_order else [k for k, each in enumerate(given) if each is operand]
            for slot, operand in enumerate(operands)
        ]
        if not all(slots):  # an operand that is no argument
            return nowhere
        moves = [(operand._data, where) for operand, where in zip(operands, slots, strict=True)]
        if self.by == UNKNOWN:
            self.by = COMPLEX if self._takes_complex(call, moves, data) else DIFFERENCES
        by = self._by_complex if self.by == COMPLEX else self._by_differences
        return [by(call, *move) for move in moves]

    def agrees(self, local: Sequence[float], stored: Sequence[float]) -> bool:
        """Whether what the program stores may stand for its derivatives: it did, often enough.

        Args:
            local: the derivatives of a result.
            stored: the numbers that the program keeps with it.
        """
        if self._run is None:
            return True  # nothing will be known of any
        if len(stored) != len(local) or self._right < 0:
            return False
        if not any(map(math.isnan, local)):
            right = all(map(_about, local, stored))
            self._right = self._right + 1 if right else -1
        return self._right >= _TRUSTED

    def is_due(self) -> bool:
        """Whether it is time to look at a result again, where the program is trusted."""
        self._unseen = (self._unseen + 1) % _TRUSTED
        return self._run is not None and not self._unseen

    def stored(self, given: Sequence[float], count: int) -> Sequence[float]:
        """Return the derivatives of a result that was not looked at."""
        known = self._run is not None and len(given) == count
        return given if known else [math.nan] * count

    def _takes_complex(
        self, call: Call, moves: Sequence[tuple[float, Sequence[int]]], data: float
    ) -> bool:
        for x, where in moves:
            at = self._value(call, dict.fromkeys(where, complex(x, _IMAGINARY)))
            if not isinstance(at, complex) or not same(at.real, data, 1e-12):
                return False
            differences = self._by_differences(call, x, where)
            if not same(at.imag / _IMAGINARY, differences, 1e-4) and abs(differences) > 1e-6:
                return False
        return True

    def _by_complex(self, call: Call, x: float, where: Sequence[int]) -> float:
        at = self._value(call, dict.fromkeys(where, complex(x, _IMAGINARY)))
        if isinstance(at, complex):
            return at.imag / _IMAGINARY
        return 0.0 if as_float(at) is not None else math.nan

    def _by_differences(self, call: Call, x: float, where: Sequence[int]) -> float:
        step = _STEP * max(1.0, abs(x))
        if not math.isfinite(step):
            return math.nan

        def slopes(h: float) -> tuple[float, float]:
            """Return the slope, and how much it changes here."""
            f = [self._real(call, dict.fromkeys(where, x + k * h)) for k in (-2, -1, 0, 1, 2)]
            slope = (8 * (f[3] - f[1]) - (f[4] - f[0])) / (12 * h)
            return slope, abs(f[3] - 2 * f[2] + f[1]) / h

        for _ in range(3):  # nearer, where a domain ends
            (wide, turn), (narrow, nearer) = slopes(step), slopes(step / 4)
            scale = max(abs(narrow), 1e-4)
            if same(wide, narrow, _AGREE) or abs(wide - narrow) < _AGREE * scale:
                kink = nearer > turn / 2 and nearer > 1e-3 * scale  # it should be a quarter
                return math.nan if kink else narrow
            if not math.isnan(wide):
                return math.nan
            step /= 64
        return math.nan

    def _real(self, call: Call, moved: Mapping[int, complex]) -> float:
        value = as_float(self._value(call, moved))
        return math.nan if value is None else value

    def _value(self, call: Call, moved: Mapping[int, complex]) -> Any:
        """Return what the function gives if objects among its arguments have other numbers.

        They are numbered as they appear.
        """
        assert self._run is not None
        code, which = call.code, count()
        given = {name: self._given(a, moved, which) for name, a in call.arguments.items()}
        plain = code.co_varnames[: code.co_argcount]
        after = code.co_argcount + code.co_kwonlyargcount
        named = code.co_varnames[code.co_argcount : after]
        rest = code.co_varnames[after] if code.co_flags & 4 else ""
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

    def _given(self, argument: Any, moved: Mapping[int, complex], which: Iterator[int]) -> Any:
        if isinstance(argument, Shadow):
            assert self._twin is not None
            twin: Any = object.__new__(self._twin)
            object.__setattr__(twin, self._kind.data, moved.get(next(which), argument._data))
            object.__setattr__(twin, self._kind.grad, 0.0)
            with suppress(AttributeError):  # it may be computed
                object.__setattr__(twin, ASKS, True)
            return twin
        if isinstance(argument, list | tuple):
            return type(argument)([self._given(each, moved, which) for each in argument])
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
        return self._given(value, {}, count())


def _about(some: float, other: float) -> bool:
    """Whether two derivatives are the same, as far as differences can tell."""
    return abs(some - other) <= _AGREE * max(abs(some), abs(other), 1e-4)


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
