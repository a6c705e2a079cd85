"""Straight-line Python for a graph whose structure is known.

A scalar engine spends its time on objects: a node for each number, links between them, a call for
each operation. Where the graph of the next pass is known from the last, none of that is needed:
one local variable for each number will do. The code does the same floating-point operations in the
same order as the engine, so it gives the same numbers, bit for bit.

It is made of the formulas of the op table and of variable names that are numbered here; nothing
else gets into it. Nodes are named by their refs (`structure.py`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from struct import Struct
from typing import Any

from stepgrad.engine.formula import namespace
from stepgrad.engine.ops import Op
from stepgrad.recording.structure import Structure
from stepgrad.recording.sweep import Sweep

Function = Callable[..., tuple[float, ...]]
"""Takes numbers, each as an argument of its own, and returns others."""

Passes = Iterator["array[float]"]
"""Passes, one after the other, without end: their columns of values and of gradients, in turn."""


def function(structure: Structure, free: Sequence[int], results: Sequence[int]) -> Function:
    """Compile the part of a forward pass that leads from some nodes to others.

    Only what the results need is computed. With `functools.partial`, numbers that are the same in
    all calls need not be given again.

    Args:
        structure: the forward pass.
        free: the nodes whose numbers are arguments, such as `structure.inputs`. Where a computed
            node is one, what it was computed from does not count.
        results: the nodes whose numbers are returned, in this order.

    Raises:
        ValueError: a result depends on an input that is not free.
    """
    needed = sorted(_ancestors(structure, results, free).difference(free))
    missing = set(needed).intersection(structure.inputs)
    if missing:
        raise ValueError(f"the results depend on nodes {sorted(missing)}, which are not free")
    source = _FUNCTION.format(
        parameters=", ".join(map(_value, free)),
        statements="\n    ".join(_forward(structure, _operands(structure, needed))),
        results=", ".join(map(_value, results)),
    )
    compiled: Function = _define(source)
    return compiled


def passes(structure: Structure, sweep: Sweep) -> Callable[..., Passes]:
    """Compile training passes: forward through all nodes of a structure, then backward by a sweep.

    The sweep starts from a computed node of the structure, and no other computed nodes take part.
    The function that is returned takes an argument for each of `structure.inputs`: a Value for a
    node of an earlier block, a number for one of this. The passes read the Values' data, and
    backward adds to the gradients of those that it reaches.
    """
    nodes = range(len(structure))
    inputs = structure.inputs
    operands = _operands(structure, [ref for ref in nodes if structure.op(ref).partials])
    read = [f"{_value(ref)} = {_earlier(ref)}._data" for ref in inputs if ref < 0]
    statements = [
        *read,
        *_forward(structure, operands),
        *_column([_value(ref) for ref in nodes]),
        *read,  # local derivatives are those of what is there by then
        *_backward(structure, sweep, operands),
    ]
    source = _PASSES.format(
        parameters=", ".join(_value(ref) if ref >= 0 else _earlier(ref) for ref in inputs),
        statements="\n        ".join(statements),
    )
    compiled: Callable[..., Passes] = _define(source)
    return compiled


_FUNCTION = """
def compiled({parameters}):
    {statements}
    return ({results},)
"""

_PASSES = """
def compiled({parameters}):
    while True:
        {statements}
"""

_Operands = Mapping[int, Sequence[str]]
"""The variables that a node is computed from."""


def _operands(structure: Structure, nodes: Iterable[int]) -> _Operands:
    return {ref: [_value(operand) for operand in structure.operands(ref)] for ref in nodes}


def _forward(structure: Structure, operands: _Operands) -> Iterator[str]:
    """Write the computation of nodes."""
    for ref, variables in operands.items():
        yield f"{_value(ref)} = {_formula(structure.op(ref)).format(*variables)}"


def _backward(structure: Structure, sweep: Sweep, operands: _Operands) -> Iterator[str]:
    """Write a backward pass: for each place of the column, the sum of what comes in.

    The additions to one gradient are those of `engine.backward.propagate`, in its order.
    """
    grads = ["1.0"]
    for column in range(1, len(sweep.refs)):
        ref, grad, terms = sweep.refs[column], f"g{column}", []
        for edge in sweep.incoming[column]:
            out = sweep.outs[edge]
            node = sweep.refs[out]
            term = _contribution(structure.op(node), sweep.slots[edge])
            terms.append(term.format(grads[out], _value(node), *operands[node]))
        if ref < 0:
            gradient = f"{_earlier(ref)}._grad"
            yield from _sum(f"{gradient} = {grad}", grad, [gradient, *terms])
        elif terms != [grads[out]]:
            yield from _sum(grad, grad, ["0.0", *terms])
        else:
            # A sum that began with 0.0 is never -0.0, so adding it to 0.0 changes nothing.
            grad = terms[0]
        grads.append(grad)
    yield from _column(grads)


def _sum(target: str, variable: str, terms: list[str]) -> Iterator[str]:
    """Assign a sum. A long one is several statements: each addition in one nests deeper."""
    for first in range(0, len(terms), _AT_ONCE):
        some = terms[first : first + _AT_ONCE]
        yield f"{target} = {' + '.join(([variable] if first else []) + some)}"


def _column(variables: Sequence[str]) -> Iterator[str]:
    """Put variables into a column, and hand that out."""
    yield f"column = zeros * {len(variables)}"
    # CPython collects more than 30 arguments in a list, which takes as long as the arithmetic.
    for first in range(0, len(variables), _AT_ONCE):
        some = variables[first : first + _AT_ONCE]
        yield f"pack{len(some)}(column, {8 * first}, {', '.join(some)})"
    yield "yield column"


def _ancestors(structure: Structure, results: Iterable[int], stops: Iterable[int]) -> set[int]:
    """Return what these nodes depend on, themselves included; nothing beyond `stops`."""
    pending, found = list(results), set(stops)
    while pending:
        ref = pending.pop()
        if ref not in found:
            found.add(ref)
            if ref >= 0:
                pending.extend(structure.operands(ref))
    return found


def _value(ref: int) -> str:
    """The variable for a node's value."""
    return f"v{ref}" if ref >= 0 else f"e{~ref}"


def _earlier(ref: int) -> str:
    """The variable for the Value of an earlier block."""
    return f"n{~ref}"


@cache
def _formula(op: Op) -> str:
    """An operation's formula, as a template for its operands: `{0} * {1}`."""
    return op.forward.python({name: f"{{{i}}}" for i, name in enumerate(op.operands)})


@cache
def _contribution(op: Op, slot: int) -> str:
    """What it hands to an operand, as a template: `{0} * {3}` for the first factor of a product.

    It takes the upstream gradient, then the node itself, then its operands.
    """
    names = {name: f"{{{i}}}" for i, name in enumerate(("upstream", "out", *op.operands))}
    code = op.partials[slot].carried().python(names)
    return f"({code})" if " if " in code else code


_AT_ONCE = 28
_PACK = {f"pack{size}": Struct(f"{size}d").pack_into for size in range(1, _AT_ONCE + 1)}


def _define(source: str) -> Any:
    scope = namespace() | _PACK | {"zeros": array("d", [0.0])}
    exec(compile(source, "<compiled>", "exec"), scope)
    return scope["compiled"]
