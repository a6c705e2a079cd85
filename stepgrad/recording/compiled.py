"""Straight-line Python for a graph whose structure is known.

A scalar engine spends its time on objects: a node for each number, links between them, a call for
each operation. Where the graph of the next pass is known from the last, none of that is needed:
one local variable for each number will do. The code does the same floating-point operations in the
same order as the engine, so it gives the same numbers, bit for bit.

Nodes are named by their refs (`structure.py`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from stepgrad.recording.statements import (
    backward_statements,
    column_statements,
    contribution,
    define,
    defined,
    formula,
    identity,
    variable,
)
from stepgrad.recording.structure import Structure
from stepgrad.recording.sweep import Sweep

Function = Callable[..., tuple[float, ...]]
"""Takes numbers, each as an argument of its own, and returns others."""

Passes = Iterator["array[float]"]
"""Passes, one after the other, without end: their columns of values and of gradients, in turn."""


def function(structure: Structure, free: Sequence[int], results: Sequence[int]) -> Function:
    """Compile the part of a forward pass that leads from some nodes to others.

    Only what the results need is computed; what follows from a function of the program's own that
    is not known is nan. With `functools.partial`, numbers that are the same in
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
        parameters=", ".join(map(variable, free)),
        statements="\n    ".join(_forward(structure, _operands(structure, needed))),
        results=", ".join(map(variable, results)),
    )
    own = {_own(ref): op.value for ref, op in structure.own_nodes.items()}
    compiled: Function = define(source, own)
    return compiled


def passes(structure: Structure, sweep: Sweep) -> Callable[..., Passes]:
    """Compile training passes: forward through all nodes of a structure, then backward by a sweep.

    The sweep starts from a computed node of the structure, and no other computed nodes take part.
    None of them is of an operation of the program's own.
    The function that is returned takes an argument for each of `structure.inputs`: a Value for a
    node of an earlier pass, a number for one of this. The passes read the Values' data, and
    backward adds to the gradients of those that it reaches.
    """
    key = passes, structure.content, identity(sweep)
    compiled: Callable[..., Passes] = defined(key, lambda: _source_of_passes(structure, sweep))
    return compiled


def _source_of_passes(structure: Structure, sweep: Sweep) -> str:
    nodes = range(len(structure))
    inputs = structure.inputs
    operands = _operands(structure, [ref for ref in nodes if structure.op(ref).partials])
    read = [f"{variable(ref)} = {_earlier(ref)}._data" for ref in inputs if ref < 0]
    refs = _refs(structure, sweep)
    statements = [
        *read,
        *_forward(structure, operands),
        *column_statements([variable(ref) for ref in nodes]),
        "yield column",
        *read,  # local derivatives are those of what is there by then
        *backward_statements(
            sweep,
            lambda place, slot: contribution(structure.op(refs[place]), slot),
            lambda place: [variable(refs[place]), *operands[refs[place]]],
            lambda place: f"{_earlier(refs[place])}._grad" if refs[place] < 0 else "",
        ),
        "yield column",
    ]
    return _PASSES.format(
        parameters=", ".join(variable(ref) if ref >= 0 else _earlier(ref) for ref in inputs),
        statements="\n        ".join(statements),
    )


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
    return {ref: [variable(operand) for operand in structure.operands(ref)] for ref in nodes}


def _forward(structure: Structure, operands: _Operands) -> Iterator[str]:
    """Write the computation of nodes; one of the program's own operations calls its function."""
    for ref, variables in operands.items():
        op = structure.op(ref)
        called = f"{_own(ref)}({', '.join(variables)})"
        yield f"{variable(ref)} = {called if op.stored else formula(op).format(*variables)}"


def _own(ref: int) -> str:
    """The variable for the function of a node."""
    return f"own{ref}"


def _refs(structure: Structure, sweep: Sweep) -> list[int]:
    """Return the refs of the nodes in the column of a sweep that goes over this structure."""
    links = sweep.links[0] or ()
    return [
        offset if number == 0 else structure.used[links.index(number), offset]
        for number, offset in zip(sweep.passes, sweep.offsets, strict=True)
    ]


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


def _earlier(ref: int) -> str:
    """The variable for the Value of an earlier pass."""
    return f"n{~ref}"
