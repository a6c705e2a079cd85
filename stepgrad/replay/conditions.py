"""Where a replay stops: at a node, at a change of it, or where a condition holds.

A condition is a line such as `isnan(grad)` or `op == "relu" and local == 0`. It is parsed by
Python's parser and worked out by the few rules below; nothing in it is ever run as code.
"""

from __future__ import annotations

import ast
import math
import operator
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from stepgrad.errors import StepgradError, suggest
from stepgrad.recording import events
from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import Structure, index_to_ref
from stepgrad.replay.titles import short_title


class ConditionError(StepgradError):
    """A condition that cannot be understood; says what is wrong and what would do."""


class Stop(Protocol):
    """A reason to stop: `text` says which."""

    @property
    def text(self) -> str:
        """What a person typed or pointed at."""

    def candidates(self, recording: Recording, block: Block) -> Sequence[int]:
        """The events of a block, counted from its start, that may be a reason, in order."""

    def holds(self, recording: Recording, index: int) -> bool:
        """Whether the event of this index is one."""


def find(
    recording: Recording, stops: Iterable[Stop], start: int, *, forward: bool
) -> tuple[int, Stop] | None:
    """Return the nearest event that is a reason to stop, and the reason.

    Forward, from event `start` on; backward, among those before it.
    """
    stops = list(stops)
    blocks = recording.blocks
    here = recording.history.block_at(start if forward else start - 1)
    order = range(here, len(blocks)) if forward else range(here, -1, -1)
    for number in order if start or forward else ():
        block = blocks[number]
        candidates = {
            block.start + offset: None
            for stop in stops
            for offset in stop.candidates(recording, block)
        }
        for index in sorted(candidates, reverse=not forward):
            if index >= start if forward else index < start:
                for stop in stops:
                    if stop.holds(recording, index):
                        return index, stop
    return None


@dataclass(frozen=True)
class NodeStop:
    """Stop at a node: in a training loop, at its like in every step.

    Without `every`, where it is made and where its gradient is complete; with it, at each change of
    its value or gradient.
    """

    text: str
    node: int
    structure: Structure
    every: bool = False

    @classmethod
    def at(cls, recording: Recording, node: int, *, every: bool = False) -> NodeStop:
        """Make one for a node of a recording."""
        structure = recording.history.forward_of(node).structure
        return cls(short_title(recording, node), node, structure, every)

    def candidates(self, recording: Recording, block: Block) -> Sequence[int]:
        """Return the events about the node, or its like in the step at hand."""
        offset = self.node - recording.history.forward_of(self.node).base
        match block:
            case Forward() if block.structure is self.structure:
                return [bisect_left(block.structure.created, offset)]
            case Backward():
                made = recording.history.forward_of(block.base)
                alike = made.structure is self.structure
                ref = offset if alike else index_to_ref(self.node, block.base)
                column = block.sweep.column.get(ref)
                if column is None:
                    return ()
                edges = [1 + edge for edge in block.sweep.incoming[column]] or [0]
                return edges if self.every else edges[-1:]
            case Write():
                return [i for i, node in enumerate(block.writes.nodes) if node == self.node]
        return ()

    def holds(self, recording: Recording, index: int) -> bool:
        """Whether the event is among the candidates of its block."""
        block = recording.blocks[recording.history.block_at(index)]
        return index - block.start in self.candidates(recording, block)


_FUNCTIONS: Mapping[str, Callable[[float], Any]] = {
    "abs": abs,
    "isfinite": math.isfinite,
    "isinf": math.isinf,
    "isnan": math.isnan,
}
_OF_EDGES = frozenset({"local", "upstream", "contribution", "out"})
_NAMES = _OF_EDGES | {"after", "before", "grad", "node", "op", "phase", "position", "value"}
_OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


