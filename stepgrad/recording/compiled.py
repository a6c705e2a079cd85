"""Straight-line Python for a graph whose structure is known.

A scalar engine spends its time on objects: a node for each number, links between them, a call for
each operation. Where the graph of the next pass is known from the last, none of that is needed:
one local variable for each number will do. The code does the same floating-point operations in the
same order as the engine, so it gives the same numbers, bit for bit.

Nodes are named by their refs (`structure.py`).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from stepgrad.engine.node import Node
from stepgrad.recording.statements import (
    backward_statements,
    column_statements,
    contribution,
    define,
    formula,
    variable,
)
from stepgrad.recording.structure import Structure
from stepgrad.recording.sweep import Sweep

_Code = TypeVar("_Code")

Function = Callable[..., tuple[float, ...]]
"""Takes numbers, each as an argument of its own, and returns others."""

Run = Callable[[Node], "array[float]"]
"""Runs a backward pass from a root, and returns the column of gradients."""

Recognise = Callable[[Sequence[Node]], "tuple[tuple[Node, ...], array[float]] | None"]
"""Tells whether nodes are like those of earlier passes (see `recogniser`)."""

Passes = Iterator["array[float]"]
"""Passes, one after the other, without end: their columns of values and of gradients, in turn."""


WORTH_COMPILING = 30
"""How often a pass has come when it is compiled: about as often as pays for the compiling."""

MOST_COMPILED = 20_000
"""The most nodes or edges of a pass that is compiled; for more, the program would wait for 1 s."""


class Compiling(Generic[_Code]):
    """Code for what recurs, compiled when that has come often enough.

    Args:
        size: how many nodes or edges the code is for.
        compile_: compiles it, from the arguments of `due`; with `here`, it only finds what another
            recording has compiled.
    """

    def __init__(self, size: int, compile_: Callable[..., _Code | None]) -> None:
        self._compile = compile_
        self._possible = 0 < size <= MOST_COMPILED
        self._count = 0
        self.code: _Code | None = None

    def due(self, *arguments: object) -> _Code | None:
        """Return the code for what has come again; None as long as it is not compiled."""
        if self.code is None and self._possible:
            self._count += 1
            if self._count == 2:
                self.code = self._compile(*arguments, here=True)
            elif self._count >= WORTH_COMPILING:
                self.code = self._compile(*arguments, here=False)
        return self.code


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
        parameters=", ".join(map(variable, free)),
        statements="\n    ".join(_forward(structure, _operands(structure, needed))),
        results=", ".join(map(variable, results)),
    )
    compiled: Function = define(source)
    return compiled


def passes(structure: Structure, sweep: Sweep) -> Callable[..., Passes]:
    """Compile training passes: forward through all nodes of a structure, then backward by a sweep.

    The sweep starts from a computed node of the structure, and no other computed nodes take part.
    The function that is returned takes an argument for each of `structure.inputs`: a Value for a
    node of an earlier pass, a number for one of this. The passes read the Values' data, and
    backward adds to the gradients of those that it reaches.
    """
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
    source = _PASSES.format(
        parameters=", ".join(variable(ref) if ref >= 0 else _earlier(ref) for ref in inputs),
        statements="\n        ".join(statements),
    )
    compiled: Callable[..., Passes] = define(source)
    return compiled


def backward(sweep: Sweep, *, here: bool = False) -> Run | None:
    """Compile a backward pass: a function of its root, which returns the column of gradients.

    It finds all others by the links between them, in no time that counts. With `here`, nothing is
    compiled: the code is there from another recording, or it is None.
    """
    structures = (
        None if links is None else structure.content
        for structure, links in zip(sweep.structures, sweep.links, strict=True)
    )
    leaves = tuple(sweep.offsets[sweep.computed :])
    key = *structures, sweep.links, sweep.root, leaves
    run: Run | None = _compiled(
        key, here, lambda: _RUN.format(statements="\n    ".join(_run(sweep)))
    )
    return run


def _compiled(key: object, here: bool, write: Callable[[], str], **names: object) -> Any:
    """Return code by what it follows from; not by the structures themselves, which may go."""
    if key not in _COMPILED and not here:
        for oldest in [*_COMPILED][: len(_COMPILED) + 1 - _KEPT]:
            _COMPILED.pop(oldest, None)
        _COMPILED[key] = define(write(), names)
    return _COMPILED.get(key)


def _run(sweep: Sweep) -> Iterator[str]:
    """Write a backward pass over Values."""
    for place in range(1, sweep.width):
        edge = sweep.incoming[place][0]
        yield f"n{place} = n{sweep.outs[edge]}.{_SLOTS[sweep.slots[edge]]}"
    constants: dict[str, str] = {}

    def numbers(place: int) -> list[str]:
        found = [f"v{place}"]
        for slot, (number, offset) in enumerate(sweep.operands(place)):
            column = sweep.columns[number].get(offset) if number >= 0 else None
            if column is None:
                constants[f"c{place}_{slot}"] = f"n{place}.{_SLOTS[slot]}._data"
            found.append(f"c{place}_{slot}" if column is None else f"v{column}")
        return found

    def term(place: int, slot: int) -> str:
        structure = sweep.structures[sweep.passes[place]]
        return contribution(structure.op(sweep.offsets[place]), slot)

    sums = [*backward_statements(sweep, term, numbers, lambda place: f"n{place}._grad")]
    used = {*_VARIABLE.findall(" ".join(sums))}
    yield from (f"v{place} = n{place}._data" for place in range(sweep.width) if f"v{place}" in used)
    yield from (f"{name} = {read}" for name, read in constants.items() if name in used)
    yield "n0._grad = 1.0"
    yield from sums
    yield "return column"


def recogniser(
    structure: Structure, nodes: Sequence[Node], *, here: bool = False
) -> Recognise | None:
    """Compile the question whether others are like these nodes, which have this structure.

    If they are, the function returns the Values from earlier passes that they use, newest first,
    and the column of their numbers; else None. `here` is as for `backward`.
    """
    operations = tuple([node._operation for node in nodes])  # beside constants, they vary
    key = operations, structure.refs.tobytes(), len(structure.outer_offsets)
    names = {operation: f"op{i}" for i, operation in enumerate(dict.fromkeys(operations))}

    def write() -> str:
        made = [f"n{i}" for i in range(len(structure))]
        tests = [f"{n}._operation is {names[op]}" for n, op in zip(made, operations, strict=True)]
        found: dict[int, str] = {}
        for owner, slot, ref in zip(structure.owners, structure.slots, structure.refs, strict=True):
            operand = f"n{owner}.{_SLOTS[slot]}"
            if ref < 0 and ref not in found:
                found[ref] = operand
            else:
                tests.append(f"{operand} is {made[ref] if ref >= 0 else f'o{~ref}'}")
        parts = (tests[i : i + _TOGETHER] for i in range(0, len(tests), _TOGETHER))
        return _RECOGNISER.format(
            nodes=", ".join(made),
            outer="\n    ".join(f"o{~ref} = {operand}" for ref, operand in found.items()),
            tests="\n    ".join(f"if not ({' and '.join(part)}): return None" for part in parts),
            column="\n    ".join(column_statements([f"{node}._data" for node in made])),
            found="".join(f"o{k}, " for k in range(len(structure.outer_offsets))),
        )

    known = {name: operation for operation, name in names.items()}
    recognise: Recognise | None = _compiled(key, here, write, **known)
    return recognise


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

_RUN = """
def compiled(n0):
    {statements}
"""

_RECOGNISER = """
def compiled(nodes):
    ({nodes},) = nodes
    {outer}
    {tests}
    {column}
    return ({found}), column
"""

_TOGETHER = 20  # conditions in a statement
_SLOTS = ("_first", "_second")
_VARIABLE = re.compile(r"\b[vc][0-9_]+\b")
_COMPILED: dict[object, Any] = {}
_KEPT = 128  # pieces of code, of whichever recordings

_Operands = Mapping[int, Sequence[str]]
"""The variables that a node is computed from."""


def _operands(structure: Structure, nodes: Iterable[int]) -> _Operands:
    return {ref: [variable(operand) for operand in structure.operands(ref)] for ref in nodes}


def _forward(structure: Structure, operands: _Operands) -> Iterator[str]:
    """Write the computation of nodes."""
    for ref, variables in operands.items():
        yield f"{variable(ref)} = {formula(structure.op(ref)).format(*variables)}"


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
