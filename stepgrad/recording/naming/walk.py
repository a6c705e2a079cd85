"""What holds an object, as a program would write it: `model.layers[0].w[1]` (`name_all`).

Nothing of the program runs: attributes are read where Python keeps them, without properties and
`__getattr__`, and containers by the methods of the types that they extend.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, Generic, NamedTuple, TypeVar

_T = TypeVar("_T")

_MOST_HOLDERS, _MOST_ITEMS = 1 << 16, 1 << 18
"""The most objects to look into, and the most items to look at."""

_MOST_OF_ONE = 1 << 14
"""The most items of one container to look at."""

_DEEPEST = 12
"""The most steps of a name."""

_LONGEST_KEY = 60

_Step = str | int
"""A step of a name; a number is that of an item."""

_OF_IPYTHON = frozenset({"In", "Out", "exit", "get_ipython", "quit"})

_PLAIN = frozenset(
    {int, float, complex, bool, str, bytes, bytearray, range, type(None), type(...), CodeType,
     BuiltinFunctionType}
)  # fmt: skip

_bases = type.__dict__["__mro__"].__get__
_of_class = type.__dict__["__dict__"].__get__
_of_module = vars(ModuleType)["__dict__"].__get__


class Held(NamedTuple):
    """Where an object is held: the steps to it from a variable, as `.w` and `[3]`."""

    steps: tuple[str, ...]

    @property
    def text(self) -> str:
        """The steps in one, which is an expression: `model.layers[0].w[1]`."""
        return "".join(self.steps)

    @property
    def holders(self) -> str:
        """What holds it, from the outermost on, as a scope: `model/layers/0/w`."""
        return "/".join(step.strip(".[]'\"") for step in self.steps[:-1])


def name_all(
    pairs: Callable[[object], _T | None],
    variables: Iterable[Mapping[str, object]],
    opaque: Callable[[object], bool] = lambda holder: issubclass(type(holder), ModuleType),
    looked: Callable[[int], None] = lambda _: None,
    wanted: Callable[[_T], bool] = lambda _: True,
) -> Iterator[tuple[_T, Held]]:
    """Yield the nodes whose objects are held somewhere, each once, with where that is.

    Of several variables that lead to an object, the first counts, in the order of `variables` and
    in that of each; of the ways from there, the shortest, and of those the first. What is held by
    a closure or as the default of an argument is named after the function: `f.w`.

    Args:
        pairs: returns the node of an object; None for one that is none.
        variables: the variables of modules and of calls, by name.
        opaque: whether what an object holds does not count; mostly, that of a module.
        looked: called at the end with how many objects and items were looked at.
        wanted: whether it matters what holds a node: most others are met again and again.
    """
    walk = _Walk(pairs, opaque, wanted)
    for each in variables:
        named = [item for item in _items(each) if type(item[0]) is str]
        for name, held in sorted(named, key=lambda item: _comes_late(item[0])):
            if not name.startswith("__"):
                yield from walk.from_variable(name, held)
    looked(walk.looked)


def found_at(held: Held, variables: Iterable[Mapping[str, object]]) -> Iterator[object]:
    """Yield what is held there now: an object for each variable that leads to one."""
    first, *steps = held.steps
    for each in variables:
        found = each.get(first)
        for step in steps:
            found = _one_step(found, step)
        if found is not None:
            yield found


def _one_step(holder: object, step: str) -> object:
    """Return what an object holds at a step; None if that is nothing."""
    if type(holder) is list and step.startswith("["):
        at = int(step[1:-1])
        return holder[at] if at < len(holder) else None
    return next((each for at, each in _held(holder) if _text(at) == step), None)


def _text(step: _Step) -> str:
    return step if isinstance(step, str) else f"[{step}]"


def _comes_late(variable: str) -> bool:
    """Whether others say better what is held: it is private, or leads to all that IPython knows."""
    return variable.startswith("_") or variable in _OF_IPYTHON


class _Walk(Generic[_T]):
    """A search through what variables lead to; it looks at each object once."""

    def __init__(
        self,
        pairs: Callable[[object], _T | None],
        opaque: Callable[[object], bool],
        wanted: Callable[[_T], bool],
    ) -> None:
        self._pairs = pairs
        self._opaque = opaque
        self._wanted = wanted
        self._seen: dict[int, object] = {}  # by id; kept alive, so that no id comes again
        self._holders, self._items = _MOST_HOLDERS, _MOST_ITEMS

    @property
    def looked(self) -> int:
        """How many objects and items were looked at."""
        return _MOST_HOLDERS + _MOST_ITEMS - self._holders - self._items

    def from_variable(self, name: str, found: object) -> Iterator[tuple[_T, Held]]:
        """Search from a variable on, what is near first."""
        waiting: deque[tuple[tuple[str, ...], object]] = deque()
        yield from self._look((), [(name, found)], waiting)
        while waiting and self._holders > 0 and self._items > 0:
            steps, holder = waiting.popleft()
            if id(holder) in self._seen:
                continue
            self._seen[id(holder)] = holder
            self._holders -= 1
            if len(steps) < _DEEPEST and not self._is_data(holder) and not self._opaque(holder):
                held = islice(_held(holder), _MOST_OF_ONE)
                yield from self._look(steps, held, waiting)

    def _is_data(self, holder: object) -> bool:
        """Whether an object only holds numbers and texts, as most of what programs hold."""
        if type(holder) is not list and type(holder) is not tuple:
            return False
        items = holder[:_MOST_OF_ONE]
        if not _PLAIN.issuperset(map(type, items)):
            return False
        self._items -= len(items)
        return True

    def _look(
        self,
        steps: tuple[str, ...],
        held: Iterable[tuple[_Step, object]],
        waiting: deque[tuple[tuple[str, ...], object]],
    ) -> Iterator[tuple[_T, Held]]:
        """Yield the nodes that a holder holds, which `steps` lead to; other things have to wait."""
        pairs, wanted, seen = self._pairs, self._wanted, self._seen
        for step, each in held:
            self._items -= 1
            if type(each) in _PLAIN or id(each) in seen:
                continue
            node = pairs(each)
            if node is not None:
                seen[id(each)] = each
            if node is None or wanted(node):
                there = (*steps, _text(step))
                if node is None:
                    waiting.append((there, each))
                else:
                    yield node, Held(there)


def _held(holder: Any) -> Iterable[tuple[_Step, object]]:
    """Return what an object holds, with the steps to it."""
    kind = type(holder)
    if kind is list or kind is tuple:
        return enumerate(holder[:_MOST_OF_ONE])
    if kind is FunctionType:
        return _of_function(holder)
    if kind is MethodType:
        return [(".__self__", holder.__self__)]
    if kind is partial:
        parts = holder.func, holder.args, holder.keywords
        return zip((".func", ".args", ".keywords"), parts, strict=True)
    if issubclass(kind, ModuleType):
        return _attributes(_of_module(holder))
    if issubclass(kind, type):
        return _attributes(_of_class(holder))
    return _of_instance(holder, kind)


def _of_instance(holder: Any, kind: type) -> Iterator[tuple[_Step, object]]:
    """Yield the items of an object, and its attributes."""
    classes = _bases(kind)
    if issubclass(kind, tuple):
        yield from _of_tuple(holder, classes)
    elif issubclass(kind, list):
        yield from enumerate(list.__iter__(holder))
    elif issubclass(kind, deque):
        yield from enumerate(deque.__iter__(holder))
    elif issubclass(kind, dict):
        keyed = ((_key(key), each) for key, each in _items(holder))
        yield from ((f"[{key}]", each) for key, each in keyed if key is not None)
    elif issubclass(kind, array := getattr(sys.modules.get("numpy"), "ndarray", ())):
        yield from _of_array(holder, array)
    for each in classes:
        for name, descriptor in [*_of_class(each).items()]:
            if type(descriptor) is MemberDescriptorType:
                with suppress(AttributeError):  # nothing is in this slot
                    yield f".{name}", descriptor.__get__(holder)
            elif name == "__dict__" and type(descriptor) is GetSetDescriptorType:
                yield from _attributes(descriptor.__get__(holder))


def _of_array(holder: Any, array: Any) -> Iterator[tuple[_Step, object]]:
    """Yield the items of an array of numpy that holds objects; those of a matrix are its rows."""
    if array.dtype.__get__(holder).hasobject:
        items = array.tolist(holder)
        yield from enumerate(items) if isinstance(items, list) else [("[()]", items)]


def _of_tuple(holder: Any, classes: Sequence[type]) -> Iterator[tuple[_Step, object]]:
    """Yield the items of a tuple; those of a named one by their names."""
    items = tuple.__iter__(holder)
    fields = next(filter(None, (_of_class(each).get("_fields") for each in classes)), None)
    if type(fields) is tuple and len(fields) == tuple.__len__(holder):
        yield from ((f".{name}", each) for name, each in zip(fields, items, strict=True))
    else:
        yield from enumerate(items)


def _of_function(function: FunctionType) -> Iterator[tuple[str, object]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield f".{name}", cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount][code.co_argcount - len(defaults) :]
    yield from ((f".{name}", each) for name, each in zip(names, defaults, strict=False))
    yield from ((f".{name}", each) for name, each in _items(function.__kwdefaults__ or {}))


def _attributes(attributes: Mapping[Any, object]) -> Iterator[tuple[str, object]]:
    for name, each in _items(attributes):
        if type(name) is str and not (name.startswith("__") and name.endswith("__")):
            yield f".{name}", each


def _items(mapping: Mapping[Any, object]) -> list[tuple[Any, object]]:
    """Return the items of a dictionary, or of the read-only one of a class, as they are by now."""
    if isinstance(mapping, dict):
        return list(islice(dict.items(mapping), _MOST_OF_ONE))
    return list(islice(mapping.items(), _MOST_OF_ONE))


def _key(key: object) -> str | None:
    """Return a key as a program writes it; None for one that it could not."""
    if type(key) is tuple:
        parts = [*map(_key, key)]
        if None in parts:
            return None
        return f"({', '.join(filter(None, parts))}{',' * (len(parts) == 1)})"
    if type(key) in (str, int, float, bool, bytes, type(None)):
        text = repr(key)
        return text if len(text) <= _LONGEST_KEY else None
    return None
