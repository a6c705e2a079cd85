"""`out._backward = f`, as in micrograd: the local derivatives that follow from a function.

`f` adds `out.grad` times a local derivative to the gradient of each operand. So it is called when
it is set, with an `out.grad` of 1: what it adds are the local derivatives, and they are stored with
the node. It is called once more, with others, to make sure that it is of this form. These calls
write nothing, and no recording sees them. The backward pass then uses the stored numbers, and does
not call `f`: what it prints or counts happens when it is set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isclose, isnan

from stepgrad.engine.node import Node
from stepgrad.engine.own import NO_RULE, OwnOp, link, row
from stepgrad.engine.tape import Tape, WriteKind, active_tape, aside

NO_CLOSURE = (
    "this Value has no _backward: its derivatives are those of its operation; to call the whole "
    "backward pass, write backward()"
)

_LATE = (
    "_backward is set after the recording has stored the operation; set it right after the Value "
    "is made"
)

_PROBE, _BEFORE = -2.0, 1.0
"""The gradients of the result and of the operands in the second call."""

_NEAR = 1e-9


def close(node: Node, function: Callable[[], object]) -> None:
    """Take the local derivatives of a node from a function.

    Raises:
        TypeError: it is no function.
        ValueError: the function does not add `grad` times a number to the gradients of operands, or
            the node has been recorded already.
    """
    operands = node._operands
    node.__dict__["_closure"] = function
    if not operands:  # micrograd's leaves have one that does nothing
        return
    if not callable(function):
        raise TypeError(f"_backward is a function, not {type(function).__name__}")
    tape = active_tape()
    if tape is not None and tape.holds(node):
        raise ValueError(_LATE)
    locals_ = _shared(operands, _called(node, function, 1.0, 0.0))
    again = _shared(operands, _called(node, function, _PROBE, _BEFORE))
    for operand, local, added in zip(operands, locals_, again, strict=True):
        _check(operand, local, added)
    op = node._operation
    if not isinstance(op, OwnOp):
        own = row(op.name, len(operands), op.value)
    else:
        own = row(op.name, len(operands)) if op.by == NO_RULE else op
    link(node, own, operands, locals_)


def closure_of(node: Node) -> Callable[[], object]:
    """Return the function that a node was given.

    Raises:
        AttributeError: it has none.
    """
    function = node.__dict__.get("_closure")
    if function is None:
        raise AttributeError(NO_CLOSURE)
    return function  # type: ignore[no-any-return]


class _Probe(Tape):
    """Notes what a function adds to gradients, and carries nothing out."""

    def __init__(self) -> None:
        self.added: list[tuple[Node, float]] = []
        self.append = _ignore

    @property
    def write(self) -> Callable[[WriteKind, Node, float], None]:
        return self._write

    def _write(self, kind: WriteKind, value: Node, after: float) -> None:
        if kind == "update":
            raise ValueError("_backward changes the data of a Value; it may only add to gradients")
        self.added.append((value, after - value._grad))


def _ignore(_: Node) -> None:
    pass


def _called(
    node: Node, function: Callable[[], object], upstream: float, before: float
) -> Sequence[tuple[Node, float]]:
    """Return what a function adds to gradients, where they are these before."""
    touched = {id(each): each for each in (*node._operands, node)}.values()
    kept = [(each, each._grad) for each in touched]
    probe = _Probe()  # type: ignore[abstract] # what it does not define does nothing
    try:
        for each in touched:
            each._grad = before
        node._grad = upstream
        with aside(probe):
            function()
    finally:
        for each, grad in kept:
            each._grad = grad
    return probe.added


def _shared(operands: Sequence[Node], added: Sequence[tuple[Node, float]]) -> Sequence[float]:
    """Return what each operand was given; one that comes twice is given the first part first."""
    slots: dict[int, list[int]] = {}
    for slot, operand in enumerate(operands):
        slots.setdefault(id(operand), []).append(slot)
    shares = [0.0] * len(operands)
    for value, amount in added:
        places = slots.get(id(value))
        if places is None:
            named = value._label or "a Value"
            raise ValueError(f"_backward adds to the gradient of {named}, which is not an operand")
        shares[places[0]] += amount
        if len(places) > 1:
            del places[0]
    return shares


def _check(operand: Node, local: float, added: float) -> None:
    """Make sure that what is added follows from the local derivative."""
    due = _PROBE * local
    if isclose(added, due, rel_tol=_NEAR, abs_tol=_NEAR) or isnan(due):
        return
    name = operand._label or "an operand"
    if isclose(added, due - _BEFORE, rel_tol=_NEAR, abs_tol=_NEAR):
        raise ValueError(f"_backward overwrites the gradient of {name}: write += instead of =")
    raise ValueError(
        f"_backward does not add grad times a number to the gradient of {name}, so that it has no "
        "local derivative"
    )
