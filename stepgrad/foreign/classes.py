"""Which classes are scalar autograd engines, and how writes to their objects are seen.

A class gets a `__setattr__` that carries out each write as before and then reports it. Reading an
attribute stays as fast as it is. A `__del__` says when an object is gone: its id will be another's.
"""

from __future__ import annotations

import builtins
import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial, wraps
from types import CodeType, FunctionType
from typing import Any, NamedTuple
from weakref import WeakSet

from stepgrad.engine.node import Node
from stepgrad.recording.foreign.names import GRADIENTS, NUMBERS
from stepgrad.recording.foreign.remark import GRADLESS, OPERATORLESS
from stepgrad.recording.naming.kinds import is_installed, is_standard

_ARITHMETIC = ("__add__", "__radd__", "__sub__", "__mul__", "__rmul__", "__truediv__")
_MISSING = object()

LABELS = ("label", "name", "_label", "_name")
"""The attributes for the name that a program gives to an object."""

ASKS = "requires_grad"
"""The attribute that says whether an object needs a gradient."""

_NO_OPERANDS = {*LABELS, *GRADIENTS, ASKS, "op", "_op", "tape", "rule", "backward", "_backward"}
"""What a constructor may take besides a number that is nothing which this was computed from."""

_met = WeakSet[type]()
"""Every class that has been watched: a module that one program imports is there for the next."""


class Kind(NamedTuple):
    """The attributes in which a class keeps the number and the gradient of an object.

    If it is `childless`, it may keep its rules on a tape, and no operands with an object.
    """

    data: str
    grad: str
    childless: bool = False


def functions_of(cls: type) -> Iterator[FunctionType]:
    """Yield the functions of a class: methods of all sorts, and the accessors of properties."""
    for member in vars(cls).values():
        found = getattr(member, "__func__", member)
        accessors = (found.fget, found.fset) if isinstance(found, property) else (found,)
        yield from (each for each in accessors if isinstance(each, FunctionType))


