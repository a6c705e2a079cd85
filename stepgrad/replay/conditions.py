"""Where a replay stops: at a node, at a change of it, or where a condition holds.

A condition is a line such as `isnan(grad)` or `op == "relu" and local == 0`. It is parsed by
Python's parser and made into functions by the few rules below; nothing in it is ever run as code.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

from stepgrad.errors import StepgradError, suggest
from stepgrad.recording.blocks import Backward, Block, Forward, Write
from stepgrad.recording.recording import Recording
from stepgrad.recording.structure import Structure, index_to_ref
from stepgrad.replay.facts import NAMES, Facts
from stepgrad.replay.titles import short_title


class ConditionError(StepgradError):
    """A condition that cannot be understood; says what is wrong and what would do."""


class Stop(Protocol):
    """A reason to stop: `text` says which."""

    @property
    def text(self) -> str:
        """What a person typed or pointed at."""

    def matches(self, recording: Recording, block: Block) -> Sequence[int]:
        """The events of a block, counted from its start, that are a reason, in order."""


def reason(recording: Recording, stops: Iterable[Stop], index: int) -> Stop | None:
    """Return the reason to stop at an event, if there is one."""
    block = recording.blocks[recording.history.block_at(index)]
    offset = index - block.start
    return next((stop for stop in stops if offset in stop.matches(recording, block)), None)


def find(
    recording: Recording, stops: Iterable[Stop], start: int, *, forward: bool
) -> tuple[int, Stop] | None:
    """Return the nearest event that is a reason to stop, and the reason.

    Forward, from event `start` on; backward, among those before it. Of several reasons, the first.
    """
    stops = tuple(stops)
    blocks = recording.blocks
    if not stops or not (start < recording.length if forward else start):
        return None
    here = recording.history.block_at(start if forward else start - 1)
    for number in range(here, len(blocks)) if forward else range(here, -1, -1):
        block = blocks[number]
        found = [
            (block.start + offset, stop)
            for stop in stops
            if (offset := _nearest(stop.matches(recording, block), start - block.start, forward))
            is not None
        ]
        if found:
            return (min if forward else max)(found, key=lambda each: each[0])
    return None


def _nearest(offsets: Sequence[int], start: int, forward: bool) -> int | None:
    at = bisect_left(offsets, start) - (not forward)
    return offsets[at] if 0 <= at < len(offsets) else None


@dataclass(frozen=True)
class NodeStop:
    """Stop at a node: in a training loop, at its like in every step.

    Without `every`, where it is made and where its gradient is complete; with it, at each change of
    its value or gradient. Its like is the node at the same place of a pass of the same shape, or
    the one of the same name.
    """

    text: str
    node: int
    structure: Structure
    offset: int
    name: str | None
    every: bool = False

    @classmethod
    def at(cls, recording: Recording, node: int, *, every: bool = False) -> NodeStop:
        """Make one for a node of a recording."""
        made, name = recording.history.forward_of(node), recording.node(node).name
        text = short_title(recording, node)
        return cls(text, node, made.structure, node - made.base, name, every)

    def covers(self, recording: Recording, node: int) -> bool:
        """Whether it stops at a node: this one, or its like."""
        made = recording.history.forward_of(node)
        return node == self.node or node - made.base == self._like(made.structure)

    def _like(self, structure: Structure) -> int | None:
        """Return where in a pass the node's like is made."""
        if structure is self.structure:
            return self.offset
        return None if self.name is None else _named(structure).get(self.name)

    def matches(self, recording: Recording, block: Block) -> Sequence[int]:
        """Return the events about the node, or its like in the step at hand."""
        match block:
            case Forward():
                like = self._like(block.structure)
                return [] if like is None else [bisect_left(block.structure.created, like)]
            case Backward():
                like = self._like(recording.history.forward_of(block.base).structure)
                ref = index_to_ref(self.node, block.base) if like is None else like
                column = block.sweep.column.get(ref)
                if column is None:
                    return []
                edges = [1 + edge for edge in block.sweep.incoming[column]] or [0]
                return edges if self.every else edges[-1:]
            case Write() if self.every:
                nodes = block.writes.nodes
                return [i for i, node in enumerate(nodes) if self.covers(recording, node)]
        return []


@lru_cache(maxsize=64)
def _named(structure: Structure) -> Mapping[str, int]:
    """Return the offsets of the named nodes of a pass; of several so named, the first."""
    return {name: offset for offset, name in reversed(structure.names.items())}


_FUNCTIONS: Mapping[str, Callable[[float], Any]] = {
    "abs": abs,
    "isfinite": math.isfinite,
    "isinf": math.isinf,
    "isnan": math.isnan,
}
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
_DEEPEST, _LONGEST = 50, 1000

_Rule = Callable[[Facts, int], Any]
"""What a part of a condition is at an event of a block; None where that is unknown."""


