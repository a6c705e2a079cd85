"""Python functions generated from the formulas of the op table and of the optimizers.

A scalar engine spends its time in calls. So each operation becomes two straight-line functions
with the row's formulas inlined: the method that makes a node, and the VJP that passes a node's
gradient to its operands; and an optimizer's method becomes one loop over parameters. Only the
templates below know how a node is laid out (`node.py`); the mathematics stays in the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from stepgrad.engine.formula import Formula, namespace

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


def method(
    operands: Sequence[str], forward: Formula, engine: dict[str, Any], *, reflected: bool = False
) -> Callable[..., Callable[..., Any]]:
    """Return a function that makes a method of `Value` for an operation with this formula.

    It takes that operation, and what the operation is beside a constant. The method's first operand
    is `self`; in a `reflected` one (`__radd__`) it is the other. `engine` is the namespace that it
    runs in: `formula.namespace()` and `Value`, `Constant`, `new`, `lift`, `tick` and `active_tape`,
    which need not be there before the first call.
    """
    parameters = ["self", "other"][: len(operands)]
    ordered = parameters[:: -1 if reflected else 1]
    source = _METHOD.format(
        parameters=", ".join(parameters),
        operation=_BINARY if "other" in parameters else _UNARY,
        value=forward.python(
            {name: f"{value}._data" for name, value in zip(operands, ordered, strict=True)}
        ),
        first=ordered[0],
        second=ordered[1] if len(ordered) > 1 else None,
    )
    bind: Callable[..., Callable[..., Any]] = _define(source, "bind", engine)
    return bind


def vjp(partials: Mapping[str, Formula], constants: Collection[int] = ()) -> Callable[..., None]:
    """Return the vector-Jacobian product of an operation, a function of a node.

    `partials` are the derivatives with respect to each operand. For each of these, in order, but
    those in the slots of `constants`: `operand.grad += node.grad * ∂node/∂operand`.
    """
    names = {name: f"{name}._data" for name in partials} | {"out": "node._data"}
    slots = zip(partials, ("_first", "_second"), strict=False)
    source = _VJP.format(
        operands="\n    ".join(f"{name} = node.{slot}" for name, slot in slots),
        accumulations="\n    ".join(
            f"{name}._grad += {partial.carried().python(names)}"
            for slot, (name, partial) in enumerate(partials.items())
            if slot not in constants
        ),
    )
    function: Callable[..., None] = _define(source, "vjp", namespace())
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
