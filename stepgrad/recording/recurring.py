"""Code for what recurs: recognising a forward pass, and running a backward pass, of Values.

The program makes and keeps its Values as ever. What the recorder asks about them, and the chain
rule over them, are the same each time, so they become straight-line Python (`statements.py`).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from stepgrad.engine.node import Node
from stepgrad.engine.ops import Op
from stepgrad.recording.statements import (
    MOST_COMPILED,
    backward_statements,
    column_statements,
    contribution,
    defined,
    identity,
)
from stepgrad.recording.structure import Structure
from stepgrad.recording.sweep import Sweep

_Code = TypeVar("_Code")

Run = Callable[[Node], "array[float]"]
"""Runs a backward pass from a root, and returns the column of gradients."""

Recognise = Callable[[Sequence[Node]], "tuple[tuple[Node, ...], array[float]] | None"]
"""Tells whether nodes are like those of earlier passes (see `recogniser`)."""

WORTH_COMPILING = 200
"""How often a pass has come when it is compiled: about as often as pays for the compiling.

That takes 15 to 25 µs for each node or edge, and saves 60 to 90 ns in each pass after that.
"""


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


def backward(sweep: Sweep, *, here: bool = False) -> Run | None:
    """Compile a backward pass: a function of its root, which returns the column of gradients.

    It finds all others by the links between them, in no time that counts. With `here`, nothing is
    compiled: the code is there from another recording, or it is None.
    """

    def write() -> str:
        return _RUN.format(statements="\n    ".join(_run(sweep)))

    run: Run | None = defined((backward, identity(sweep)), write, here=here)
    return run


def _run(sweep: Sweep) -> Iterator[str]:
    """Write a backward pass over Values."""
    for place in range(1, sweep.width):
        edge = sweep.incoming[place][0]
        out = sweep.outs[edge]
        yield f"n{place} = n{out}.{_operand(sweep.op(out), sweep.slots[edge])}"
    constants: dict[str, str] = {}

    def numbers(place: int) -> list[str]:
        found = [f"v{place}"]
        for slot, (number, offset) in enumerate(sweep.operands(place)):
            column = sweep.columns[number].get(offset) if number >= 0 else None
            if column is None:
                constants[f"c{place}_{slot}"] = f"n{place}.{_operand(sweep.op(place), slot)}._data"
            found.append(f"c{place}_{slot}" if column is None else f"v{column}")
        return found

    def term(place: int, slot: int) -> str:
        op = sweep.op(place)
        return f"{{0}} * n{place}._locals[{slot}]" if op.stored else contribution(op, slot)

    sums = [*backward_statements(sweep, term, numbers, lambda place: f"n{place}._grad")]
    used = {*_VARIABLE.findall(" ".join(sums))}
    yield from (f"v{place} = n{place}._data" for place in range(sweep.width) if f"v{place}" in used)
    yield from (f"{name} = {read}" for name, read in constants.items() if name in used)
    yield "n0._grad = 1.0"
    yield from sums
    yield "return column"


def recogniser(structure: Structure, nodes: Sequence[Node], *, here: bool) -> Recognise | None:
    """Compile the question whether others are like these nodes, which have this structure.

    If they are, the function returns the Values from earlier passes that they use, in the order of
    their numbers, and the column of all numbers; else None. `here` is as for `backward`.
    """
    operations = tuple([node._operation for node in nodes])  # beside constants, they vary
    key = recogniser, operations, structure.refs.tobytes()
    names = {operation: f"op{i}" for i, operation in enumerate(dict.fromkeys(operations))}

    def write() -> str:
        made = [f"n{i}" for i in range(len(structure))]
        tests = [f"{n}._operation is {names[op]}" for n, op in zip(made, operations, strict=True)]
        found: dict[int, str] = {}
        for owner, slot, ref in zip(structure.owners, structure.slots, structure.refs, strict=True):
            operand = f"n{owner}.{_operand(operations[owner], slot)}"
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
            found="".join(f"o{k}, " for k in range(len(found))),
        )

    known = {name: operation for operation, name in names.items()}
    recognise: Recognise | None = defined(key, write, here=here, **known)
    return recognise


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


def _operand(op: Op, slot: int) -> str:
    """Write where a node of an operation keeps an operand."""
    return _SLOTS[slot] if slot == 0 or len(op.partials) == 2 else f"_others[{slot - 1}]"


_VARIABLE = re.compile(r"\b[vc][0-9_]+\b")