def with_nested(code: CodeType) -> Iterator[CodeType]:
    """Yield a piece of code and the functions that are defined in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from with_nested(constant)


def kind_of(cls: type) -> Kind | None:
    """Return where a class keeps its numbers, if it is an engine: arithmetic, data and gradient."""
    if cls.__module__.split(".")[0] == "stepgrad" or issubclass(cls, Node):
        return None
    if not any(name in vars(cls) for name in _ARITHMETIC):
        return None
    if any(base.__flags__ & _HEAP == 0 for base in cls.__mro__[:-1]):
        return None  # in part a type of C: no plain attributes
    own = {name for base in cls.__mro__[:-1] for name in _stored(base)}
    data, grad = _numbers(cls, own)
    return Kind(data, grad, _is_childless(cls)) if data and grad and data != grad else None


def lookalike(cls: type) -> tuple[str, str] | None:
    """Return what a class lacks that is nearly an engine: the kind of remark, and its text."""
    ours = cls.__module__.split(".")[0] == "stepgrad" or issubclass(cls, Node)
    files = {each.__code__.co_filename for each in functions_of(cls)}
    if ours or any(is_installed(file) or is_standard(file) for file in files):
        return None  # a number of a library, such as Fraction, is right to have no gradient
    data, grad = _numbers(cls, _stored(cls))
    if data and not grad and all(name in vars(cls) for name in ("__add__", "__mul__")):
        return GRADLESS, (
            f"objects of {cls.__name__} have a `{data}`, and no attribute such as `grad`: "
            "gradients in a dict or a list are not observable"
        )
    if data and grad and len(grad) > 1 and not any(hasattr(cls, name) for name in _ARITHMETIC):
        return OPERATORLESS, (
            f"objects of {cls.__name__} have a `{data}` and a `{grad}`, and no methods such as "
            "`__add__` and `__mul__`: operations that are functions are not observable"
        )
    return None


_HEAP = 1 << 9


def _stored(cls: type) -> set[str]:
    """Return the names that may be attributes of its objects."""
    codes = (code for each in functions_of(cls) for code in with_nested(each.__code__))
    slots = vars(cls).get("__slots__", ())
    annotated = vars(cls).get("__annotations__", ())
    return {name for code in codes for name in code.co_names} | {*slots} | {*annotated}


def _numbers(cls: type, stored: set[str]) -> tuple[str | None, str | None]:
    """Return which attributes hold the number and the gradient of an object, if any do."""
    data = _attribute(cls, NUMBERS, stored)
    return data, _attribute(cls, [name for name in GRADIENTS if name != data], stored)


def _attribute(cls: type, names: Sequence[str], stored: set[str]) -> str | None:
    """Return which of these names is an attribute; of a property, what is behind it."""
    for name in names:
        member = getattr(cls, name, None)
        if isinstance(member, property) and isinstance(member.fget, FunctionType):
            behind = [each for each in member.fget.__code__.co_names if each in stored]
            if behind:
                return behind[0]
        elif name in stored and not callable(member):
            return name
    return None


def _is_childless(cls: type) -> bool:
    """Whether the constructor of a class takes only a number, and what cannot be an operand."""
    code = getattr(getattr(cls, "__init__", None), "__code__", None)
    if code is None:
        return False
    taken = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    return len([name for name in taken if name not in _NO_OPERANDS]) <= 1


def reads_plainly(cls: type) -> bool:
    """Whether reading an attribute runs no code of the class, even if it is not there."""
    plain = getattr(cls, "__getattribute__", None) is object.__getattribute__
    return plain and not hasattr(cls, "__getattr__")


def hides_writes(cls: type, kind: Kind) -> bool:
    """Whether a class writes its numbers in a way that no `__setattr__` sees."""
    settings = getattr(cls, "__dataclass_params__", None)
    if settings is not None and settings.frozen:
        return True
    codes = [code for each in functions_of(cls) for code in with_nested(each.__code__)]
    return any(
        not {"__dict__", "__setattr__", "vars"}.isdisjoint(code.co_names)
        and not {kind.data, kind.grad}.isdisjoint(code.co_consts)
        for code in codes
        if code.co_name not in ("__setattr__", "__getstate__", "__repr__")
    )


class Hooks:
    """The hooks in classes, to be taken out again.

    Args:
        setter: makes the `__setattr__` of a class, from its kind and the one that it has.
        deleter: makes its `__del__`, from the one that it has, if any.
        met: called with each class that is an engine, or is derived from one, and its kind.
        lacking: called with what is to be said of each class that is nearly one: see `lookalike`.
    """

    def __init__(
        self,
        setter: Callable[[type, Kind, Callable[[Any, str, Any], None]], Callable[..., None]],
        deleter: Callable[[Callable[[Any], None] | None], Callable[[Any], None]],
        met: Callable[[type, Kind], None],
        lacking: Callable[[str, str], None],
    ) -> None:
        self.kinds: dict[type, Kind] = {}
        self._setter = setter
        self._deleter = deleter
        self._report = met
        self._lacking = lacking
        self._before: dict[type, dict[str, Any]] = {}

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Look at every class that is made inside, and at those of earlier programs."""
        for cls in [*_met]:
            if getattr(sys.modules.get(cls.__module__), cls.__name__, None) is cls:
                self.meet(cls)
        build, decorate = builtins.__build_class__, dataclasses.dataclass
        builtins.__build_class__ = self._building(build)
        dataclasses.dataclass = self._decorating(decorate)
        try:
            yield
        finally:
            builtins.__build_class__, dataclasses.dataclass = build, decorate
            self.remove()

    def remove(self) -> None:
        """Leave every class as it was."""
        for cls in [*self._before]:
            self._unhook(cls)
        self.kinds.clear()

    def meet(self, cls: type) -> None:
        """Watch a class if it is an engine, or is derived from one."""
        base = next((self.kinds[each] for each in cls.__mro__[1:] if each in self.kinds), None)
        kind = base or kind_of(cls)
        if kind is None:
            if (found := lookalike(cls)) is not None:
                self._lacking(*found)
            return
        hooks: dict[str, Any] = {}
        if base is None:
            inner: Any = cls.__setattr__
            hooks["__setattr__"] = self._setter(cls, kind, inner)
        if base is None or "__del__" in vars(cls):
            hooks["__del__"] = self._deleter(getattr(cls, "__del__", None))
        self._before[cls] = {name: vars(cls).get(name, _MISSING) for name in hooks}
        for name, hook in hooks.items():
            setattr(cls, name, hook)
        self.kinds[cls] = kind
        _met.add(cls)
        self._report(cls, kind)

    def drop(self, cls: type) -> None:
        """Watch a class and those that it has to do with no more: it is no engine."""
        for each in [*self.kinds]:
            if issubclass(each, cls) or issubclass(cls, each):
                self._unhook(each)

    def _unhook(self, cls: type) -> None:
        for name, before in self._before.pop(cls, {}).items():
            if before is _MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, before)
        self.kinds.pop(cls, None)

    def _building(self, build: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(build)
        def build_class(*arguments: Any, **keywords: Any) -> Any:
            cls = build(*arguments, **keywords)
            if isinstance(cls, type):
                with suppress(Exception):  # a class may forbid even to be looked at
                    self.meet(cls)
            return cls

        return build_class

    def _decorating(self, decorate: Callable[..., Any]) -> Callable[..., Any]:
        """Make dataclasses of classes without our hooks: they ask what is defined there."""

        @wraps(decorate)
        def dataclass(cls: type | None = None, /, **keywords: Any) -> Any:
            if cls is None:
                return partial(dataclass, **keywords)
            self._unhook(cls)
            made = decorate(cls, **keywords)
            self.meet(made)
            return made

        return dataclass
