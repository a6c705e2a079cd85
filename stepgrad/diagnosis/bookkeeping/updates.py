"""Which lines of a program compute an update by a gradient, and what becomes of it (`updating`)."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from typing import Literal, NamedTuple

from stepgrad.diagnosis.bookkeeping.along import Along
from stepgrad.diagnosis.bookkeeping.flow import (
    Flow,
    attributes,
    flow_of,
    gradients,
    is_gradient,
    is_read,
    live,
    names_of_arguments,
    own,
)
from stepgrad.engine.tape import Place
from stepgrad.recording.kept import kept
from stepgrad.recording.recording import Recording
from stepgrad.recording.source import Source

Kind = Literal["lost", "rebuilt", "reads", "alone", "backward pass", "update"]
"""What a line does:

- lost: it computes an update, and nothing uses that;
- rebuilt: it gives the variable that it reads to new objects with updated values;
- reads: it writes a value by the gradient of the same object;
- alone: it writes a value by gradients, and without the old value;
- backward pass, update: it names the method that would run one, and does not call it.
"""

_CALLED: dict[str, Kind] = {"backward": "backward pass", "step": "update"}
"""What methods do, if they are called."""

_COPYING = {"data", "detach", "clone", "item"}
"""How a tensor gives what is in it."""

_REPEATED = (ast.For, ast.While, ast.FunctionDef)
"""What runs several times: elsewhere, an update may well be tried once."""


class Line(NamedTuple):
    """A line of a program, what kind of update it is, and what it does, as a clause.

    It does so if no other file, or cell, reads the name `unread`.
    """

    number: int
    kind: Kind
    what: str
    unread: str = ""


@kept(1)
def updating(source: Source) -> Sequence[Line]:
    """Return the lines of a program that look like updates by a gradient."""
    return [*_Reader(flow_of(source)).lines()]


def lines_of(recording: Recording, kind: Kind) -> Iterator[tuple[Place, str]]:
    """Yield the lines of a kind of update in a recorded program, each with what it does."""
    sources = recording.sources
    for file, source in sources.items():
        for line, which, what, unread in updating(source):
            others = (flow_of(each) for each in sources.values() if each is not source)
            if which == kind and not (unread and any(unread in each.read for each in others)):
                yield Place(line=line, file=file), what


def line_of(place: Place | None) -> Place | None:
    """Return a place as `lines_of` has it: without what is around it."""
    return None if place is None else Place(line=place.line, file=place.file)


class _Reader:
    """Reads a program, by what flows where in it."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._along = Along(flow)
        self._live = live(flow)

    def lines(self) -> Iterator[Line]:
        """Yield the lines in question."""
        for each in ast.walk(self._flow.tree):
            if isinstance(each, ast.stmt):
                yield from self._writes(each)
            if isinstance(each, _REPEATED):
                for statement in _statements(each):
                    yield from self._in_vain(statement)
            if isinstance(each, ast.For | ast.FunctionDef):
                yield from self._rebinds(each)
            if isinstance(each, ast.FunctionDef):
                yield from self._returns(each)
            match each:
                case ast.Expr(value=ast.Attribute(attr=method) as value) if method in _CALLED:
                    yield Line(each.lineno, _CALLED[method], ast.unparse(value))

    # Values that are written.

    def _writes(self, statement: ast.stmt) -> Iterator[Line]:
        match statement:
            case ast.AugAssign(target=ast.Attribute(value=of, attr=field), value=value):
                alone = False
            case ast.Assign(targets=[ast.Attribute(value=of, attr=field)], value=value):
                alone = True
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="copy_") as call, args=[value])):
                alone, field, of = True, "data", call.value
                if isinstance(of, ast.Attribute) and of.attr == field:
                    of = of.value
            case _:
                return
        owner = ast.unparse(of)
        if is_gradient(field):
            return
        if any(ast.unparse(each.value) == owner for each in gradients(value)):
            yield Line(statement.lineno, "reads", "")
        if alone and self._along.reads_gradient(value) and not self._reads_old(value, owner, field):
            yield Line(statement.lineno, "alone", "")

    def _reads_old(self, value: ast.AST, owner: str, field: str) -> bool:
        """Whether an expression may read the value of an object, or its object as a whole."""
        fields = {field, *_COPYING}
        objects = {id(each.value) for each in gradients(value)}
        parts = (each for each in ast.walk(value) if isinstance(each, ast.expr))
        if any(ast.unparse(each) == owner for each in parts if id(each) not in objects):
            return True
        holding = self._flow.holding(lambda each: each.attr in fields, self._flow.unknown)
        return self._flow.reads(value, lambda each: each.attr in fields, holding)

    # Updates in vain.

    def _in_vain(self, statement: ast.stmt) -> Iterator[Line]:
        """Yield whether an update is computed for nothing, or in place of what it reads."""
        match statement:
            case ast.Expr(value=ast.Compare() as value) if self._along.has_step(value):
                yield _nowhere(value)
            case ast.Expr(value=value) if self._along.is_step(value):
                yield _nowhere(value)
            case ast.AugAssign(target=to, value=value) if self._along.is_step(statement):
                name = ast.unparse(to)
                if self._is_dead(to):
                    yield _changed(statement)._replace(unread=self._global(to))
                elif any(ast.unparse(each.value) == name for each in gradients(value)):
                    yield Line(statement.lineno, "rebuilt", _short(statement))
            case ast.Assign(targets=[to], value=value) if self._along.has_step(value):
                if self._is_dead(to):
                    line = _renamed(statement, ast.unparse(to))
                    yield line._replace(unread=self._global(to))
                elif any(gradients(value)) and self._comes_from(value, to):
                    yield Line(statement.lineno, "rebuilt", f"`{ast.unparse(to)} = …`")

    def _rebinds(self, block: ast.For | ast.FunctionDef) -> Iterator[Line]:
        """Yield where a loop, or a function, gives its own variable to an update.

        Or where a loop writes one to its variable's gradient.
        """
        looped = isinstance(block, ast.For)
        given = (
            _variables(block.target) if isinstance(block, ast.For) else names_of_arguments(block)
        )
        for name in {*given}:
            for index, statement in enumerate(block.body):
                if name in set[str]().union(*map(_used, block.body[index + 1 :])):
                    continue
                match statement:
                    case ast.Assign(targets=[ast.Name(id=to)], value=value) if to == name:
                        if self._along.has_step(value):
                            yield _renamed(statement, to)
                    case ast.AugAssign(target=ast.Name(id=to)) if to == name:
                        if self._along.is_step(statement):
                            yield _changed(statement)
                    case (
                        ast.AugAssign(target=ast.Attribute(value=ast.Name(id=owner)) as to)
                        | ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner)) as to])
                    ) if looped and owner == name and is_gradient(to.attr):
                        beside = (e for e in attributes(statement.value) if _is(e.value, name))
                        if not all(is_gradient(each.attr) for each in beside):
                            what = f"`{ast.unparse(to)}` is written, where the value should be"
                            yield Line(statement.lineno, "lost", what)

    def _returns(self, function: ast.FunctionDef) -> Iterator[Line]:
        """Yield where a function returns an update, and none of its calls uses it."""
        returned = [
            each.value for each in own(function) if isinstance(each, ast.Return) and each.value
        ]
        nodes = [*ast.walk(self._flow.tree)]
        dropped = [
            each
            for each in nodes
            if isinstance(each, ast.Expr)
            and isinstance(each.value, ast.Call)
            and _is(each.value.func, function.name)
        ]
        if any(map(self._along.has_step, returned)) and len(dropped) == sum(
            _is(each, function.name) for each in nodes
        ):
            for each in dropped:
                what = f"`{ast.unparse(each)}` returns a number, which nothing uses"
                yield Line(each.lineno, "lost", what)

    def _is_dead(self, target: ast.expr) -> bool:
        """Whether a target is a variable that nothing reads."""
        while isinstance(target, ast.Subscript):
            target = target.value
        return isinstance(target, ast.Name) and self._flow.variable(target) not in self._live

    def _global(self, target: ast.expr) -> str:
        """The name of a variable that other files can read; empty for those of functions."""
        scope, _, name = (self._flow.variable(target) or "").rpartition(":")
        return name if scope == "0" else ""

    def _comes_from(self, value: ast.AST, target: ast.expr) -> bool:
        """Whether an expression reads what is in a variable, an item of it, or an attribute."""
        variable = self._flow.variable
        held = self._flow.holding(lambda _: False, filter(None, [variable(target)]))
        return any(variable(each) in held for each in ast.walk(value))


