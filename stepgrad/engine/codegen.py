"""Python functions generated from the formulas of the op table and of the optimizers.

A scalar engine spends its time in calls. So each operation becomes two straight-line functions
with the row's formulas inlined: the method that makes a node, and the VJP that passes a node's
gradient to its operands; and an optimizer's method becomes one loop over parameters. Only the
templates below know how a `Value` is laid out (`value.py`); the mathematics stays in the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from stepgrad.engine.formula import Formula, namespace

if TYPE_CHECKING:
    from stepgrad.engine.ops import Op
    from stepgrad.engine.value import Value

Updates = Callable[..., tuple[list[float], ...]]
"""Takes parameters, and settings and state by name; returns what to write and the new state."""

_METHOD = """
def bind(op, beside_constant):
    def method({parameters}):
        node = new(Value)
        {operation}
        node._data = {value}
        node._grad = 0.0
        node._first = {first}
        node._second = {second}
        node._stamp = tick()
        tape = active_tape()
        if tape is not None:
            tape.append(node)
        return node
    return method
"""

_UNARY = "node._operation = op"

_BINARY = """if type(other) is Value:
            node._operation = op
        else:
            other = lift(other)
            if other is NotImplemented:
                return other
            node._operation = beside_constant if type(other) is Constant else op"""

_VJP = """
def vjp(node):
    {operands}
    upstream = node._grad
    {accumulations}
"""

_UPDATES = """
def updates(parameters, {arguments}):
    {columns} = {lists}
    {shared}
    for {each} in {all}:
        data = parameter._data
        grad = parameter._grad
        {assignments}
        {appends}
    return {columns}
"""


def methods(
    op: Op, engine: dict[str, Any], *, reflected: bool = False
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Make the methods of `Value` and of `Constant` that apply `op`.

    Their first operand is `self`; in `reflected` ones (`__radd__`) it is the other. `engine` is
    the namespace they run in: `formula.namespace()` and `Value`, `Constant`, `new`, `lift`, `tick`
    and `active_tape`, which need not be there before the first call.
    """
    operands = ["self", "other"][: len(op.partials)]
    ordered = operands[:: -1 if reflected else 1]
    own = ordered.index("self")
    source = _METHOD.format(
        parameters=", ".join(operands),
        operation=_BINARY if "other" in operands else _UNARY,
        value=op.forward.python(
            {name: f"{value}._data" for name, value in zip(op.operands, ordered, strict=True)}
        ),
        first=ordered[0],
        second=ordered[1] if len(ordered) > 1 else None,
    )
    bind = _define(source, "bind", engine)
    of_value = bind(op, op.beside(1 - own))
    of_constant = bind(op.beside(own), op.beside(*range(len(operands))))
    for function in (of_value, of_constant):
        function.__name__ = op.name
        function.__doc__ = f"{op.written({})}. {_derivatives(op)}"
    return of_value, of_constant


def vjp(op: Op) -> Callable[[Value], None]:
    """Return the vector-Jacobian product of `op`.

    For each operand but constants, in order: `operand.grad += node.grad * ∂node/∂operand`.
    """
    names = {name: f"{name}._data" for name in op.operands} | {"out": "node._data"}
    slots = zip(op.operands, ("_first", "_second"), strict=False)
    source = _VJP.format(
        operands="\n    ".join(f"{name} = node.{slot}" for name, slot in slots),
        accumulations="\n    ".join(
            f"{name}._grad += {partial.carried().python(names)}"
            for slot, (name, partial) in enumerate(zip(op.operands, op.partials, strict=True))
            if slot not in op.constants
        ),
    )
    function: Callable[[Value], None] = _define(source, "vjp", namespace())
    return function


def updates(
    formulas: Mapping[str, Formula], settings: Iterable[str], state: Iterable[str]
) -> Updates:
    """Return the loop of an optimizer (see `optim.Method`)."""
    state = tuple(state)
    shared = [name for name, formula in formulas.items() if formula.names <= {*settings}]
    assignments = {name: f"{name} = {f.python({})}" for name, f in formulas.items()}
    written = [list(formulas)[-1], *state]
    source = _UPDATES.format(
        arguments=", ".join([*settings, *state]),
        columns=", ".join(f"all_{name}" for name in written) + ",",
        lists=", ".join("[]" for _ in written) + ",",
        each=", ".join(["parameter", *state]),
        all=f"zip(parameters, {', '.join(state)})" if state else "parameters",
        shared="; ".join(assignments.pop(name) for name in shared),
        assignments="\n        ".join(assignments.values()),
        appends="\n        ".join(f"all_{name}.append({name})" for name in written),
    )
    function: Updates = _define(source, "updates", namespace() | {"zip": zip})
    return function


def _define(source: str, name: str, scope: dict[str, Any]) -> Any:
    definitions: dict[str, Any] = {}
    exec(compile(source, f"<stepgrad {name}>", "exec"), scope, definitions)
    return definitions[name]


def _derivatives(op: Op) -> str:
    partials = (
        f"∂/∂{name} = {partial.written()}"
        for name, partial in zip(op.operands, op.partials, strict=True)
    )
    return ", ".join(partials) + "."
