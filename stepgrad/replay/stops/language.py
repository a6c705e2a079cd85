"""The language of conditions: a line such as `bad` or `op == "relu" and local == 0`.

It is parsed by Python's parser and turned into functions by the few rules below; nothing in it is
ever run as code. A rule takes whole columns at once, so that a search through a million events is a
few loops in C.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, compress, pairwise
from typing import Any
from weakref import WeakKeyDictionary

from stepgrad.errors import StepgradError, suggest
from stepgrad.recording.blocks import Block
from stepgrad.recording.numbered import is_called, plain, unnumbered
from stepgrad.recording.recording import Recording
from stepgrad.replay.stops.columns import Column, Facts, Same, applied, joined
from stepgrad.replay.stops.facts import COMPUTED, FULL_NAMES, NAMES, TEXTS, WORDS, facts_of
from stepgrad.syntax import parse_expression


class ConditionError(StepgradError):
    """A condition that cannot be understood; says what is wrong and what to write instead."""


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
_KEPT = 64  # answers about blocks: going from stop to stop asks again

_Rule = Callable[[Facts[Any]], Column]
"""What a part of a condition is at the events of a block; None where that is unknown."""


@dataclass(frozen=True)
class Condition:
    """Stop where an expression holds of an event.

    It may use `node`, `op`, `phase` (texts) and `value`, `grad`, `before`, `after`, `position`;
    where a node is made in forward mode `tangent`; and at an edge of the backward pass `out` (a
    text), `local`, `upstream`, `contribution`. `bad` holds where a number is not finite, although
    everything it is made of is; `wrong`, where a rule of an engine that is not ours passes on a
    wrong number. `node == "x2"` also means `row1/x2`, as in any command, and `node == "h"` any of
    `h₀`, `h₁`, of which `h1` is one.
    A comparison or a calculation with a name that an event lacks is unknown, and so is its
    opposite; `and` and `or` look no further than they need.

    Raises:
        ConditionError: the text is not a condition.
    """

    text: str
    _rule: _Rule = field(init=False, repr=False, compare=False)
    # For each recording, how often nodes had been renamed, and the events that were found by then.
    _asked: WeakKeyDictionary[Recording, tuple[int, dict[int, Sequence[int]]]] = field(
        init=False, repr=False, compare=False, default_factory=WeakKeyDictionary
    )

    def __post_init__(self) -> None:
        text = self.text.strip()
        tree = _parse(text)
        _check_quotes(tree)
        object.__setattr__(self, "_rule", _compile(tree, text))

    def matches(self, recording: Recording, block: Block) -> Sequence[int]:
        """Return the events of which it holds."""
        asked = self._asked_of(recording)
        found = asked.get(block.start)
        if found is None:
            kinds = facts_of(recording, block)
            held = sorted(chain.from_iterable(map(self._holding, kinds)))
            found = list(map(block.start.__add__, held))
            if len(asked) >= _KEPT:
                asked.clear()
            asked[block.start] = found
        return found

    def _asked_of(self, recording: Recording) -> dict[int, Sequence[int]]:
        renames, asked = self._asked.get(recording, (-1, {}))
        if renames != recording.renames:
            asked = {}
            self._asked[recording] = recording.renames, asked
        return asked

    def seen(self, recording: Recording, begin: int, end: int) -> Sequence[int]:
        """Return the events between two positions of which it is known to hold, in order.

        They are those of the blocks that `matches` has been asked for lately.
        """
        asked = sorted(
            (start, events)
            for start, events in tuple(self._asked_of(recording).items())
            if begin <= start < end
        )
        return list(chain.from_iterable(events for _, events in asked))

    def _holding(self, facts: Facts[Any]) -> Iterable[int]:
        column = self._rule(facts)
        if isinstance(column, Same):
            return facts.offsets if column.entry else ()
        return compress(facts.offsets, column)


def _parse(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise ConditionError(f"a condition has at most {_LONGEST} characters; this has {len(text)}")
    try:
        return parse_expression(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "too deep"
        shown = f"`{_short(text)}` is not a condition ({reason})" if text else "no condition given"
        raise ConditionError(f"{shown}; write one such as bad or abs(grad) > 1e3") from None


def _check_quotes(tree: ast.expr) -> None:
    """Raise an error if a text has no quotes; a script of keys may have lost them."""
    for part in ast.walk(tree):
        match part:
            case ast.Compare(left=ast.Name(id=name), comparators=[ast.Name(id=word)]) if (
                name in TEXTS and word not in NAMES
            ):
                quoted = f'{name} == "{word}"'
                raise ConditionError(
                    f"`{word}` is a text and needs quotes: {quoted}; in a script, 'B{quoted}'"
                )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _compile(tree: ast.expr, text: str, depth: int = 0) -> _Rule:
    """Make a rule of a part of a condition.

    Raises:
        ConditionError: it is nothing that a condition can contain.
    """
    if depth > _DEEPEST:
        raise ConditionError(f"nested too deeply: at most {_DEEPEST} levels")

    def rule(part: ast.expr) -> _Rule:
        return _compile(part, text, depth + 1)

    match tree:
        case ast.Constant(value=int() | float() | str() as constant):
            return _constant(constant)
        case ast.Name(id=name):
            return _column(name)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            return _applied(_FUNCTIONS[name], [rule(argument)])
        case ast.Call(func=ast.Name(id=name)):
            near, known = suggest(name, _FUNCTIONS), ", ".join(_FUNCTIONS)
            reason = f"cannot be called like that{near}: {known} take one number"
            raise ConditionError(f"`{name}` {reason}")
        case ast.BoolOp(op=op, values=parts):
            cheap_first = sorted(parts, key=_is_computed)
            return _joined([rule(part) for part in cheap_first], decisive=isinstance(op, ast.Or))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            return _applied(_OPERATORS[type(op)], [rule(operand)])
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            both = [rule(left), rule(right)]
            # To Python, `"ab" * 10` is a text, and may be a very long one.
            texts = _is_text(left) or _is_text(right)
            return _constant(None) if texts else _applied(_OPERATORS[type(op)], both)
        case ast.Compare(
            left=ast.Name(id="node" | "out" as name),
            ops=[ast.Eq() | ast.NotEq() as op],
            comparators=[ast.Constant(value=str() as word)],
        ):
            called = _called(name, word)
            return called if isinstance(op, ast.Eq) else _applied(operator.not_, [called])
        case ast.Compare(left=left, ops=ops, comparators=rest) if all(
            type(op) in _OPERATORS for op in ops
        ):
            return _compared(ops, [rule(side) for side in (left, *rest)])
    shown = _short(ast.get_source_segment(text, tree) or text)
    raise ConditionError(
        f"`{shown}` cannot be part of a condition: use names, numbers, texts, comparisons, "
        "and, or, not, + - * /"
    )


def _is_text(tree: ast.expr) -> bool:
    match tree:
        case ast.Name(id=name):
            return name in TEXTS
        case ast.Constant(value=value):
            return isinstance(value, str)
    return False


def _is_computed(tree: ast.expr) -> bool:
    """Whether a column must be computed for a part of a condition, which takes a while."""
    return any(isinstance(node, ast.Name) and node.id in COMPUTED for node in ast.walk(tree))


def _constant(entry: Any) -> _Rule:
    return lambda _facts: Same(entry)


def _column(name: str) -> _Rule:
    if name not in NAMES:
        known = ", ".join(sorted(NAMES))
        raise ConditionError(f"unknown name `{name}`{suggest(name, NAMES) or f'; use {known}'}")
    return _read(name)


def _read(column: str) -> _Rule:
    return lambda facts: facts[column]


def _called(column: str, word: str) -> _Rule:
    """Whether a node's name is `word`, or ends in it after a slash, or `word` is its title.

    Numbers may be missing, or written in digits of full size.
    """

    @lru_cache(_KEPT)  # the same names come in every training step
    def is_it(name: str) -> bool:
        return is_called(name, word)

    @lru_cache(_KEPT)
    def ends_so(name: str) -> bool:
        forms = (name, unnumbered(name), plain(name))
        return any(f"/{form}".endswith(f"/{word}") for form in forms)

    if word.isascii() and word.isidentifier():
        # Only a name is a word, so no title has to be worked out for a nameless node.
        return _applied(is_it, [_read(WORDS[column])])
    titled = _applied(is_it, [_read(column)])
    if "/" not in word:
        return titled
    return _joined([_applied(ends_so, [_read(FULL_NAMES[column])]), titled], decisive=True)


def _compared(ops: Sequence[ast.cmpop], sides: Sequence[_Rule]) -> _Rule:
    """Compare each side with the next; all have to hold."""
    pairs = zip(ops, pairwise(sides), strict=True)
    links = [_applied(_OPERATORS[type(op)], pair) for op, pair in pairs]
    return links[0] if len(links) == 1 else _joined(links, decisive=False)


def _applied(function: Callable[..., Any], rules: Sequence[_Rule]) -> _Rule:
    return lambda facts: applied(function, [rule(facts) for rule in rules])


def _joined(rules: Sequence[_Rule], *, decisive: bool) -> _Rule:
    return lambda facts: joined((rule(facts) for rule in rules), decisive=decisive)