@dataclass(frozen=True)
class Condition:
    """Stop where an expression holds of an event.

    It may use `node`, `op`, `phase` (texts) and `value`, `grad`, `before`, `after`, `position`; and
    at an edge of the backward pass `out` (a text), `local`, `upstream`, `contribution`. What
    compares or computes with a name that an event has nothing for is unknown there, and so is its
    opposite; `and` and `or` ask for as much as they need.

    Raises:
        ConditionError: when made of a text that is no condition.
    """

    text: str
    _rule: _Rule = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rule", _compile(_parse(self.text.strip()), self.text.strip()))

    def matches(self, recording: Recording, block: Block) -> Sequence[int]:
        """Return the events of which it holds."""
        return _matches(self, recording, block.start)

    def holds(self, facts: Facts, offset: int) -> bool:
        """Whether it holds of an event of a block, counted from the block's start."""
        return bool(self._rule(facts, offset))


@lru_cache(maxsize=16)
def _matches(condition: Condition, recording: Recording, start: int) -> Sequence[int]:
    """Ask a condition of a whole block: it is wanted again by whoever steps from stop to stop."""
    block = recording.blocks[recording.history.block_at(start)]
    facts = Facts(recording, block)
    return [offset for offset in range(block.length) if condition.holds(facts, offset)]


def _parse(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise ConditionError(f"a condition has up to {_LONGEST} characters; this has {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's opinion on style is no concern of ours
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "too deep"
        shown = f"`{_short(text)}` is no condition ({reason})" if text else "nothing was asked for"
        raise ConditionError(f"{shown}; write one such as isnan(grad)") from None


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _compile(tree: ast.expr, text: str, depth: int = 0) -> _Rule:
    """Make a rule of a part of a condition.

    Raises:
        ConditionError: it is nothing that a condition can contain.
    """
    if depth > _DEEPEST:
        raise ConditionError(f"nested too deeply: more than {_DEEPEST} parts, one in the other")

    def rule(part: ast.expr) -> _Rule:
        return _compile(part, text, depth + 1)

    match tree:
        case ast.Constant(value=int() | float() | str() as constant):
            return lambda _facts, _offset: constant
        case ast.Name(id=name) if name in NAMES:
            return lambda facts, offset: facts[name][offset]
        case ast.Name(id=name):
            known = ", ".join(sorted(NAMES))
            raise ConditionError(f"unknown name `{name}`{suggest(name, NAMES) or f'; use {known}'}")
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            return _applied(_FUNCTIONS[name], [rule(argument)])
        case ast.Call(func=ast.Name(id=name)):
            near = suggest(name, _FUNCTIONS)
            known = ", ".join(_FUNCTIONS)
            raise ConditionError(f"`{name}` cannot be called so{near}: use {known} of a number")
        case ast.BoolOp(op=op, values=parts):
            return _joined([rule(part) for part in parts], decisive=isinstance(op, ast.Or))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            return _applied(_OPERATORS[type(op)], [rule(operand)])
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _applied(_numeric(_OPERATORS[type(op)]), [rule(left), rule(right)])
        case ast.Compare(left=left, ops=ops, comparators=rest) if {*map(type, ops)} <= {
            *_OPERATORS
        }:
            sides = [rule(side) for side in (left, *rest)]
            pairs = zip(ops, sides, sides[1:], strict=False)
            links = [_applied(_OPERATORS[type(op)], [a, b]) for op, a, b in pairs]
            return links[0] if len(links) == 1 else _joined(links, decisive=False)
    shown = _short(ast.get_source_segment(text, tree) or text)
    raise ConditionError(
        f"`{shown}` cannot stand in a condition: use names, numbers, texts, comparisons, "
        "and, or, not, + - * /"
    )


def _applied(function: Callable[..., Any], rules: Sequence[_Rule]) -> _Rule:
    """Apply a function to what is known."""

    def rule(facts: Facts, offset: int) -> Any:
        arguments = [rule(facts, offset) for rule in rules]
        if None in arguments:
            return None
        try:
            return function(*arguments)
        except (TypeError, ArithmeticError):
            return None

    return rule


def _numeric(function: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse texts: `"ab" * 10` is one to Python, and may be a very long one."""

    def checked(left: Any, right: Any) -> Any:
        if isinstance(left, str) or isinstance(right, str):
            raise TypeError("a text is no number")
        return function(left, right)

    return checked


def _joined(rules: Sequence[_Rule], *, decisive: bool) -> _Rule:
    """Join by `or`, where one that holds decides, or by `and`, where one that does not."""

    def rule(facts: Facts, offset: int) -> bool | None:
        unknown = False
        for part in rules:
            held = part(facts, offset)
            if held is None:
                unknown = True
            elif bool(held) is decisive:
                return decisive
        return None if unknown else not decisive

    return rule
