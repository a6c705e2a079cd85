"""Random computations for hypothesis: expression graphs, and whole programs that train on them.

Both are plain data that shrink well. A number in them that chooses a value chooses it modulo how
many there are, so every combination is valid.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from hypothesis import strategies as st

from stepgrad import SGD, Value, clip_norm, mark, op, scope
from stepgrad.engine.backward import ancestors
from stepgrad.engine.graph import Graph as Computation
from stepgrad.engine.ops import OPS, Op
from stepgrad.engine.own import row

OPERATIONS = tuple(row for row in OPS if row.partials and row.usual is row)
"""Every row of the op table that computes, and does it right."""

_OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
    "abs": operator.abs,
}


@op(partials=(lambda a, b: 2 * a * b, lambda a, _: a * a), name="blend")
def _blend(a: Any, b: Any) -> Any:
    return a * a * b


def _given(a: Value) -> Value:
    return Value(3 * a.data, (a,), (3.0,), op="triple")


OWN: dict[Op, Callable[..., Value]] = {row("blend", 2): _blend, row("triple", 1): _given}
"""Operations of a program's own: one with a function, and one without."""

OWN_NUMBERS: dict[str, Callable[..., tuple[float, tuple[float, ...]]]] = {
    "blend": lambda a, b: (a * a * b, (2 * a * b, a * a)),
    "triple": lambda a: (3 * a, (3.0,)),
}
"""What they give of numbers, and with which local derivatives."""

KINKS = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0)
EXTREMES = (1e-300, 710.0, -745.0, 1e308, -1e308, float("inf"), float("-inf"), float("nan"))
ODD_NUMBERS = (*KINKS, 1.5, -8.0, 1 / 3, 3.0, -3.0, *EXTREMES)

tame = st.floats(0.25, 2.0).map(lambda x: round(x, 3))
numbers = st.sampled_from(KINKS) | st.floats(-3, 3)
wild = numbers | st.sampled_from(ODD_NUMBERS)


def apply(op: Op, *operands: Any) -> Value:
    """Do what a user writes for `op`: an operator, or a method."""
    written = OWN.get(op) or _OPERATORS.get(op.name)
    result = written(*operands) if written else getattr(operands[0], op.name)(*operands[1:])
    assert isinstance(result, Value)
    return result


@dataclass(frozen=True)
class Call:
    """One operation. `constant` stands in for the operand at `side`, where it is not None."""

    op: Op
    operands: tuple[int, int]
    constant: float | None = None
    side: int = 1

    def __call__(self, values: Sequence[Value]) -> Value:
        chosen: list[Any] = [values[i % len(values)] for i in self.operands]
        return apply(self.op, *self.on(chosen))

    def on(self, chosen: list[Any]) -> list[Any]:
        """Return its operands, with the constant among them; `chosen` are two."""
        if self.constant is not None and len(self.op.partials) == 2:
            # `max` is a method, and a plain number has none.
            chosen[self.side if self.op.name in _OPERATORS else 1] = self.constant
        return chosen[: len(self.op.partials)]


@dataclass(frozen=True)
class Graph:
    """An expression graph: numbers for the leaves, and calls on what is there by then."""

    leaves: tuple[float, ...]
    calls: tuple[Call, ...]

    def build(self) -> list[Value]:
        return self.extend([Value(leaf) for leaf in self.leaves])

    def extend(self, values: Sequence[Value]) -> list[Value]:
        """Do the calls on these values and what comes of them; return all, the root last."""
        values = list(values)
        for call in self.calls:
            values.append(call(values))
        return values


def calls(constants: st.SearchStrategy[float] = numbers) -> st.SearchStrategy[Call]:
    # From the end backwards reaches what was computed last; small numbers repeat operands.
    places = st.integers(-4, 8)
    return st.builds(
        Call,
        st.sampled_from((*OPERATIONS, *OWN)),
        st.tuples(places, places),
        st.none() | constants,
        st.integers(0, 1),
    )


def graphs(leaves: st.SearchStrategy[float] = numbers, size: int = 12) -> st.SearchStrategy[Graph]:
    return st.builds(
        Graph,
        st.lists(leaves, min_size=1, max_size=4).map(tuple),
        st.lists(calls(leaves), min_size=1, max_size=size).map(tuple),
    )


Deed = Literal["leaf", "backward", "data", "grad", "clear", "optimize", "label", "mark", "scoped"]

BY_HAND: tuple[Deed, ...] = tuple(deed for deed in get_args(Deed) if deed != "optimize")


@dataclass(frozen=True)
class Act:
    """One thing that a program does besides computing."""

    deed: Deed
    which: int
    number: float

    def __call__(self, values: list[Value]) -> None:
        value = values[self.which % len(values)]
        match self.deed:
            case "leaf":
                values.append(Value(self.number))
            case "backward":
                value.backward()
            case "data":
                value.data += self.number
            case "grad":
                value.grad = self.number
            case "clear":
                value.grad = 0
            case "optimize":
                sgd = SGD(values[self.which % len(values) :], self.number, momentum=0.5)
                sgd.step()
                clip_norm(sgd.parameters, 1.0)
                sgd.zero_grad() if self.which % 2 else None
            case "label":
                value.label = f"v{self.which}"
            case "mark":
                mark("step", self.which)
            case "scoped":
                with scope(f"s{self.which}"):
                    values.append(value * self.number)


Program = tuple[Call | Act, ...]


def run(program: Program, values: list[Value]) -> None:
    """Carry out a program; what it makes is appended to `values`."""
    for deed in program:
        if isinstance(deed, Call):
            values.append(deed(values))
        else:
            deed(values)


def programs(size: int = 14) -> st.SearchStrategy[Program]:
    # A positive number is not -0.0 (see test_a_negative_zero_stays_one).
    acts = st.builds(
        Act, st.sampled_from(BY_HAND), st.integers(-4, 8), st.sampled_from([0.5, 2.0, 3.0])
    )
    return st.lists(calls(wild) | acts, max_size=size).map(tuple)


def writing_programs(size: int = 6) -> st.SearchStrategy[Program]:
    """Programs that write by hand in any order between their passes, several Values in turns."""
    numbers = st.sampled_from([0.5, 2.0, -0.0, 0.0, -3.0])

    def acts(deeds: Sequence[Deed], numbers: st.SearchStrategy[float]) -> st.SearchStrategy[Act]:
        return st.builds(Act, st.sampled_from(deeds), st.integers(-4, 8), numbers)

    writes = st.lists(acts(["data", "grad", "clear", "optimize"], numbers), min_size=2, max_size=6)
    passes = st.tuples(calls(tame) | acts(["backward", "leaf"], tame))
    parts = st.lists(passes | writes.map(tuple), min_size=1, max_size=size)
    return parts.map(lambda parts: tuple(deed for part in parts for deed in part))


def computation(root: Value) -> Computation:
    """Describe a Value and everything it was made from."""
    computed = ancestors(root)
    sources = [operand for node in computed for operand in node._operands]
    found = {node._stamp: node for node in (root, *sources, *computed)}
    return Computation.among([found[stamp] for stamp in sorted(found)])
