"""Python functions generated from the formulas of the op table and of the optimizers.

A scalar engine spends its time in calls. So each operation becomes two straight-line functions
with the row's formulas inlined: the method that makes a node, and the VJP that passes a node's
gradient to its operands. The chain rule becomes one loop over nodes, and an optimizer's method one
over parameters. Only the templates below know how a node is laid out (`node.py`); the mathematics
stays in the rows.

Each source has a file name, such as `<stepgrad mul>`, under which `inspect.getsource`, tracebacks,
debuggers and profilers find it.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from stepgrad.engine.formula import Formula, namespace

Updates = Callable[..., tuple[list[float], ...]]
"""Takes parameters, and settings and state by name; returns what to write and the new state."""

HandOn = Callable[[Iterable[Any]], None]
"""Takes nodes, and hands the gradient of each on to its operands, in this order."""

_METHOD = """
def bind(op, beside_constant):
    def method({parameters}):
        kind = {kind}
        {operation}
        node = new(kind)
        node._operation = operation
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

_UNARY = "operation = op"

_BINARY = """if type(other) is kind:
            operation = op
        else:
            other = lift(other)
            if other is NotImplemented:
                return other
            if type(other) is Constant:
                operation = beside_constant
            else:
                operation = op
                kind = common(kind, type(other))"""

_VJP = """
def vjp(node):
    {statements}
"""

_HAND_ON = """
def hand_on(order):
    for node in order:
        operation = node._operation
        {branches}
        else:
            operation.vjp(node)
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


def method(  # noqa: PLR0913 - what differs between methods
    name: str,
    operands: Sequence[str],
    forward: Formula,
    engine: dict[str, Any],
    kind: str,
    *,
    reflected: bool = False,
) -> Callable[..., Callable[..., Any]]:
    """Return a function that makes a method of `Value` for an operation with this formula.

    It takes that operation, and what the operation is beside a constant. The method's first operand
    is `self`; in a `reflected` one (`__radd__`) it is the other. `engine` is the namespace that it
    runs in: `formula.namespace()` and `Value`, `Constant`, `new`, `lift`, `common`, `tick` and
    `active_tape`, which need not be there before the first call. `kind` is the class of the result,
    as an expression; where the other operand is of a subclass of it, so is the result.
    """
    parameters = ["self", "other"][: len(operands)]
    ordered = parameters[:: -1 if reflected else 1]
    source = _METHOD.format(
        kind=kind,
        parameters=", ".join(parameters),
        operation=_BINARY if "other" in parameters else _UNARY,
        value=forward.python(
            {each: f"{value}._data" for each, value in zip(operands, ordered, strict=True)}
        ),
        first=ordered[0],
        second=ordered[1] if len(ordered) > 1 else None,
    )
    bind: Callable[..., Callable[..., Any]] = _define(
        f"{name} reflected" if reflected else name, source, "bind", engine
    )
    return bind


def vjp(
    name: str, partials: Mapping[str, Formula], constants: Collection[int] = ()
) -> Callable[..., None]:
    """Return the vector-Jacobian product of an operation, a function of a node.

    `partials` are the derivatives with respect to each operand. For each of these, in order, but
    those in the slots of `constants`: `operand.grad += node.grad * ∂node/∂operand`.
    """
    source = _VJP.format(statements="\n    ".join(_handing_on(partials, constants)))
    fixed = [f", {each} constant" for slot, each in enumerate(partials) if slot in constants]
    file = f"{name} vjp{''.join(fixed)}"
    function: Callable[..., None] = _define(file, source, "vjp", namespace())
    return function


def hand_on(inline: Mapping[str, Mapping[str, Formula]], known: Mapping[str, object]) -> HandOn:
    """Return the loop of a backward pass.

    It calls the `vjp` of each node's operation, but a call takes longer than the arithmetic. So
    those of which networks are made stand `inline`: their partial derivatives, by a variable for
    the operation. These variables are `known`.
    """
    branches = (
        "\n            ".join([f"if operation is {variable}:", *_handing_on(partials)])
        for variable, partials in inline.items()
    )
    source = _HAND_ON.format(branches="\n        el".join(branches))
    function: HandOn = _define("backward", source, "hand_on", namespace() | dict(known))
    return function


def _handing_on(partials: Mapping[str, Formula], constants: Collection[int] = ()) -> Iterator[str]:
    """Write how a node hands its gradient on to its operands."""
    names = {operand: f"{operand}._data" for operand in partials} | {"out": "node._data"}
    for operand, kept in zip(partials, ("_first", "_second"), strict=False):
        yield f"{operand} = node.{kept}"
    yield "upstream = node._grad"
    for slot, (operand, partial) in enumerate(partials.items()):
        if slot not in constants:
            yield f"{operand}._grad += {partial.carried().python(names)}"


def updates(
    name: str, formulas: Mapping[str, Formula], settings: Iterable[str], state: Iterable[str]
) -> Updates:
    """Return the loop of an optimizer (see `optim.Method`)."""
    state = tuple(state)
    shared = [each for each, formula in formulas.items() if formula.names <= {*settings}]
    assignments = {each: f"{each} = {f.python({})}" for each, f in formulas.items()}
    written = [list(formulas)[-1], *state]
    source = _UPDATES.format(
        arguments=", ".join([*settings, *state]),
        columns=", ".join(f"all_{each}" for each in written) + ",",
        lists=", ".join("[]" for _ in written) + ",",
        each=", ".join(["parameter", *state]),
        all=f"zip(parameters, {', '.join(state)})" if state else "parameters",
        shared="; ".join(assignments.pop(each) for each in shared),
        assignments="\n        ".join(assignments.values()),
        appends="\n        ".join(f"all_{each}.append({each})" for each in written),
    )
    function: Updates = _define(name, source, "updates", namespace() | {"zip": zip})
    return function


def _define(title: str, source: str, name: str, scope: dict[str, Any]) -> Any:
    """Run `source`, whose file is `<stepgrad title>`, and return the function it defines."""
    file, definitions = f"<stepgrad {title}>", dict[str, Any]()
    exec(compile(source, file, "exec"), scope, definitions)
    # Without a time, an entry is never looked for on disk.
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    return definitions[name]
