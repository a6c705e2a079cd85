"""The statements that compiled passes are made of (`compiled.py`).

They are made of the formulas of the op table and of variable names that are numbered here; nothing
else gets into them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from struct import Struct
from typing import Any

from stepgrad.engine.formula import namespace
from stepgrad.engine.ops import Op
from stepgrad.recording.kept import Bounded
from stepgrad.recording.sweep import Sweep

MOST_COMPILED = 20_000
"""The most nodes or edges of a pass that is compiled.

For 42,000 nodes (`scenarios/tiny_gpt.py`), the program would wait for 2 s, CPython would need
400 MB meanwhile, and a step would take a tenth less time than by loops.
"""


def backward_statements(
    sweep: Sweep,
    term: Callable[[int, int], str],
    numbers: Callable[[int], Sequence[str]],
    kept: Callable[[int], str],
) -> Iterator[str]:
    """Write a backward pass: for each place of the column, the sum of what comes in.

    The additions to one gradient are those of `engine.backward.propagate`, in its order.

    Args:
        sweep: the pass.
        term: what the node of a place hands to an operand, as a template.
        numbers: the variables of a node and of its operands.
        kept: where the gradient of a place is kept; empty where it is not.
    """
    grads = ["1.0"]
    for column in range(1, sweep.width):
        grad, target, terms = f"g{column}", kept(column), []
        for edge in sweep.incoming[column]:
            out = sweep.outs[edge]
            terms.append(term(out, sweep.slots[edge]).format(grads[out], *numbers(out)))
        if column >= sweep.computed and target:
            yield from _sum(f"{target} = {grad}", grad, [target, *terms])
        elif terms != [grads[out]]:
            yield from _sum(f"{target} = {grad}" if target else grad, grad, ["0.0", *terms])
        else:
            # A sum that began with 0.0 is never -0.0, so adding it to 0.0 changes nothing.
            grad = terms[0]
            if target:
                yield f"{target} = {grad}"
        grads.append(grad)
    yield from column_statements(grads)


def _sum(target: str, variable: str, terms: list[str]) -> Iterator[str]:
    """Assign a sum. A long one is several statements: each addition in one nests deeper."""
    for first in range(0, len(terms), _AT_ONCE):
        some = terms[first : first + _AT_ONCE]
        yield f"{target} = {' + '.join(([variable] if first else []) + some)}"


def column_statements(numbers: Sequence[str]) -> Iterator[str]:
    """Put numbers into a column."""
    yield f"column = zeros * {len(numbers)}"
    # CPython collects more than 30 arguments in a list, which takes as long as the arithmetic.
    for first in range(0, len(numbers), _AT_ONCE):
        some = numbers[first : first + _AT_ONCE]
        yield f"pack{len(some)}(column, {8 * first}, {', '.join(some)})"


def variable(ref: int) -> str:
    """The variable for a node's value."""
    return f"v{ref}" if ref >= 0 else f"e{~ref}"


@cache
def formula(op: Op) -> str:
    """An operation's formula, as a template for its operands: `{0} * {1}`."""
    return op.forward.python({name: f"{{{i}}}" for i, name in enumerate(op.operands)})


@cache
def contribution(op: Op, slot: int) -> str:
    """What it hands to an operand, as a template: `{0} * {3}` for the first factor of a product.

    It takes the upstream gradient, then the node itself, then its operands.
    """
    names = {name: f"{{{i}}}" for i, name in enumerate(("upstream", "out", *op.operands))}
    code = op.partials[slot].carried().python(names)
    return f"({code})" if " if " in code else code


_AT_ONCE = 28
_PACK = {f"pack{size}": Struct(f"{size}d").pack_into for size in range(1, _AT_ONCE + 1)}


def define(source: str, names: Mapping[str, object] | None = None) -> Any:
    """Make the function that `source` defines as `compiled`, where these names are known."""
    scope = namespace() | _PACK | {"zeros": array("d", [0.0])} | dict(names or {})
    exec(compile(source, "<compiled>", "exec"), scope)
    return scope["compiled"]


def defined(key: object, write: Callable[[], str], *, here: bool = False, **names: object) -> Any:
    """Return the function for a key, from the source that `write` makes if it is not there yet.

    The key is all that the source follows from, but not the shapes themselves, which may go. With
    `here`, nothing is compiled: the function is there from another recording, or it is None.
    """
    if key not in _DEFINED and not here:
        _DEFINED[key] = define(write(), names)
    return _DEFINED.get(key)


def identity(sweep: Sweep) -> tuple[object, ...]:
    """What the code of a backward pass follows from."""
    structures = (
        None if links is None else structure.content
        for structure, links in zip(sweep.structures, sweep.links, strict=True)
    )
    leaves = tuple(sweep.offsets[sweep.computed :])
    return *structures, sweep.links, sweep.begins, sweep.root, leaves, sweep.order


_DEFINED = Bounded[object, Any](128)  # functions for whichever recordings
