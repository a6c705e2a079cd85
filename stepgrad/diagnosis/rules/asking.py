"""Engines in which a number may need no gradient: `if x.requires_grad: x.grad += …` (`asking`)."""

from __future__ import annotations

import ast
from collections.abc import Set

from stepgrad.diagnosis.rules.lines import Lines
from stepgrad.diagnosis.rules.text import end, stored
from stepgrad.diagnosis.rules.wrote import foreign_passes, made_of
from stepgrad.engine.tape import Place
from stepgrad.recording.blocks import Write
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording


@kept(1)
def asking(recording: Recording) -> bool:
    """Whether a rule of an engine asks objects whether they need a gradient."""
    passes = foreign_passes(recording.blocks)
    places = {place for block in passes for place in block.sweep.places}
    return any(_asks(Lines(recording), place) for place in places)


def needs(recording: Recording, node: int) -> bool:
    """Whether a node needs a gradient: the program updates what it is computed from."""
    return not _updated(recording).isdisjoint(made_of(recording, node))


@kept(1)
def _updated(recording: Recording) -> Set[int]:
    writes = [block.writes for block in recording.blocks if isinstance(block, Write)]
    return {
        node
        for each in writes
        for kind, node in zip(each.kinds, each.nodes, strict=True)
        if kind == "update"
    }


def _asks(lines: Lines, place: Place) -> bool:
    """Whether a line writes a gradient only if the object asks for one.

    A line in such a condition does, and one after a `continue` for all others.
    """
    statement, around = lines.statement(place), lines.around(place)
    if statement is None or not around:
        return False
    written = {ast.unparse(each.value) for each in stored(statement)}
    return any(
        isinstance(each, ast.If)
        and (each.lineno < statement.lineno <= end(each) or _leaves(each))
        and not written.isdisjoint(_asked(each.test))
        for each in ast.walk(around[-1])
    )


def _asked(test: ast.expr) -> set[str]:
    """Return the objects of which a condition is an attribute, as it stands or negated."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _asked(operand)
        case ast.BoolOp(values=values):
            return {name for each in values for name in _asked(each)}
        case ast.Attribute(value=value):
            return {ast.unparse(value)}
    return set()


def _leaves(condition: ast.If) -> bool:
    """Whether a condition only decides whether a loop or a function goes on."""
    return len(condition.body) == 1 and isinstance(condition.body[0], ast.Continue | ast.Return)
