"""`op`: a function of floats becomes an operation on Values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial, wraps
from inspect import signature
from typing import Any, overload

from stepgrad.engine.numeric import BY_DIFFERENCES, BY_STEPS, derivative
from stepgrad.engine.own import UNNAMED, computed, real, row
from stepgrad.engine.value import Constant, Value, common, lift

Partials = Callable[..., Any] | Sequence[Callable[..., float]]
"""A function for each operand, or one that returns the derivatives with respect to all."""


Operation = Callable[..., Any]
"""Makes a Value of Values, and a float of floats."""


@overload
def op(function: Callable[..., Any], /) -> Operation: ...
@overload
def op(
    *, partials: Partials | None = None, name: str = ""
) -> Callable[[Callable[..., Any]], Operation]: ...
def op(function: Any = None, /, *, partials: Partials | None = None, name: str = "") -> Any:
    """Make an operation of a function of floats: one node, which is named after it::

        @stepgrad.op(partials=(lambda x: 2 * x,))
        def square(x):
            return x * x

        square(Value(3.0))

    It may have any number of operands (`def dot(*xs)`), with plain numbers among them, and be a
    method of a subclass of `Value`. Among floats only, it gives a float. Arguments by name, such as
    `slope=0.1`, are settings, which `partials` get too.

    Args:
        function: the function; it gets floats, or complex numbers close to them.
        partials: its derivatives, of the same arguments: a function for each operand, or one that
            returns all of them. Without, they are found by complex steps, or by differences
            at two step sizes, which have about ten digits; a recording says so. Each node then
            takes some twenty calls for each operand.
        name: what it is called, if that is not the name of the function.
    """
    if function is None:
        return partial(_defined, partials=partials, name=name)
    return _defined(function, partials, name)


def _defined(function: Callable[..., float], partials: Partials | None, name: str) -> Any:
    name = _name(function, name)
    if partials is not None:
        partials = _functions(partials, name)
    bound = lru_cache(maxsize=256)(partial(_bound, function, partials, name))

    @wraps(function)
    def operation(*operands: Any, **settings: Any) -> Any:
        if any(isinstance(each, Value) for each in settings.values()):
            operands, settings = _sorted(function, name, operands, settings)
        if not any(isinstance(each, Value) or _lists(each) for each in operands):
            return function(*operands, **settings)
        nodes = _lifted(name, operands)
        try:
            forward, derivatives = bound(**settings)
        except TypeError:  # they are no key
            raise TypeError(
                f"settings of {name}() stay the same: a tuple may be one, and not a list"
            ) from None
        inputs = [node._data for node in nodes]
        data, by = real(forward(*inputs), f"what {name}() returns"), ""
        if partials is None:
            locals_, by = _estimated(forward, inputs)
        else:
            locals_ = derivatives(*inputs)
        own = row(name, len(nodes), forward, derivatives, by)
        return computed(_kind(nodes), own, data, nodes, locals_)

    return operation


def _name(function: object, name: str) -> str:
    """Return what an operation of a function is called, where that is not given."""
    kind = type(function).__name__
    if isinstance(function, staticmethod | classmethod):
        raise TypeError(f"op takes a function: write @{kind} above @op")
    if not callable(function):
        raise TypeError(f"op takes a function, not {kind}")
    found: str = name or getattr(function, "__name__", kind)
    if found.startswith("__"):  # of an operator
        found = found.strip("_") or found
    return UNNAMED if found == "<lambda>" else found


def _functions(partials: object, name: str) -> Partials:
    """Return the derivatives that a program gives, once they are known to be functions."""
    if callable(partials):
        return partials
    each = tuple(partials) if isinstance(partials, Iterable) else (partials,)
    for other in each:
        if not callable(other):
            raise TypeError(
                f"partials of {name}() are functions of its operands, one for each, "
                f"not {type(other).__name__}"
            )
    return each


def _sorted(
    function: Callable[..., float], name: str, operands: tuple[Any, ...], settings: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Tell operands, which may come by name, from settings, which are numbers."""
    given = signature(function).bind(*operands, **settings)
    for key, setting in given.kwargs.items():
        if isinstance(setting, Value):
            raise TypeError(f"{key} is a setting of {name}(), and may not be a Value")
    return given.args, given.kwargs


def _bound(
    function: Callable[..., float], partials: Partials | None, name: str, **settings: Any
) -> tuple[Callable[..., float], Callable[..., Sequence[float]]]:
    """Return a function with its settings, and what computes all of its derivatives."""
    forward = partial(function, **settings) if settings else function
    if partials is None:
        return forward, lambda *inputs: _estimated(forward, inputs)[0]
    return forward, partial(_given, partials, name, settings)


def _given(
    partials: Partials, name: str, settings: dict[str, Any], *inputs: float
) -> Sequence[float]:
    """Compute the derivatives that the program gives."""
    found: Any
    if callable(partials):
        found = _called(partials, f"the partials of {name}()", name, inputs, settings)
        found = found if isinstance(found, Iterable) and not isinstance(found, str) else (found,)
    else:
        found = [
            _called(each, f"partial {number} of {name}()", name, inputs, settings)
            for number, each in enumerate(partials, 1)
        ]
    locals_ = [real(each, f"partial {slot} of {name}()") for slot, each in enumerate(found, 1)]
    if len(locals_) != len(inputs):
        count = f"{len(locals_)} operand{'' if len(locals_) == 1 else 's'}"
        hint = ": a setting comes by its name" * (len(locals_) < len(inputs))
        raise TypeError(f"{name}() has partials for {count}, and got {len(inputs)}{hint}")
    return locals_


def _called(
    function: Callable[..., Any],
    what: str,
    name: str,
    inputs: Sequence[float],
    settings: dict[str, Any],
) -> Any:
    """Call a derivative of the program's; its own errors are the program's."""
    try:
        return function(*inputs, **settings)
    except TypeError as error:
        try:
            signature(function).bind(*inputs, **settings)
        except TypeError:
            raise TypeError(f"{what} must take what {name}() takes: {error}") from None
        except ValueError:  # a function of Python's that does not tell
            pass
        raise


def _estimated(
    function: Callable[..., float], inputs: Sequence[float]
) -> tuple[Sequence[float], str]:
    """Return the derivatives of a function, and how they were found."""
    found = [derivative(function, inputs, slot) for slot in range(len(inputs))]
    by = {each.by for each in found}
    return [each.value for each in found], BY_DIFFERENCES if BY_DIFFERENCES in by else BY_STEPS


def _lists(operand: object) -> bool:
    """Whether Values are in a list, where they belong side by side."""
    return isinstance(operand, list | tuple) and any(isinstance(each, Value) for each in operand)


def _lifted(name: str, operands: Iterable[object]) -> Sequence[Value]:
    nodes = []
    for operand in operands:
        node = lift(operand)
        if node is NotImplemented:
            kind = type(operand).__name__
            raise TypeError(f"{name}() takes Values and numbers, one by one, not {kind}")
        nodes.append(node)
    return nodes


def _kind(nodes: Sequence[Value]) -> type[Value]:
    """Return the class of a result: that of the operands, whatever constants are among them."""
    kind: type[Value] = Value
    for node in nodes:
        if not isinstance(node, Constant):
            kind = common(kind, type(node))
    return kind