@dataclass(frozen=True)
class Condition:
    """Stop where an expression holds of an event.

    It may use `node`, `op`, `phase` (texts) and `value`, `grad`, `before`, `after`, `position`; and
    at an edge of the backward pass `out` (a text), `local`, `upstream`, `contribution`. A name that
    an event has no number for makes the condition fail there.

    Raises:
        ConditionError: when made of a text that is no condition.
    """

    text: str
    _tree: ast.expr = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tree", _parse(self.text))

    @cached_property
    def _only_edges(self) -> bool:
        return any(isinstance(n, ast.Name) and n.id in _OF_EDGES for n in ast.walk(self._tree))

    def candidates(self, _: Recording, block: Block) -> Sequence[int]:
        """Return all events, but only edges for a condition on edges."""
        if not self._only_edges:
            return range(block.length)
        return range(1, block.length) if isinstance(block, Backward) else ()

    def holds(self, recording: Recording, index: int) -> bool:
        """Whether the condition holds of an event."""
        try:
            return bool(_work_out(self._tree, _facts(recording, index)))
        except (LookupError, TypeError, ArithmeticError):
            return False


def _facts(recording: Recording, index: int) -> dict[str, Any]:
    """Return what can be said of an event, by the names that conditions use."""
    event = recording.events[index]
    facts: dict[str, Any] = {"phase": event.phase, "position": index + 1}
    node = event.focus
    if node is None:
        return facts
    facts |= {
        "node": short_title(recording, node),
        "op": recording.node(node).op.name,
        "value": recording.history.value(node, index + 1),
    }
    match event:
        case events.Accumulate():
            facts |= {
                "out": short_title(recording, event.out),
                "op": recording.node(event.out).op.name,
                "local": event.local,
                "upstream": event.upstream,
                "contribution": event.contribution,
                "before": event.before,
                "after": event.after,
                "grad": event.after,
            }
        case events.Seed() | events.ZeroGrad() | events.SetGrad():
            facts |= {"before": event.before, "after": event.after, "grad": event.after}
        case events.Update():
            facts |= {"before": event.before, "after": event.after}
    return {name: fact for name, fact in facts.items() if fact is not None}


def _parse(text: str) -> ast.expr:
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "too long or too deep"
        raise ConditionError(
            f"`{text.strip()[:60]}` is no condition ({reason}); write one such as isnan(grad)"
        ) from None
    _check(tree)
    return tree


def _check(tree: ast.expr, depth: int = 0) -> None:
    """Raise `ConditionError` for the first thing that a condition cannot contain."""
    if depth > 50:
        raise ConditionError("nested too deeply")
    match tree:
        case ast.Constant(value=int() | float() | str()):
            return
        case ast.Name(id=name) if name in _NAMES:
            return
        case ast.Name(id=name):
            known = ", ".join(sorted(_NAMES))
            raise ConditionError(
                f"unknown name `{name}`{suggest(name, _NAMES) or f'; use {known}'}"
            )
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            parts = [argument]
        case ast.Call(func=ast.Name(id=name)):
            near = suggest(name, _FUNCTIONS)
            known = ", ".join(_FUNCTIONS)
            raise ConditionError(f"`{name}` cannot be called so{near}: use {known} of a number")
        case ast.Compare(left=left, ops=ops, comparators=right) if all(
            type(op) in _OPERATORS for op in ops
        ):
            parts = [left, *right]
        case ast.BoolOp(values=parts):
            pass
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            parts = [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            parts = [left, right]
        case _:
            raise ConditionError(
                f"`{ast.unparse(tree)[:60]}` cannot stand in a condition: use names, numbers, "
                "texts, comparisons, and, or, not, + - * /"
            )
    for part in parts:
        _check(part, depth + 1)


def _work_out(tree: ast.expr, facts: Mapping[str, Any]) -> Any:
    match tree:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return facts[name]
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return _FUNCTIONS[name](_work_out(argument, facts))
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_work_out(part, facts) for part in parts)
        case ast.BoolOp(values=parts):
            return any(_work_out(part, facts) for part in parts)
        case ast.UnaryOp(op=op, operand=operand):
            return _OPERATORS[type(op)](_work_out(operand, facts))
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_work_out(left, facts), _work_out(right, facts))
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            values = [_work_out(part, facts) for part in (left, *comparators)]
            return all(
                _OPERATORS[type(op)](a, b)
                for op, a, b in zip(ops, values, values[1:], strict=False)
            )
    raise TypeError(f"checked before: {ast.dump(tree)}")
