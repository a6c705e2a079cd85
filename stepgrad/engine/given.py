"""Values that are made with their operands, as the constructors of other Value classes take them.

microgpt's is `Value(data, children, local_grads)`: the local derivatives are given with the number.
micrograd's is `Value(data, children, op)`: they follow from the `_backward` that it gets next
(`closure.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from stepgrad.engine.node import Node
from stepgrad.engine.own import UNNAMED, link, row
from stepgrad.printable import printable

_NAMES = {"children", "label", "local_grads", "op"}
_TAKES = (
    "Value(data, label), Value(data, children, local_grads) or Value(data, children, op, label)"
)


def connect(
    node: Node,
    given: Sequence[object],
    label: object,
    lift: Callable[[object], Any],
    **named: Any,
) -> object:
    """Make a new node the result of its children, if it is given some; return its label, if any.

    Args:
        node: has no operation yet.
        given: what follows the number in the call.
        label: the label, if it has been named in the call.
        lift: makes a constant of a plain number.
        named: what else has been, by name.

    Raises:
        TypeError: these are no operands, no derivatives, or too many things.
        ValueError: there are not as many derivatives as operands.
    """
    names = ["label"]
    if given and _holds(given[0]):
        with_numbers = len(given) > 1 and _holds(given[1])
        names = ["children", "local_grads" if with_numbers else "op", "label"]
    named = {name.removeprefix("_"): each for name, each in named.items()}
    found: dict[str, Any] = dict(zip(names, given, strict=False))
    if label is not None:
        named["label"] = label
    if len(given) > len(names) or named.keys() - _NAMES or named.keys() & found.keys():
        raise TypeError(f"call it as {_TAKES}")
    found |= named
    if children := found.get("children"):
        _link(node, children, lift, found.get("local_grads"), found.get("op"))
    return found.get("label")


def _link(
    node: Node,
    children: Iterable[object],
    lift: Callable[[object], Any],
    local_grads: Iterable[Any] | None,
    name: object,
) -> None:
    operands = _operands(children, lift, ordered=local_grads is not None)
    if not operands:
        return
    locals_ = [0.0] * len(operands) if local_grads is None else [*map(float, local_grads)]
    if len(locals_) != len(operands):
        raise ValueError(f"{len(operands)} children, and {len(locals_)} local_grads")
    link(node, row(printable(str(name or "")) or UNNAMED, len(operands)), operands, locals_)


def _holds(thing: object) -> bool:
    """Whether an argument holds operands or derivatives: others are texts, or one number."""
    return isinstance(thing, Iterable) and not isinstance(thing, (str, Node))


def _operands(
    children: Iterable[object], lift: Callable[[object], Any], *, ordered: bool
) -> Sequence[Node]:
    if isinstance(children, (set, frozenset)):  # as micrograd keeps them
        if ordered:
            raise TypeError("children in a set have no order, and local_grads need one")
        children = sorted(children, key=lambda each: getattr(each, "_stamp", -1))
    operands = []
    for child in children:
        operand = lift(child)
        if operand is NotImplemented:
            raise TypeError(f"children are Values and numbers, not {type(child).__name__}")
        operands.append(operand)
    return operands


def check_label(label: object) -> None:
    """Refuse what was meant as operands."""
    if not isinstance(label, str) and isinstance(label, (Node, Iterable)):
        raise TypeError(
            f"a label is text, not {type(label).__name__}: operands come from operations, "
            'as in `a * b`; to name a Value, write `label="a"`'
        )