def _nowhere(value: ast.expr) -> Line:
    what = f"`{ast.unparse(value)}` computes a number and stores it nowhere"
    return Line(value.lineno, "lost", what)


def _short(statement: ast.AugAssign) -> str:
    sign = "+" if isinstance(statement.op, ast.Add) else "-"
    return f"`{ast.unparse(statement.target)} {sign}= …`"


def _changed(statement: ast.AugAssign) -> Line:
    name = ast.unparse(statement.target)
    what = f"{_short(statement)} changes {name} alone, which nothing reads"
    return Line(statement.lineno, "lost", what)


def _renamed(statement: ast.stmt, to: str) -> Line:
    what = f"`{to} = …` gives the name {to} to another object and leaves the parameter as it is"
    return Line(statement.lineno, "lost", what)


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _variables(target: ast.expr) -> Iterator[str]:
    return (each.id for each in ast.walk(target) if isinstance(each, ast.Name))


def _statements(block: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements of a loop or a function that are in no other one inside it."""
    for each in ast.iter_child_nodes(block):
        if isinstance(each, ast.stmt) and not isinstance(each, _REPEATED):
            yield each
            yield from _statements(each)


def _used(tree: ast.AST) -> Set[str]:
    """Return the names that are read for more than to set an attribute, as in `p.grad = 0`."""
    setting = {id(each.value) for each in attributes(tree) if isinstance(each.ctx, ast.Store)}
    return {
        each.id
        for each in ast.walk(tree)
        if isinstance(each, ast.Name) and is_read(each) and id(each) not in setting
    }
