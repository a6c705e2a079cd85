"""`op`: a function of floats becomes an operation on Values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial, wraps
from inspect import signature
from typing import Any, overload

from stepgrad.engine.numeric import BY_DIFFERENCES, BY_STEPS, derivative
from stepgrad.engine.own import computed, row
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
    name = name or function.__name__
    bound = lru_cache(maxsize=256)(partial(_bound, function, partials))

    @wraps(function)
    def operation(*operands: Any, **settings: Any) -> Any:
        if any(isinstance(each, Value) for each in settings.values()):
            given = signature(function).bind(*operands, **settings)
            operands, settings = given.args, given.kwargs
        if not any(isinstance(each, Value) for each in operands):
            return function(*operands, **settings)
        nodes = _lifted(name, operands)
        forward, derivatives = bound(**settings)
        inputs = [node._data for node in nodes]
        data, by = float(forward(*inputs)), ""
        if partials is None:
            locals_, by = _estimated(forward, inputs)
        else:
            locals_ = derivatives(*inputs)
        own = row(name, len(nodes), forward, derivatives, by)
        return computed(_kind(nodes), own, data, nodes, locals_)

    return operation


def _bound(
    function: Callable[..., float], partials: Partials | None, **settings: Any
) -> tuple[Callable[..., float], Callable[..., Sequence[float]]]:
    """Return a function with its settings, and what computes all of its derivatives."""
    forward = partial(function, **settings) if settings else function
    if partials is None:
        return forward, lambda *inputs: _estimated(forward, inputs)[0]
    return forward, partial(_given, partials, settings)


def _given(partials: Partials, settings: dict[str, Any], *inputs: float) -> Sequence[float]:
    """Compute the derivatives that the program gives."""
    found: Any
    if callable(partials):
        found = partials(*inputs, **settings)
        found = found if isinstance(found, Iterable) else (found,)
    else:
        found = [each(*inputs, **settings) for each in partials]
    locals_ = [float(each) for each in found]
    if len(locals_) != len(inputs):
        raise TypeError(f"{len(inputs)} operands, and {len(locals_)} partials")
    return locals_


def _estimated(
    function: Callable[..., float], inputs: Sequence[float]
) -> tuple[Sequence[float], str]:
    """Return the derivatives of a function, and how they were found."""
    found = [derivative(function, inputs, slot) for slot in range(len(inputs))]
    by = {each.by for each in found}
    return [each.value for each in found], BY_DIFFERENCES if BY_DIFFERENCES in by else BY_STEPS


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
